"""Counts of attempts in SQL: looked at and written under locks, so that no two attempts see the same count."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Connection, delete, func, select

from ordermill.accounts.throttle_rules import Tally
from ordermill.accounts.throttles import Changes
from ordermill.storage.database import Database
from ordermill.storage.statements import upsert
from ordermill.storage.tables import ThrottleRow

T = TypeVar("T")

# Of one sweep: it holds its locks no longer than a request may wait.
_SWEPT: Final = 10_000


class SqlThrottles:
    """`accounts.throttles.ThrottleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(self, keys: Sequence[str], decide: Callable[[Mapping[str, Tally]], tuple[Changes, T]]) -> T:
        # Everybody takes their locks in the same order, so that nobody waits in a circle.
        ordered = sorted(keys)

        def work(connection: Connection) -> T:
            changes, answer = decide(_locked(connection, ordered))
            _write(connection, changes)
            return answer

        return await self._database.write(work)

    async def sweep(self, *, now: datetime) -> None:
        over = select(ThrottleRow.key).where(ThrottleRow.until <= now).order_by(ThrottleRow.until).limit(_SWEPT)
        # Asked again, for a count may have begun anew meanwhile.
        statement = delete(ThrottleRow).where(ThrottleRow.key.in_(over), ThrottleRow.until <= now)
        await self._database.write(lambda connection: connection.execute(statement))


def _locked(connection: Connection, keys: Sequence[str]) -> dict[str, Tally]:
    if connection.dialect.name != "sqlite":
        # Locks of rows would not do, for the row of a first attempt is not there yet. They last until the commit.
        connection.execute(select(*(func.pg_advisory_xact_lock(_number(key)) for key in keys)))
    query = select(*ThrottleRow.__table__.c).where(ThrottleRow.key.in_(keys))
    return {row.key: Tally(row.failures, row.since, row.until) for row in connection.execute(query)}


def _number(key: str) -> int:
    return int.from_bytes(bytes.fromhex(key)[:8], signed=True)


def _write(connection: Connection, changes: Changes) -> None:
    gone = sorted(key for key, tally in changes.items() if tally is None)
    if gone:
        connection.execute(delete(ThrottleRow).where(ThrottleRow.key.in_(gone)))
    kept = [{"key": key, **asdict(tally)} for key, tally in sorted(changes.items()) if tally is not None]
    if kept:
        statement = upsert(connection, ThrottleRow)
        written = {name: statement.excluded[name] for name in ("failures", "since", "until")}
        connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=written), kept)
