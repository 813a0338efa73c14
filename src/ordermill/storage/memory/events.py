"""The ledger in memory: events are added and read, never changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from ordermill.kit.events import Event, Identified
from ordermill.storage.entities import Row
from ordermill.storage.gathering import Store, Told
from ordermill.storage.memory.book import Book


class MemoryEvents:
    """`kit.events.EventLedger`."""

    def __init__(self, store: Store[Book], told: Told[Book]) -> None:
        self._store = store
        self._told = told

    async def append(
        self, event: Event, *, user: Identified | None = None, ids: Mapping[str, Identified] | None = None
    ) -> None:
        def write(book: Book) -> None:
            if user is not None:
                event.user_id = user.id
            event.data |= {name: one.id for name, one in (ids or {}).items()}
            book.add_event({**asdict(event), "data": json.dumps(event.data)})

        self._told.change(write)

    async def of_order(self, order_id: UUID) -> Sequence[Event]:
        def look(book: Book) -> list[Row]:
            return [row for row in book.events.rows.values() if row["order_id"] == order_id]

        return sorted(map(_event, await self._store.read(look)), key=lambda event: event.sequence or 0)

    async def recent(self, *, limit: int = 100, type: str | None = None) -> Sequence[Event]:
        def look(book: Book) -> list[Row]:
            return [row for row in book.events.rows.values() if type in {None, row["type"]}]

        latest = sorted(await self._store.read(look), key=lambda row: row["id"], reverse=True)
        return [_event(row) for row in latest[:limit]]


def _event(row: Row) -> Event:
    return Event(**{**row, "data": json.loads(row["data"])})
