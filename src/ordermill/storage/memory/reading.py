"""Orders to be passed on, from memory."""

import json
from uuid import UUID

from ordermill.kit.pages import Page
from ordermill.orders.model import Order
from ordermill.orders.ports import OrderFilter, Place, Seen
from ordermill.orders.shape import order_shape
from ordermill.storage.gathering import Store
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.orders import newest, order, sees


class MemoryOrderReader:
    """`orders.ports.OrderReader`."""

    def __init__(self, store: Store[Book]) -> None:
        self._store = store

    async def one(self, id: UUID, *, viewer: int | None) -> Seen | None:
        def look(book: Book) -> Seen | None:
            row = book.orders.rows.get(id)
            if row is None or (viewer is not None and not sees(book, row, viewer)):
                return None
            return _seen(order(book, row))

        return await self._store.read(look)

    async def page(self, wanted: OrderFilter, *, viewer: int | None, limit: int, behind: Place | None = None) -> Page[Seen]:
        def look(book: Book) -> Page[Seen]:
            found = newest(book, wanted, limit=limit + 1, after=behind, viewer=viewer)
            return Page.cut([_seen(each) for each in found], limit=limit)

        return await self._store.read(look)


def _seen(found: Order) -> Seen:
    body = json.dumps(order_shape(found), ensure_ascii=False, separators=(",", ":")).encode()
    return Seen(body, found.version, Place(found.placed_at, found.id))
