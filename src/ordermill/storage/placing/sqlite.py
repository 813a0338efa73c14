"""
Orders placed in the embedded database: look, decide and write in one turn of the writer thread.

The writer has the only transaction there is, so nothing can come in between and no guard needs to be asked twice; what
the schema's constraints say holds all the same.
"""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from ordermill.kit.events import Event
from ordermill.orders.idempotency import Answer, Once
from ordermill.orders.model import Order
from ordermill.orders.placement import Asked, Customer, Known, Placement
from ordermill.storage import catalogue, entities
from ordermill.storage.database import Database
from ordermill.storage.placing.words import API, FORGOTTEN, MOMENTS, stripe
from ordermill.storage.types import text_of

_PRODUCTS: Final = "id, sku, name, price, currency, stock, is_active, created_at, version"
_DISCOUNT: Final = (
    "id, code, kind, value, currency, starts_at, ends_at, minimum, max_uses, max_uses_per_customer, uses, is_active, "
    "created_at, version"
)
_CUSTOMER: Final = "SELECT id, email, is_active AND erased_at IS NULL FROM users"
_FORGET: Final = """
DELETE FROM idempotency_keys
WHERE rowid IN (SELECT rowid FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)
"""


class SqlitePlacing:
    """`orders.ports.PlacingStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, asked: Asked) -> Known:
        return await self._database.read(lambda connection: _look(_driver(connection), asked))

    async def place(self, asked: Asked, decide: Callable[[Known], Placement | Answer], /) -> Answer:
        def work(connection: Connection) -> Answer:
            raw = _driver(connection)
            decided = decide(_look(raw, asked))
            return decided if isinstance(decided, Answer) else _write(raw, decided)

        return await self._database.write(work)

    async def forget(self, *, before: datetime) -> int:
        moment, forgotten = text_of(before), 0
        while True:
            # A transaction for each stretch, so that orders get their turn in between.
            removed = await self._database.write(
                lambda connection: _driver(connection).execute(_FORGET, (moment, FORGOTTEN)).rowcount
            )
            forgotten += removed
            if removed < FORGOTTEN:
                return forgotten


def _driver(connection: Connection) -> sqlite3.Connection:
    raw: Any = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101  # for the type checker: the embedded database has no other
    return raw


def _look(raw: sqlite3.Connection, asked: Asked) -> Known:
    marks = ", ".join("?" * len(asked.product_ids))
    products = _rows(raw, f"SELECT {_PRODUCTS} FROM products WHERE id IN ({marks})", asked.product_ids)  # noqa: S608  # ours
    customer = _customer(raw, asked)
    discount = _discount(raw, asked)
    used = 0
    if discount is not None and discount["max_uses_per_customer"] is not None and customer is not None:
        counted = "SELECT count(*) FROM discount_uses WHERE discount_id = ? AND user_id = ?"
        (used,) = raw.execute(counted, (discount["id"], customer.id)).fetchone()
    return Known(
        products={row["id"]: catalogue.product(row) for row in products},
        customer=customer,
        discount=None if discount is None else catalogue.discount(discount),
        used=used,
        answer=None if asked.once is None else _answer(raw, asked.once),
    )


def _customer(raw: sqlite3.Connection, asked: Asked) -> Customer | None:
    if asked.user_id is not None:
        found = raw.execute(f"{_CUSTOMER} WHERE id = ?", (asked.user_id,)).fetchone()
    elif asked.email_key is not None:
        found = raw.execute(f"{_CUSTOMER} WHERE email_key = ? AND erased_at IS NULL", (asked.email_key,)).fetchone()
    else:
        return None
    return None if found is None else Customer(id=found[0], email=found[1], may_order=bool(found[2]))


def _discount(raw: sqlite3.Connection, asked: Asked) -> dict[str, Any] | None:
    if asked.discount_code is None:
        return None
    found = _rows(raw, f"SELECT {_DISCOUNT} FROM discounts WHERE code = ?", (asked.discount_code,))  # noqa: S608  # ours
    return found[0] if found else None


def _rows(raw: sqlite3.Connection, query: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    cursor = raw.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor]
    for row in rows:
        for name in MOMENTS:
            if row.get(name) is not None:
                row[name] = datetime.fromisoformat(row[name]).replace(tzinfo=UTC)
        row["is_active"] = bool(row["is_active"])
    return rows


def _answer(raw: sqlite3.Connection, once: Once) -> Answer | None:
    asked = "SELECT fingerprint, answer FROM idempotency_keys WHERE principal = ? AND route = ? AND key = ?"
    found = raw.execute(asked, (once.principal, once.route, once.key)).fetchone()
    return None if found is None else once.recall(*found)


def _write(raw: sqlite3.Connection, placement: Placement) -> Answer:
    order = placement.order
    at = text_of(order.placed_at)
    if placement.newcomer is not None:
        order.customer_id = _insert(raw, "users", {**entities.user_row(placement.newcomer), "created_at": at})
    body = placement.answer(order.customer_id)
    _take_discount(raw, placement, at=at)
    _take_stock(raw, placement, at=at)
    _insert_order(raw, order, at=at, own=placement.placed_by_customer)
    _insert_event(raw, placement.event, at=at)
    _count(raw, placement)
    if placement.once is not None:
        once = placement.once
        row = {"principal": once.principal, "route": once.route, "key": once.key, "fingerprint": once.fingerprint}
        _insert(raw, "idempotency_keys", {**row, "answer": body, "created_at": at})
    return Answer(body)


def _take_discount(raw: sqlite3.Connection, placement: Placement, *, at: str) -> None:
    discount, order = placement.discount, placement.order
    if discount is not None:
        raw.execute("UPDATE discounts SET uses = uses + 1 WHERE id = ?", (discount.id,))
        row = {"order_id": order.id.hex, "discount_id": discount.id, "user_id": order.customer_id, "at": at}
        _insert(raw, "discount_uses", row)


def _take_stock(raw: sqlite3.Connection, placement: Placement, *, at: str) -> None:
    order_id, actor = placement.order.id.hex, placement.event.actor
    moved = (
        "INSERT INTO stock_movements (product_id, change, kind, order_id, actor, at) "
        "SELECT id, ?, 'order', ?, ?, ? FROM products WHERE id = ? AND stock IS NOT NULL"
    )
    raw.executemany(moved, [(-quantity, order_id, actor, at, product) for product, quantity in placement.taken])
    taken = "UPDATE products SET stock = stock - ? WHERE id = ? AND stock IS NOT NULL"
    raw.executemany(taken, [(quantity, product) for product, quantity in placement.taken])


def _insert_order(raw: sqlite3.Connection, order: Order, *, at: str, own: bool) -> None:
    row = {
        **entities.order_row(order),
        "id": order.id.hex,
        "channel_id": _channel(raw, at=at),
        "placed_by_customer": own,
        "status_set_here": False,
        "placed_at": at,
        "updated_at": at,
    }
    for address in ("shipping_address", "billing_address"):
        row[address] = orjson.dumps(row[address]).decode()
    _insert(raw, "orders", row)
    items = [{**item, "order_id": order.id.hex} for item in entities.item_rows(order)]
    raw.executemany(_statement("order_items", tuple(items[0])), [tuple(item.values()) for item in items])


def _insert_event(raw: sqlite3.Connection, event: Event, *, at: str) -> None:
    row = {
        "id": event.id.hex,
        "type": event.type,
        "at": at,
        "actor": event.actor,
        "order_id": None if event.order_id is None else event.order_id.hex,
        "sequence": event.sequence,
        "data": orjson.dumps(event.data).decode(),
    }
    _insert(raw, "events", row)


def _count(raw: sqlite3.Connection, placement: Placement) -> None:
    counted = (
        "INSERT INTO statistics_hours (hour, currency, stripe, count, total, refunded) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (hour, currency, stripe) DO UPDATE SET count = count + excluded.count, total = total + excluded.total"
    )
    place = stripe(placement.order.id)
    for bucket, figures in placement.figures.items():
        raw.execute(counted, (text_of(bucket.hour), bucket.currency, place, figures.count, figures.total, figures.refunded))


def _channel(raw: sqlite3.Connection, *, at: str) -> int:
    found = raw.execute("SELECT id FROM channels WHERE name = ?", (API,)).fetchone()
    return _insert(raw, "channels", {"name": API, "created_at": at}) if found is None else int(found[0])


def _insert(raw: sqlite3.Connection, table: str, row: dict[str, Any]) -> int:
    return raw.execute(_statement(table, tuple(row)), tuple(row.values())).lastrowid or 0


_STATEMENTS: Final[dict[tuple[str, tuple[str, ...]], str]] = {}


def _statement(table: str, columns: tuple[str, ...]) -> str:
    """Return the INSERT for these columns, the same object each time: the driver finds its prepared statement by it."""
    known = _STATEMENTS.get((table, columns))
    if known is None:
        marks = ", ".join("?" * len(columns))
        known = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  # names are ours
        _STATEMENTS[table, columns] = known
    return known
