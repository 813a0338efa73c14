"""The shelf of uploads, and what becomes of a file when the process that brings it in does well, badly or not at all."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pytest
from builders import NOON, a_file, an_id

from ordermill.imports import upload_work, uploads
from ordermill.imports.messages import Begun, Finished, Message, Refused, line_of, message_of
from ordermill.imports.runs import Runs
from ordermill.imports.shelf import Shelf
from ordermill.imports.upload import Claim, Incoming, Sent, Upload
from ordermill.imports.uploads import IN_HAND, Uploads
from ordermill.kit.errors import Invalid, ServiceError, Unavailable
from ordermill.storage.memory import MemoryStorage

SENT = Sent(file="orders.csv", actor="key:1", default_currency="EUR", default_timezone="UTC")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "uploads", limit=100, turns=1)


def received(shelf: Shelf, content: bytes = b"number\n1\n") -> Incoming:
    incoming = shelf.incoming()
    incoming.write(content)
    return incoming


def kept(shelf: Shelf, content: bytes = b"number\n1\n", *, sent: Sent = SENT) -> Upload:
    """Put a file on the shelf and let go of it."""
    incoming = received(shelf, content)
    upload = incoming.keep(sent)
    assert upload is not None
    incoming.claim.release()
    return upload


class TestTheShelf:
    def test_gives_back_what_was_put_there(self, shelf: Shelf) -> None:
        upload = kept(shelf)

        (found,) = shelf.kept()
        assert found == upload
        assert found.content.read_bytes() == b"number\n1\n"
        assert found.sent() == SENT

    def test_keeps_its_files_from_others(self, shelf: Shelf) -> None:
        upload = kept(shelf)

        assert [oct(path.stat().st_mode & 0o777) for path in (shelf.directory, upload.directory)] == ["0o700", "0o700"]

    def test_holds_the_same_upload_once(self, shelf: Shelf) -> None:
        upload = kept(shelf)
        again = received(shelf)

        assert again.keep(replace(SENT, file="renamed.csv", actor="user:7")) is None
        assert again.the_same(SENT) == upload
        again.discard()
        assert shelf.kept() == [upload]

    @pytest.mark.parametrize("other", [replace(SENT, channel="market"), replace(SENT, default_currency="USD")])
    def test_holds_a_file_that_is_to_be_read_in_another_way_as_well(self, shelf: Shelf, other: Sent) -> None:
        kept(shelf)

        kept(shelf, sent=other)

        assert len(shelf.kept()) == 2

    def test_refuses_a_file_beyond_the_limit_and_keeps_nothing_of_it(self, shelf: Shelf) -> None:
        incoming = shelf.incoming()
        incoming.write(b"x" * 100)

        with pytest.raises(Invalid) as caught:
            incoming.write(b"x")
        incoming.discard()

        assert caught.value.code == "body_too_large"
        assert list(shelf.directory.iterdir()) == []

    def test_removes_what_a_process_was_receiving_when_it_ended(self, shelf: Shelf) -> None:
        own, ended = received(shelf), received(shelf)
        ended._file.close()
        ended.claim.release()

        assert shelf.kept() == []

        assert len(list(shelf.directory.iterdir())) == 1
        own.discard()

    def test_that_cannot_be_written_is_a_refusal(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(Unavailable) as caught:
            Shelf(tmp_path / "file", limit=1, turns=1).incoming()

        assert caught.value.code == "upload_unwritable"


class TestAClaim:
    def test_is_held_by_one(self, shelf: Shelf) -> None:
        upload = kept(shelf)
        claim = upload.claim()

        assert claim is not None
        assert upload.claim() is None
        claim.release()
        again = upload.claim()
        assert again is not None
        again.release()

    def test_is_held_as_long_as_a_process_that_inherited_it_lives(self, shelf: Shelf) -> None:
        upload = kept(shelf)
        claim = upload.claim()
        assert claim is not None
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[claim.handle])
        claim.release()

        assert upload.claim() is None
        child.communicate(b"\n")
        again = upload.claim()
        assert again is not None
        again.release()

    def test_of_what_is_gone_is_none(self, shelf: Shelf) -> None:
        upload = kept(shelf)
        upload.remove()

        assert upload.claim() is None
        assert shelf.claim_undo(an_id()) is None
        assert shelf.kept() == []

    def test_of_a_turn_is_given_as_often_as_there_are_turns(self, tmp_path: Path) -> None:
        shelf = Shelf(tmp_path, limit=1, turns=2)
        turns = [shelf.turn() for _ in range(3)]

        assert [turn is not None for turn in turns] == [True, True, False]
        for turn in turns:
            if turn is not None:
                turn.release()


class TestAMessage:
    @pytest.mark.parametrize("message", [Begun(UUID(int=7)), Finished(), Finished({"orders": {"new": 1}})])
    def test_arrives_as_it_was_sent(self, message: Message) -> None:
        assert message_of(line_of(message)) == message

    def test_carries_a_refusal(self) -> None:
        sent = Invalid("'a\nb' is no table.", code="unrecognised", details={"file": "a\nb"})

        line = line_of(Refused(sent))

        assert line.count(b"\n") == 1
        match message_of(line):
            case Refused(refusal):
                assert (type(refusal), refusal.code, refusal.message) == (Invalid, "unrecognised", "'a\nb' is no table.")
                assert refusal.details == {"file": "a\nb"}
            case other:
                raise AssertionError(other)

    def test_that_is_none_is_not_taken_for_one(self) -> None:
        with pytest.raises(ValueError, match="no message"):
            message_of(b"{}")


@dataclass
class ScriptedImporter:
    """Says what it is told to, each process the next of its `scripts`; None waits until it is asked to stop."""

    scripts: list[Sequence[Message | None]]
    started_for: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def started(self, upload: Upload, claim: Claim) -> "AsyncIterator[ScriptedProcess]":
        self.started_for.append(upload.key)
        yield ScriptedProcess(self.scripts.pop(0))


class ScriptedProcess:
    def __init__(self, script: Sequence[Message | None]) -> None:
        self._script = script
        self._stop = asyncio.Event()

    async def messages(self) -> AsyncIterator[Message]:
        for message in self._script:
            if message is None:
                await self._stop.wait()
                return
            yield message

    def ask_to_stop(self) -> None:
        self._stop.set()


@pytest.mark.anyio
class TestUploads:
    @pytest.fixture
    async def run(self, book: MemoryStorage) -> UUID:
        return (await book.imports.begin(a_file(), at=NOON, actor="key:1")).id

    @pytest.fixture
    def book(self) -> MemoryStorage:
        return MemoryStorage()

    async def _sent(self, told: Uploads, shelf: Shelf, content: bytes = b"1") -> UUID:
        async with told.receiving() as incoming:
            incoming.write(content)
            return (await told.bring_in(incoming, SENT)).id

    async def test_answer_as_soon_as_the_run_is_open(self, shelf: Shelf, book: MemoryStorage, run: UUID) -> None:
        told = Uploads(shelf, ScriptedImporter([[Begun(run), None]]), Runs(book.imports))

        assert await self._sent(told, shelf) == run
        await told.close()

        assert len(shelf.kept()) == 1, "a stopped import stays, to be gone on with"

    async def test_remove_what_is_finished(self, shelf: Shelf, book: MemoryStorage, run: UUID) -> None:
        told = Uploads(shelf, ScriptedImporter([[Begun(run), Finished()]]), Runs(book.imports))

        await self._sent(told, shelf)
        await told.close()

        assert shelf.kept() == []

    async def test_remove_what_is_refused_and_say_why(self, shelf: Shelf, book: MemoryStorage) -> None:
        told = Uploads(shelf, ScriptedImporter([[Refused(Invalid("No.", code="unrecognised"))]]), Runs(book.imports))

        with pytest.raises(ServiceError) as caught:
            await self._sent(told, shelf)

        assert caught.value.code == "unrecognised"
        assert shelf.kept() == []

    async def test_keep_what_is_refused_after_its_run_was_open(self, shelf: Shelf, book: MemoryStorage, run: UUID) -> None:
        refused = Refused(Invalid("ORDERMILL_CURRENCY: No.", code="settings"))
        told = Uploads(shelf, ScriptedImporter([[Begun(run), refused]]), Runs(book.imports))

        await self._sent(told, shelf)
        await told.close()

        assert len(shelf.kept()) == 1, "half of it is in the book"

    @pytest.mark.parametrize(
        ("said", "left"),
        [
            ([Refused(Unavailable("The database is not up yet.", code="database_unavailable"))], 1),
            ([], 1),
            ([Refused(Invalid("No.", code="unrecognised"))], 0),
        ],
    )
    async def test_keep_what_lay_on_the_shelf_unless_it_cannot_be_read(
        self, shelf: Shelf, book: MemoryStorage, said: list[Message | None], left: int
    ) -> None:
        upload = kept(shelf)
        importer = ScriptedImporter([said])
        told = Uploads(shelf, importer, Runs(book.imports))

        told.start()
        while upload.key not in importer.started_for or told._work:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)
        await told.close()

        assert shelf.kept() == [upload][:left]

    async def test_remove_what_ended_without_a_word_before_its_run_was_open(self, shelf: Shelf, book: MemoryStorage) -> None:
        told = Uploads(shelf, ScriptedImporter([[]]), Runs(book.imports))

        with pytest.raises(upload_work.Ended):
            await self._sent(told, shelf)

        assert shelf.kept() == []

    async def test_go_on_with_what_lies_on_the_shelf(self, shelf: Shelf, book: MemoryStorage, run: UUID) -> None:
        upload = kept(shelf)
        importer = ScriptedImporter([[Begun(run), Finished()]])
        told = Uploads(shelf, importer, Runs(book.imports))

        told.start()
        while upload.directory.exists():  # noqa: ASYNC110  # nobody tells when a directory goes
            await asyncio.sleep(0.01)
        await told.close()

        assert importer.started_for == [upload.key]

    async def test_leave_alone_what_another_process_is_at(self, shelf: Shelf, book: MemoryStorage) -> None:
        claim = kept(shelf).claim()
        assert claim is not None
        importer = ScriptedImporter([])
        told = Uploads(shelf, importer, Runs(book.imports))

        told.start()
        await asyncio.sleep(0.1)
        await told.close()

        assert importer.started_for == []
        assert len(shelf.kept()) == 1
        claim.release()

    async def test_try_again_what_failed_after_it_was_begun_but_not_at_once(
        self, shelf: Shelf, book: MemoryStorage, run: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(uploads, "TEND_S", 0.01)
        monkeypatch.setattr(upload_work, "FIRST_PAUSE_S", 0.3)
        failed = Refused(Unavailable("The disk is full.", code="database_full"))
        importer = ScriptedImporter([[Begun(run), failed], [Begun(run), Finished()]])
        told = Uploads(shelf, importer, Runs(book.imports))
        told.start()

        await self._sent(told, shelf)
        await asyncio.sleep(0.1)
        early = len(importer.started_for)
        while shelf.kept():  # noqa: ASYNC110  # nobody tells when a directory goes
            await asyncio.sleep(0.01)
        await told.close()

        assert (early, len(importer.started_for)) == (1, 2)

    async def test_refuse_more_than_they_can_hold_before_anything_is_received(
        self, shelf: Shelf, book: MemoryStorage, run: UUID
    ) -> None:
        told = Uploads(shelf, ScriptedImporter([[Begun(run), None]] * IN_HAND), Runs(book.imports))
        for number in range(IN_HAND):
            await self._sent(told, shelf, str(number).encode())

        with pytest.raises(Unavailable) as caught:
            await self._sent(told, shelf, b"one more")

        assert (caught.value.code, caught.value.details["retry_after_s"]) == ("imports_busy", 15)
        assert len(shelf.kept()) == IN_HAND
        await told.close()

    async def test_count_an_upload_once_while_it_is_read(self, shelf: Shelf, book: MemoryStorage, run: UUID) -> None:
        importer = ScriptedImporter([[None], [None], [Begun(run), None]])
        told = Uploads(shelf, importer, Runs(book.imports))
        reading = [asyncio.create_task(self._sent(told, shelf, content)) for content in (b"1", b"2")]
        while len(importer.started_for) < len(reading):  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)

        assert await self._sent(told, shelf, b"3") == run

        await told.close()
        assert [type(each) for each in await asyncio.gather(*reading, return_exceptions=True)] == [Unavailable] * 2

    async def test_join_the_same_file_to_the_import_that_it_is(self, shelf: Shelf, book: MemoryStorage, run: UUID) -> None:
        importer = ScriptedImporter([[Begun(run), None]])
        told = Uploads(shelf, importer, Runs(book.imports))
        await self._sent(told, shelf)
        shelf.kept()[0].mark_begun(run)  # as the process does

        assert await self._sent(told, shelf) == run

        assert len(importer.started_for) == 1
        await told.close()

    async def test_stop_a_dry_run_that_nobody_waits_for(self, shelf: Shelf, book: MemoryStorage) -> None:
        told = Uploads(shelf, ScriptedImporter([[None]]), Runs(book.imports))

        async with told.receiving() as incoming:
            incoming.write(b"1")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(told.compare(incoming, SENT), 0.1)
        await told.close()

        assert [path for path in shelf.directory.iterdir() if path.is_dir()] == []


def test_a_process_whose_settings_are_broken_says_nothing_of_the_file(shelf: Shelf) -> None:
    command = [sys.executable, "-m", "ordermill.cli.uploaded", str(kept(shelf).directory)]
    settings = {"ORDERMILL_DATABASE_URL": "sqlite:///book.db", "ORDERMILL_CURRENCY": "no currency"}

    ended = subprocess.run(
        command, env=os.environ | settings, cwd=shelf.directory, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )

    assert (ended.returncode != 0, ended.stdout) == (True, b"")
    assert b"ORDERMILL_CURRENCY" in ended.stderr


def test_nothing_of_the_server_loads_polars() -> None:
    script = "import sys, ordermill.api.app, ordermill.imports.uploads, ordermill.storage.undo, ordermill.storage.imports, "
    script += "ordermill.imports.undo_requests, ordermill.connectors.importer; sys.exit('polars' in sys.modules)"
    said = "from ordermill.schema.setup import configure; from ordermill.config import DatabaseUrl; "
    said += "configure(DatabaseUrl('sqlite:///book.db'), currency='EUR', timezone='UTC'); "

    assert subprocess.run([sys.executable, "-c", said + script], env=os.environ, check=False).returncode == 0
