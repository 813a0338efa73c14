"""
The embedded database: one writer thread that groups commits, and readers beside it.

    unit ─┐                      ┌ SAVEPOINT unit … RELEASE ┐
    unit ─┼─> queue ─> BEGIN     ┼ SAVEPOINT unit … RELEASE ┼ COMMIT (one fsync for all)
    unit ─┘            IMMEDIATE └ SAVEPOINT unit … RELEASE ┘

A unit that is refused is rolled back to its savepoint and its neighbours do not notice. When the COMMIT itself
fails (deferred foreign keys are checked there) the group is run again, one transaction each, so that only the
guilty one fails.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, NullPool, PoolProxiedConnection, QueuePool, create_engine
from sqlalchemy.exc import DBAPIError

from ordermill.kit.errors import Unavailable
from ordermill.storage.database import refusal, refuse

T = TypeVar("T")

# Groups beyond this gain nothing (the fsync is shared out already) and make the first member wait.
GROUP_LIMIT: Final = 64
READERS: Final = 4
BUSY_TIMEOUT_S: Final = 5
# Recursive triggers are what lets the ledger refuse an INSERT OR REPLACE; see the migration of its triggers.
_PRAGMAS: Final = ("synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "temp_store=MEMORY", "cache_size=-32768")


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    future: "Future[Any]" = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase:
    """One SQLite file. Writers of other processes are waited for; within this one there is only one."""

    embedded = True

    def __init__(self, path: str) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._reading = _engine(lambda: connect(path, readonly=True), pooled=True)

    async def read(self, work: Callable[[Connection], T], /, *, patient: bool = False) -> T:  # noqa: ARG002  # no time limit here
        return await asyncio.get_running_loop().run_in_executor(self._reader_threads(), self._look, work)

    async def ask(self, statement: str, parameters: Sequence[Any], /) -> Sequence[Sequence[Any]]:
        return await asyncio.get_running_loop().run_in_executor(self._reader_threads(), self._answer, statement, parameters)

    async def write(self, work: Callable[[Connection], T], /) -> T:
        if self._writer is None:
            self._writer = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
            self._writer.start()
        job = _Job(work)
        self._jobs.put(job)
        result: T = await asyncio.wrap_future(job.future)
        return result

    def load(self) -> dict[str, int]:
        return {"writes_waiting": self._jobs.qsize()}

    async def close(self) -> None:
        if self._writer is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._writer.join)
            self._writer = None
        if self._readers is not None:
            await asyncio.to_thread(self._readers.shutdown)
            self._readers = None
        self._reading.dispose()

    def _reader_threads(self) -> ThreadPoolExecutor:
        if self._readers is None:
            self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        return self._readers

    def _answer(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        try:
            lent = self._reading.raw_connection()
            try:
                rows: Sequence[Sequence[Any]] = _raw(lent).execute(statement, parameters).fetchall()
                return rows
            finally:
                lent.close()
        except Exception as error:  # noqa: BLE001  # `refuse` raises it again
            refuse(error)

    def _look(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._reading.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                try:
                    return work(connection)
                finally:
                    connection.exec_driver_sql("ROLLBACK")
        except Exception as error:  # noqa: BLE001  # `refuse` raises it again
            refuse(error)

    def _run(self) -> None:
        engine = _engine(lambda: connect(self._path), pooled=False)
        connection: Connection | None = None
        while (job := self._jobs.get()) is not None:
            group = self._group(job)
            try:
                connection = connection or engine.connect()
                _commit(connection, group)
            except Exception as error:  # noqa: BLE001  # somebody is waiting for each answer
                _fail(group, error)
            _settle(group)
        if connection is not None:
            connection.close()
        engine.dispose()

    def _group(self, first: _Job) -> list[_Job]:
        """Take what else is waiting, as far as one transaction should hold it; nobody waits any more for what was cancelled."""
        group = [first]
        while len(group) < GROUP_LIMIT and not self._jobs.empty():
            following = self._jobs.get()
            if following is None:
                self._jobs.put(None)
                break
            group.append(following)
        return [job for job in group if job.future.set_running_or_notify_cancel()]


def _commit(connection: Connection, group: list[_Job]) -> None:
    """Run a group in one transaction; fall back to one transaction each when the group cannot stand together."""
    if not group:
        return
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        if len(group) == 1:
            _run_alone(connection, group[0])
            return
        if all(_run_in_savepoint(connection, job) for job in group):
            connection.exec_driver_sql("COMMIT")
            return
    except DBAPIError as error:
        begun = _undo(connection)
        if len(group) == 1 or not begun:
            _fail(group, error)
            return
    if len(group) > 1:
        for job in group:
            # Also those that were refused: what stood in their way may be what is undone now.
            job.error = None
            _commit(connection, [job])


def _run_alone(connection: Connection, job: _Job) -> None:
    """Run one unit that has the transaction to itself: a savepoint would cost a batch of an import a third of its speed."""
    try:
        job.result = job.work(connection)
    except BaseException as error:  # noqa: BLE001  # it is handed to whoever waits for this unit; the writer lives on
        job.error = error
        _undo(connection)
    else:
        connection.exec_driver_sql("COMMIT")


def _run_in_savepoint(connection: Connection, job: _Job) -> bool:
    """Run one unit; False when its failure took the whole transaction with it, as a full disk does."""
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        job.result = job.work(connection)
    except BaseException as error:  # noqa: BLE001  # it is handed to whoever waits for this unit; the writer lives on
        job.error = error
        if not _driver(connection).in_transaction:
            return False
        connection.exec_driver_sql("ROLLBACK TO unit")
    connection.exec_driver_sql("RELEASE unit")
    return True


def _undo(connection: Connection) -> bool:
    """Roll back; False when no transaction had begun, since another process kept the file to itself."""
    if not _driver(connection).in_transaction:
        return False
    connection.exec_driver_sql("ROLLBACK")
    return True


def _fail(group: list[_Job], error: BaseException) -> None:
    for job in group:
        job.error = job.error or error


def _settle(group: list[_Job]) -> None:
    for job in group:
        if job.error is None:
            job.future.set_result(job.result)
        else:
            translated = refusal(job.error) if isinstance(job.error, Exception) else job.error
            if translated is not job.error:
                translated.__cause__ = job.error
            job.future.set_exception(translated)


def _driver(connection: Connection) -> sqlite3.Connection:
    return _raw(connection.connection)


def _raw(lent: PoolProxiedConnection) -> sqlite3.Connection:
    raw: Any = lent.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101  # for the type checker: the engine below makes nothing else
    return raw


def _engine(creator: Callable[[], sqlite3.Connection], *, pooled: bool) -> Engine:
    # AUTOCOMMIT: SQLAlchemy then leaves BEGIN and COMMIT to us. The sqlite3 module would begin too late (no
    # transaction for SELECT, DEFERRED for writes), which loses updates without a word: RELIABILITY.md 1.1.
    options: dict[str, Any] = {"poolclass": QueuePool, "pool_size": READERS} if pooled else {"poolclass": NullPool}
    return create_engine(
        "sqlite://", creator=creator, isolation_level="AUTOCOMMIT", hide_parameters=True, pool_reset_on_return=None, **options
    )


def connect(path: str, *, readonly: bool = False) -> sqlite3.Connection:
    """
    Open the file as every part of Ordermill must (RELIABILITY.md E8).

    Raises:
        Unavailable: the file cannot be opened, or does not keep a write-ahead log.
    """
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise Unavailable(f"The database file {path!r} cannot be opened: {error}.", code="database_unavailable") from error
    try:
        _prepare(connection, path, readonly=readonly)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: str, *, readonly: bool) -> None:
    try:
        # The pragma reports failure only by the mode it returns.
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if readonly:
            connection.execute("PRAGMA query_only=ON")
    except sqlite3.Error as error:
        raise Unavailable(f"The database file {path!r} cannot be used: {error}.", code="database_unavailable") from error
    if mode != "wal":
        raise Unavailable(
            f"The database file {path!r} stays in journal mode {mode!r} and cannot keep a write-ahead log; "
            "move it to a local disk that the process may write to.",
            code="database_unavailable",
        )
