"""Undos that a server has in hand: who asked for them is remembered, and a broken shelf ends neither them nor the server."""

import asyncio
from pathlib import Path

import pytest
from builders import LATER, NOON, a_batch, a_file, sold

from ordermill.imports import undo_requests
from ordermill.imports.model import Import
from ordermill.imports.shelf import Shelf
from ordermill.imports.undo import Undoing
from ordermill.imports.undo_requests import UndoRequests
from ordermill.kit.clock import FixedClock
from ordermill.storage.memory import MemoryStorage

pytestmark = pytest.mark.anyio


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "uploads", limit=100, turns=1)


@pytest.fixture
def book() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def undos(shelf: Shelf, book: MemoryStorage, monkeypatch: pytest.MonkeyPatch) -> UndoRequests:
    monkeypatch.setattr(undo_requests, "TEND_S", 0.01)
    return UndoRequests(Undoing(book.undo, clock=FixedClock(LATER)), shelf)


@pytest.fixture
async def run(book: MemoryStorage) -> Import:
    """An import that is finished."""
    run = await book.imports.begin(a_file(), at=NOON, actor="key:1")
    await book.imports.load(run, a_batch(sold("1001")), at=NOON)
    await book.imports.finish(run, at=NOON)
    return run


async def undone(shelf: Shelf) -> None:
    async with asyncio.timeout(5):
        while shelf.undos():  # noqa: ASYNC110  # nobody tells when a file goes
            await asyncio.sleep(0.01)


async def test_goes_on_as_whoever_asked(shelf: Shelf, book: MemoryStorage, undos: UndoRequests, run: Import) -> None:
    """The server is killed between the file on the shelf and the mark in the book."""
    shelf.ask_undo(run.id, actor="key:7")
    shelf.ask_undo(run.id, actor="key:8")

    undos.start()
    await undone(shelf)
    await undos.close()

    stored = await book.imports.get(run.id)
    assert stored is not None
    assert stored.undo is not None
    assert (stored.state, stored.undo.actor) == ("undone", "key:7")
    assert list(shelf.directory.iterdir()) == []


async def test_names_that_are_no_import_are_left_alone(shelf: Shelf, undos: UndoRequests, run: Import) -> None:
    shelf.ask_undo(run.id, actor="key:7")
    (shelf.directory / "undo-notes").mkdir()

    undos.start()
    await undone(shelf)
    await undos.close()

    assert [path.name for path in shelf.directory.iterdir()] == ["undo-notes"]


async def test_a_shelf_that_cannot_be_read_for_a_while_is_read_later(
    shelf: Shelf, undos: UndoRequests, run: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.ask_undo(run.id, actor="key:7")
    found, failures = shelf._entries, iter([OSError("The disk is away.")])

    def entries() -> list[Path]:
        for failure in failures:
            raise failure
        return found()

    monkeypatch.setattr(shelf, "_entries", entries)

    undos.start()
    await asyncio.sleep(0.1)
    await undone(shelf)
    await undos.close()


async def test_closing_raises_nothing_of_an_undo_that_failed(
    shelf: Shelf, undos: UndoRequests, run: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> str:
        raise OSError("The disk is away.")

    monkeypatch.setattr(shelf, "who_asked", broken)
    await undos.ask(run.id, actor="key:7")

    await undos.close()

    assert shelf.undos() == [run.id], "to be gone on with later"
