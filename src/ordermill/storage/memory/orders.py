"""Orders with their items in memory."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from ordermill.kit.errors import NotFound, StaleVersion, Taken
from ordermill.kit.text import email_key
from ordermill.orders.model import Order
from ordermill.orders.ports import OrderFilter, Place
from ordermill.storage import entities
from ordermill.storage.entities import Row
from ordermill.storage.gathering import Gathering
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.statistics import counting


class MemoryOrders(Gathering[Order, UUID, Book]):
    """`orders.ports.OrderRepository`."""

    noun = "order"

    async def by_number(self, number: str, *, channel: str | None = None) -> Sequence[Order]:
        return await self.newest(OrderFilter(number=number, channel=channel), limit=100)

    async def newest(self, wanted: OrderFilter, *, limit: int, after: Place | None = None) -> Sequence[Order]:
        return await self._store.read(lambda book: newest(book, wanted, limit=limit, after=after))

    async def require_seen(self, id: UUID, *, by: int) -> None:
        def prove(book: Book) -> None:
            row = book.orders.rows.get(id)
            if row is None or not sees(book, row, by):
                raise NotFound("There is no such order.", code="order_not_found")

        self._told.change(prove)

    async def every(self, wanted: OrderFilter) -> AsyncIterator[Order]:
        def look(book: Book) -> tuple[Book, list[Row]]:
            return book, sorted(_matching(book, wanted), key=lambda row: row["id"])

        book, rows = await self._store.read(look)
        for row in rows:
            yield order(book, row)

    def find(self, book: Book, id: UUID, /) -> Order | None:
        row = book.orders.rows.get(id)
        return None if row is None else order(book, row)

    def page(self, book: Book, /, *, limit: int, after: UUID | None) -> Sequence[Order]:
        ids = sorted(id for id in book.orders.rows if after is None or id > after)[:limit]
        return [order(book, book.orders.rows[id]) for id in ids]

    def insert(self, book: Book, entity: Order, id: UUID | None, /) -> UUID:
        new = entity.id if id is None else id
        if new in book.orders.rows:
            raise Taken("orders_pkey")
        of_imports = {
            **dict.fromkeys(("source_updated_at", "fingerprint", "imported_version", "import_id")),
            "status_set_here": False,
        }
        row = {"id": new, "channel": entity.channel, **entities.order_row(entity), **of_imports}
        with counting(book, new):
            book.put_order(new, row, entities.item_rows(entity))
        return new

    def replace(self, book: Book, entity: Order, expected: int, /) -> None:
        stored = book.orders.rows.get(entity.id)
        if stored is None:
            raise NotFound(f"There is no order {entity.id!s}.")
        if stored["version"] != expected:
            raise StaleVersion(f"The order {entity.id!s}")
        # A status that changes by this way and not by an import is one that later imports leave alone.
        kept = stored["status_set_here"] or stored["status"] != entity.status
        row = {**stored, **entities.order_row(entity), "status_set_here": kept, "version": expected + 1}
        with counting(book, entity.id):
            book.put_order(entity.id, row, entities.item_rows(entity))

    def remove(self, book: Book, id: UUID, /) -> None:
        with counting(book, id):
            book.remove_order(id)


def newest(book: Book, wanted: OrderFilter, *, limit: int, after: Place | None, viewer: int | None = None) -> list[Order]:
    """Return the orders that match and that the viewer sees, latest placed first."""
    rows = [row for row in _matching(book, wanted) if viewer is None or sees(book, row, viewer)]
    behind = [row for row in rows if after is None or _age(row) < after]
    return [order(book, row) for row in sorted(behind, key=_age, reverse=True)[:limit]]


def sees(book: Book, row: Row, viewer: int) -> bool:
    """Whether a user sees an order: `orders.ports.OrderReader`."""
    user = book.users.rows.get(viewer)
    if user is None or row["user_id"] != viewer or not user["is_active"] or user["erased_at"] is not None:
        return False
    return user["email_verified_at"] is not None or bool(row.get("placed_by_customer"))


def _matching(book: Book, wanted: OrderFilter) -> list[Row]:
    plain = {"status": wanted.status, "payment": wanted.payment, "channel": wanted.channel, "number": wanted.number}
    said: dict[str, str | int] = {name: value for name, value in plain.items() if value is not None}
    if wanted.customer is not None:
        said["user_id"] = book.users.owner("users_email_key", email_key(wanted.customer)) or -1
    return [
        row
        for row in book.orders.rows.values()
        if all(row[name] == value for name, value in said.items()) and _placed_within(row["placed_at"], wanted)
    ]


def _placed_within(moment: datetime, wanted: OrderFilter) -> bool:
    early = wanted.placed_from is not None and moment < wanted.placed_from
    late = wanted.placed_to is not None and moment >= wanted.placed_to
    return not (early or late)


def _age(row: Row) -> tuple[datetime, UUID]:
    return row["placed_at"], row["id"]


def order(book: Book, row: Row) -> Order:
    customer = book.users.rows.get(row["user_id"])
    return entities.order({**row, "customer_email": customer and customer["email"]}, book.items[row["id"]])
