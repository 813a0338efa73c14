"""A unit of work over a database: reads are awaited, changes gathered, commit is one write."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from ordermill.storage.database import Database
from ordermill.storage.repositories.events import SqlEvents
from ordermill.storage.repositories.orders import SqlOrders
from ordermill.storage.repositories.users import SqlUsers

Change = Callable[[Connection], None]


class SqlUnit:
    """
    One use case's changes, all or nothing.

    A change is a function over the open connection. It carries its guard in its own statement and raises when
    that does not hold; since a unit may be run again, it sets values and never accumulates them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes: list[Change] = []
        self.users = SqlUsers(database, self._changes)
        self.orders = SqlOrders(database, self._changes)
        self.events = SqlEvents(database, self._changes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await self.rollback()

    async def commit(self) -> None:
        changes = tuple(self._changes)
        await self.rollback()
        if changes:
            await self._database.write(lambda connection: _apply(connection, changes))

    async def rollback(self) -> None:
        self._changes.clear()
        for repository in (self.users, self.orders):
            repository.forget()


def _apply(connection: Connection, changes: tuple[Change, ...]) -> None:
    for change in changes:
        change(connection)
