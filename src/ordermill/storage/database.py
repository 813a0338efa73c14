"""What a database does for us, whichever it is, and how its errors become refusals."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeVar

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ordermill.kit.errors import Conflict, Taken, Unavailable
from ordermill.storage.constraints import violated

T = TypeVar("T")

_INTEGRITY = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)
_FAILURES = (sqlite3.Error, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class Database(Protocol):
    """
    Two doors: look, and change. Both take a function over an open connection; a third one asks a single question.

    The function may be run again from the start (a lost race, a neighbour's failed commit),
    so it must only set, never accumulate, what it leaves in Python.
    """

    embedded: bool

    async def read(self, work: Callable[[Connection], T], /, *, patient: bool = False) -> T:
        """
        Run `work` on a connection that cannot write, in one snapshot.

        Args:
            patient: lift the time limit on statements; for audits, not for requests.

        Raises:
            Unavailable: the database did not answer.
        """
        ...

    async def ask(self, statement: str, parameters: Sequence[Any], /) -> Sequence[Sequence[Any]]:
        """
        Run one SELECT for itself, in this database's own SQL and with its own values, and return all its rows.

        For reads that are asked for all the time: one trip, nothing of SQLAlchemy in between. Everything else is `read`.

        Raises:
            Unavailable: the database did not answer.
        """
        ...

    async def write(self, work: Callable[[Connection], T], /) -> T:
        """
        Run `work` in one transaction and commit it durably.

        Raises:
            Conflict: a guard or constraint refused; nothing is left of it.
            Unavailable: the database failed. The outcome of a commit whose answer was lost is unknown.
        """
        ...

    def load(self) -> dict[str, int]:
        """Return how busy this process's side of it is, by what there is to count; for the metrics."""
        ...

    async def close(self) -> None: ...


def refusal(error: Exception) -> Exception:
    """Translate what SQLAlchemy or a driver raised; anything that is not the database's fault comes back as it is."""
    if isinstance(error, PoolTimeoutError):
        return Unavailable("All database connections are busy; try again in a moment.", code="database_busy")
    cause = origin(error)
    if isinstance(cause, _INTEGRITY):
        name = violated(cause)
        if name is not None and ":" not in name:
            return Taken(name)
        return Conflict(f"The database refused the change ({name or 'a constraint'}).")
    if _busy(cause):
        return Unavailable("Another process keeps the order book to itself; try again in a moment.", code="database_busy")
    if isinstance(cause, _FAILURES) and not isinstance(cause, asyncpg.DataError):
        return Unavailable(f"The database failed: {_first_line(cause)}.", code="database_unavailable")
    return error


def _busy(cause: BaseException) -> bool:
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def refuse(error: Exception) -> NoReturn:
    """Raise what `refusal` makes of an error."""
    translated = refusal(error)
    if translated is error:
        raise error
    raise translated from error


def origin(error: BaseException) -> BaseException:
    """Return the driver's own error: SQLAlchemy wraps it, and its asyncpg adapter wraps it once more."""
    while isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    cause = error.__cause__
    return cause if isinstance(cause, asyncpg.PostgresError | asyncpg.InterfaceError) else error


def _first_line(error: BaseException) -> str:
    # Never more: SQLAlchemy adds the statement and asyncpg a detail, which may hold a person's data.
    text = str(error)
    return text.splitlines()[0][:200].rstrip(".") if text else type(error).__name__
