"""
Orders placed in PostgreSQL: one look, and one statement that writes everything and proves what it was decided on.

    look     SELECT …                                     one round trip
    decide   in Python; no transaction is open and no row is locked
    write    WITH kept …, used …, taken …, placed …       one round trip, one transaction of its own

The schema refuses what does not hold any more: a stock below 0, a use without a discount, items without their order, a
second row of a key. Then nothing is left and it is looked at again, so that what comes of it is decided on what is there
now. Where uses are limited per customer, the discount is locked in a statement of its own: a READ COMMITTED statement
counts what was there when it began, not when it got its lock.

All who place or cancel lock rows in one order: key, discount, products by id, figures.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from ordermill.kit.errors import Unavailable
from ordermill.orders.idempotency import Answer, InFlight
from ordermill.orders.placement import Asked, Customer, Known, Placement
from ordermill.storage import catalogue, entities
from ordermill.storage.database import refuse
from ordermill.storage.placing.statements import CHANNEL, FORGET, LOCK_DISCOUNT, LOOK, WRITE, Statement
from ordermill.storage.placing.words import API, FORGOTTEN, MOMENTS, stripe
from ordermill.storage.postgres import GONE, PostgresDatabase

ATTEMPTS: Final = 6
# Somebody else came in between: what was decided on does not hold any more, or PostgreSQL let the other one through.
_OVERTAKEN: Final = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)
_COLUMNS: Final = {
    "products": "product_id",
    "skus": "sku",
    "names": "name",
    "quantities": "quantity",
    "unit_prices": "unit_price",
    "totals": "total",
    "discounts": "discount",
}


class PostgresPlacing:
    """`orders.ports.PlacingStore`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def look(self, asked: Asked) -> Known:
        (found,) = await self._database.ask(LOOK.text, _ordered(LOOK, _question(asked, reserve=False)))
        return _known(found, asked)

    async def place(self, asked: Asked, decide: Callable[[Known], Placement | Answer], /) -> Answer:
        for attempt in range(1, ATTEMPTS + 1):
            writing = False
            try:
                async with self._database.driver() as connection:
                    found = await _look(connection, asked)
                    decided = decide(_known(found, asked))
                    if isinstance(decided, Answer):
                        return decided
                    writing = True
                    return await _write(connection, decided, found, asked)
            except asyncpg.LockNotAvailableError as error:
                raise _waited_too_long(error) from error
            except _OVERTAKEN as error:
                if attempt == ATTEMPTS or getattr(error, "constraint_name", None) == "orders_channel_number":
                    refuse(error)
            except Exception as error:  # noqa: BLE001  # `refuse` raises it again
                # A connection that died while it lay in the pool says so at the first question; nothing was written then.
                if writing or attempt == ATTEMPTS or not isinstance(error, GONE):
                    refuse(error)
            await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311  # jitter, not a secret
        raise AssertionError("the last attempt returns or raises")

    async def forget(self, *, before: datetime) -> int:
        forgotten = 0
        while True:
            try:
                async with self._database.driver() as connection:
                    removed: int = await connection.fetchval(FORGET, before, FORGOTTEN)
            except Exception as error:  # noqa: BLE001  # `refuse` raises it again
                refuse(error)
            forgotten += removed
            if removed < FORGOTTEN:
                return forgotten


async def _look(connection: Any, asked: Asked) -> Any:
    return await connection.fetchrow(LOOK.text, *_ordered(LOOK, _question(asked, reserve=asked.email_key is not None)))


async def _write(connection: Any, placement: Placement, found: Any, asked: Asked) -> Answer:
    body = placement.answer(found["user_id"] if placement.newcomer is None else found["next_user"])
    values = _values(placement, body, email_key=asked.email_key)
    values["channel_id"] = found["channel_id"] or await connection.fetchval(CHANNEL, API, placement.order.placed_at)
    parameters = _ordered(WRITE, values)
    discount = placement.discount
    if discount is None or discount.max_uses_per_customer is None:
        await connection.fetchrow(WRITE.text, *parameters)
    else:
        async with connection.transaction():
            await connection.execute(LOCK_DISCOUNT, discount.id)
            await connection.fetchrow(WRITE.text, *parameters)
    return Answer(body)


def _question(asked: Asked, *, reserve: bool) -> dict[str, Any]:
    once = asked.once
    return {
        "products": asked.product_ids,
        "reserve": reserve,
        "channel": API,
        "user_id": asked.user_id,
        "email_key": asked.email_key,
        "discount_code": asked.discount_code,
        "principal": once and once.principal,
        "route": once and once.route,
        "key": once and once.key,
    }


def _known(found: Any, asked: Asked) -> Known:
    customer = None
    if found["user_id"] is not None:
        customer = Customer(id=found["user_id"], email=found["email"], may_order=found["may_order"])
    answered = asked.once is not None and found["fingerprint"] is not None
    return Known(
        products={row["id"]: catalogue.product(_timed(row)) for row in orjson.loads(found["products"] or "[]")},
        customer=customer,
        discount=None if found["discount"] is None else catalogue.discount(_timed(orjson.loads(found["discount"]))),
        used=found["used"],
        answer=asked.once.recall(found["fingerprint"], found["answer"]) if asked.once is not None and answered else None,
    )


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    for name in MOMENTS:
        if row.get(name) is not None:
            row[name] = datetime.fromisoformat(row[name])
    return row


def _values(placement: Placement, body: str, *, email_key: str | None) -> dict[str, Any]:
    order, event, once, newcomer = placement.order, placement.event, placement.once, placement.newcomer
    row, items = entities.order_row(order), entities.item_rows(order)
    buckets = placement.figures
    return {
        **row,
        **{name: [item[column] for item in items] for name, column in _COLUMNS.items()},
        "price_scale": items[0]["price_scale"],
        "order_id": order.id,
        "placed_by_customer": placement.placed_by_customer,
        "at": order.placed_at,
        "actor": event.actor,
        "shipping_address": orjson.dumps(row["shipping_address"]).decode(),
        "billing_address": orjson.dumps(row["billing_address"]).decode(),
        "principal": once and once.principal,
        "route": once and once.route,
        "key": once and once.key,
        "fingerprint": once and once.fingerprint,
        "body": body,
        "discount_id": placement.discount and placement.discount.id,
        "discount_version": placement.discount and placement.discount.version,
        "email": newcomer and newcomer.email,
        "email_key": email_key,
        "name": newcomer and newcomer.name,
        "event_id": event.id,
        "event_type": event.type,
        "event_data": orjson.dumps(event.data).decode(),
        "stripe": stripe(order.id),
        "hours": [bucket.hour for bucket in buckets],
        "counts": [figures.count for figures in buckets.values()],
        "sums": [figures.total for figures in buckets.values()],
    }


def _ordered(statement: Statement, values: dict[str, Any]) -> list[Any]:
    return [values[name] for name in statement.names]


def _waited_too_long(error: asyncpg.LockNotAvailableError) -> Exception:
    # PostgreSQL says where it waited: for another row of the same key, or for somebody else's order of the same thing.
    if "idempotency_keys" in (error.context or ""):
        return InFlight()
    return Unavailable("Too many are changing the same thing at this moment; try again soon.", code="database_busy")
