"""An embedded book with others at it: a writer that does not let go for long, and a place where locks do not hold."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from builders import NOON, a_batch, a_file, sold

from ordermill.bootstrap import connect, open_services, prepare
from ordermill.config import DatabaseUrl, load
from ordermill.kit.errors import Unavailable
from ordermill.operations import machine
from ordermill.storage.imports import SqlImports


@pytest.mark.anyio
class TestAnImport:
    async def test_outwaits_a_writer_that_holds_the_book_longer_than_others_would_wait(
        self, sqlite_book: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ordermill.storage.sqlite.BUSY_TIMEOUT_S", 0.1)
        other = sqlite3.connect(sqlite_book.path, isolation_level=None)
        database = connect(sqlite_book)
        store = SqlImports(database)
        run = await store.begin(a_file(), at=NOON, actor="import")
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.3, other.execute, "ROLLBACK")

        loaded = await store.load(run, a_batch(sold("1", ("TEA-1", 1, 450))), at=NOON)

        assert loaded is not None
        assert run.checkpoint == 1
        await database.close()
        other.close()


class TestANetworkFileSystem:
    @pytest.fixture(autouse=True)
    def mounted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        mounts = tmp_path / "mountinfo"
        mounts.write_text("26 1 0:44 / / rw - nfs4 files:/ rw\n")
        monkeypatch.setattr(machine, "MOUNTS", mounts)

    def test_gets_no_book_by_migrating_either(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable) as caught:
            prepare(DatabaseUrl(f"sqlite:///{tmp_path / 'book.db'}"))

        assert caught.value.code == "network_file_system"
        assert not (tmp_path / "book.db").exists()

    @pytest.mark.anyio
    async def test_is_refused_before_anything_is_written(self, tmp_path: Path) -> None:
        book = tmp_path / "book.db"

        with pytest.raises(Unavailable) as caught:
            async with open_services(load(database_url=f"sqlite:///{book}"), create=True):
                pass

        assert caught.value.code == "network_file_system"
        assert "nfs4" in caught.value.message
        assert not book.exists()
