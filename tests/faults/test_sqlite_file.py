"""The embedded file itself: opened as RELIABILITY.md E8 demands or refused with a sentence, and shared with other processes."""

import asyncio
import os
import pwd
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import a_user
from sqlalchemy import Connection, text
from storages import Storage, in_sql

from ordermill.config import DatabaseUrl
from ordermill.kit.errors import ServiceError, Unavailable
from ordermill.storage.sqlite import SqliteDatabase, connect

pytestmark = pytest.mark.anyio

Outcome = Any


@pytest.fixture
async def sqlite(sqlite_book: DatabaseUrl, anyio_backend: str) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(sqlite_book.path)
    yield opened
    await opened.close()


@pytest.fixture
def storage(sqlite: SqliteDatabase) -> Storage:
    return in_sql(sqlite)


async def _emails(storage: Storage) -> list[str]:
    return [email for (email,) in await storage.rows("users", "email")]


class TestConnections:
    """RELIABILITY.md E8."""

    @staticmethod
    def _pragmas(connection: Connection) -> dict[str, Any]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}

    async def test_that_write_are_durable_and_judge_foreign_keys(self, sqlite: SqliteDatabase) -> None:
        expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000, "query_only": 0}

        assert await sqlite.write(self._pragmas) == expected

    async def test_that_read_cannot_write(self, sqlite: SqliteDatabase, storage: Storage) -> None:
        await storage.keep(a_user())

        with pytest.raises(Unavailable, match="readonly"):
            await sqlite.read(lambda connection: connection.execute(text("DELETE FROM users")).rowcount)

        assert (await sqlite.read(self._pragmas))["query_only"] == 1
        assert len(await _emails(storage)) == 1

    async def test_that_read_see_one_snapshot(self, sqlite: SqliteDatabase, storage: Storage) -> None:
        reading, written = threading.Event(), threading.Event()

        def look(connection: Connection) -> tuple[int, int]:
            query = text("SELECT count(*) FROM users")
            before = connection.execute(query).scalar_one()
            reading.set()
            written.wait(10)
            return before, connection.execute(query).scalar_one()

        looked = asyncio.ensure_future(sqlite.read(look))
        await asyncio.to_thread(reading.wait, 10)
        await storage.keep(a_user())
        written.set()

        assert await looked == (0, 0)

    async def test_are_opened_again_after_close(self, sqlite: SqliteDatabase, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com"))
        await sqlite.close()

        await storage.keep(a_user("bob@example.com"))

        assert await _emails(storage) == ["ada@example.com", "bob@example.com"]


async def _refusals(path: Path) -> list[Exception]:
    """Return what reading and writing a file raise."""
    database = SqliteDatabase(str(path))
    work = text("SELECT 1")
    try:
        doors = (database.read(lambda c: c.execute(work).scalar()), database.write(lambda c: c.execute(work).scalar()))
        return [error for error in await asyncio.gather(*doors, return_exceptions=True) if isinstance(error, Exception)]
    finally:
        await database.close()


class TestFileThatIsUnsuitable:
    async def test_because_it_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("Buy tea, and then some more tea. " * 40)

        refusals = await _refusals(tmp_path / "notes.txt")

        sentence = f"The database file '{tmp_path / 'notes.txt'}' cannot be used: file is not a database."
        assert [(type(error), str(error)) for error in refusals] == [(Unavailable, sentence)] * 2
        assert (tmp_path / "notes.txt").read_text().startswith("Buy tea")

    async def test_because_its_directory_is_not_there(self, tmp_path: Path) -> None:
        refusals = await _refusals(tmp_path / "nowhere" / "book.db")

        sentence = f"The database file '{tmp_path / 'nowhere' / 'book.db'}' cannot be opened: unable to open database file."
        assert [(type(error), str(error)) for error in refusals] == [(Unavailable, sentence)] * 2

    async def test_because_its_directory_cannot_be_written(self, sqlite_template: Path, read_only: Path) -> None:
        refusals = await _refusals(read_only / "book.db")

        assert [type(error) for error in refusals] == [Unavailable] * 2
        assert [error.code for error in refusals if isinstance(error, ServiceError)] == ["database_unavailable"] * 2

    def test_because_it_keeps_no_write_ahead_log(self) -> None:
        """The pragma does not fail; it only answers which mode there is."""
        with pytest.raises(Unavailable, match="stays in journal mode 'memory' and cannot keep a write-ahead log"):
            connect(":memory:")

    async def test_and_is_tried_again_once_it_is_right(self, tmp_path: Path, sqlite_template: Path) -> None:
        database = SqliteDatabase(str(tmp_path / "later" / "book.db"))
        with pytest.raises(Unavailable):
            await in_sql(database).keep(a_user())
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "book.db").write_bytes(sqlite_template.read_bytes())

        await in_sql(database).keep(a_user())

        assert await _emails(in_sql(database)) == ["ada@example.com"]
        await database.close()


@pytest.fixture
def read_only(sqlite_template: Path) -> Iterator[Path]:
    """A book in a directory that this process may read and not write; root, who may write anywhere, is somebody else for it."""
    with tempfile.TemporaryDirectory(prefix="ordermill-") as name:
        directory = Path(name)
        (directory / "book.db").write_bytes(sqlite_template.read_bytes())
        (directory / "book.db").chmod(0o444)
        directory.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            yield directory
        finally:
            if root:
                os.seteuid(0)
            directory.chmod(0o755)


IMPORTER = """
import sys, time
from ordermill.storage.sqlite import connect
connection = connect(sys.argv[1])
print("ready", flush=True)
for block in range(int(sys.argv[2])):
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO channels (name, created_at) VALUES (?, '2026-11-22 12:00:00')", [f"block {block}"]
    )
    time.sleep(0.03)
    connection.execute("COMMIT")
    time.sleep(0.01)
"""


class TestAnotherProcess:
    async def test_that_writes_in_blocks_with_a_pause_never_locks_us_out(
        self, sqlite: SqliteDatabase, storage: Storage, sqlite_book: DatabaseUrl
    ) -> None:
        """
        RELIABILITY.md 1.1: the pause lets us in, and we take the write lock before we look.

        Who looks first cannot wait for the lock when the other has committed since, and fails at once.
        """
        blocks = 25
        command = (sys.executable, "-c", IMPORTER, sqlite_book.path, str(blocks))
        importer = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert importer.stdout is not None
        await importer.stdout.readline()
        written = 0

        def look_and_write(connection: Connection) -> None:
            seen = connection.execute(text("SELECT count(*) FROM channels")).scalar_one()
            time.sleep(0.01)
            insert = text("INSERT INTO channels (name, created_at) VALUES (:name, '2026-11-22 12:00:00')")
            connection.execute(insert, {"name": f"ours, after {seen}"})

        while importer.returncode is None:
            await sqlite.write(look_and_write)
            written += 1
            await asyncio.sleep(0.02)

        assert importer.returncode == 0
        assert written > 0
        assert len(await storage.rows("channels", "id")) == blocks + written

    async def test_that_keeps_the_file_to_itself_is_waited_for_and_no_longer(
        self, sqlite_book: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ordermill.storage.sqlite.BUSY_TIMEOUT_S", 0.2)
        database = SqliteDatabase(sqlite_book.path)
        storage = in_sql(database)
        other = sqlite3.connect(sqlite_book.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        results = await asyncio.gather(
            storage.keep(a_user("ada@example.com")), storage.keep(a_user("bob@example.com")), return_exceptions=True
        )
        other.execute("ROLLBACK")
        other.close()
        await storage.keep(a_user("cleo@example.com"))

        assert [getattr(result, "code", None) for result in results] == ["database_busy"] * 2
        assert await _emails(storage) == ["cleo@example.com"]
        await database.close()
