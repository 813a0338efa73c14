"""An embedded book with others at it: a writer that does not let go for long, and a place where locks do not hold."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from builders import NOON, a_batch, a_file, sold

from ordermill.bootstrap import open_services
from ordermill.config import DatabaseUrl, load
from ordermill.kit.errors import Unavailable
from ordermill.operations import machine


@pytest.mark.anyio
class TestAnImport:
    async def test_outwaits_a_writer_that_holds_the_book_longer_than_others_would_wait(
        self, sqlite_book: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ordermill.storage.sqlite.BUSY_TIMEOUT_S", 0.1)
        other = sqlite3.connect(sqlite_book.path, isolation_level=None)
        async with open_services(load(database_url=sqlite_book.secret_url)) as services:
            run = await services.runs.begin(a_file(), at=NOON, actor="import")
            other.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(0.3, other.execute, "ROLLBACK")

            loaded = await services.runs.load(run, a_batch(sold("1", ("TEA-1", 1, 450))), at=NOON)

            assert loaded is not None
            assert run.checkpoint == 1
        other.close()


@pytest.mark.anyio
class TestANetworkFileSystem:
    async def test_is_refused_before_anything_is_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        mounts = tmp_path / "mountinfo"
        mounts.write_text("26 1 0:44 / / rw - nfs4 files:/ rw\n")
        monkeypatch.setattr(machine, "MOUNTS", mounts)
        book = tmp_path / "book.db"

        with pytest.raises(Unavailable) as caught:
            async with open_services(load(database_url=f"sqlite:///{book}"), create=True):
                pass

        assert caught.value.code == "network_file_system"
        assert "nfs4" in caught.value.message
        assert not book.exists()
