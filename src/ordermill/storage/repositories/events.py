"""The ledger in SQL: rows are added and read, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, insert, select

from ordermill.kit.events import Event, Identified
from ordermill.storage.gathering import Store, Told
from ordermill.storage.tables import EventRow

# One statement for all: one that is built anew for each event costs ten times as much as running it.
_INSERT: Final = insert(EventRow.__table__)
_FACTS: Final = tuple(fact.name for fact in fields(Event))


class SqlEvents:
    """`kit.events.EventLedger`."""

    def __init__(self, store: Store[Connection], told: Told[Connection]) -> None:
        self._store = store
        self._told = told

    async def append(
        self, event: Event, *, user: Identified | None = None, ids: Mapping[str, Identified] | None = None
    ) -> None:
        def write(connection: Connection) -> None:
            if user is not None:
                event.user_id = user.id
            event.data |= {name: one.id for name, one in (ids or {}).items()}
            connection.execute(_INSERT, {name: getattr(event, name) for name in _FACTS})

        self._told.change(write)

    async def of_order(self, order_id: UUID) -> Sequence[Event]:
        return await self._find(select(EventRow).where(EventRow.order_id == order_id).order_by(EventRow.sequence))

    async def recent(self, *, limit: int = 100, type: str | None = None) -> Sequence[Event]:
        query = select(EventRow).order_by(EventRow.id.desc()).limit(limit)
        return await self._find(query if type is None else query.where(EventRow.type == type))

    async def _find(self, query: Select[Any]) -> Sequence[Event]:
        columns = query.with_only_columns(*EventRow.__table__.c)
        return await self._store.read(
            lambda connection: [Event(**row) for row in connection.execute(columns).mappings()]  # the names are the same
        )
