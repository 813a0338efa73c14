"""Orders placed in memory: look, decide and write over one draft of the book."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from ordermill.orders.idempotency import Answer
from ordermill.orders.placement import Asked, Customer, Known, Placement
from ordermill.storage import catalogue, entities
from ordermill.storage.gathering import Store
from ordermill.storage.memory import answers
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.holdings import move_stock, move_uses
from ordermill.storage.memory.statistics import counting


class MemoryPlacing:
    """`orders.ports.PlacingStore`."""

    def __init__(self, store: Store[Book]) -> None:
        self._store = store

    async def look(self, asked: Asked) -> Known:
        return await self._store.read(lambda book: _look(book, asked))

    async def place(self, asked: Asked, decide: Callable[[Known], Placement | Answer], /) -> Answer:
        def work(book: Book) -> Answer:
            decided = decide(_look(book, asked))
            return decided if isinstance(decided, Answer) else _write(book, decided)

        return await self._store.write(work)

    async def forget(self, *, before: datetime) -> int:
        def work(book: Book) -> int:
            old = [key for key, row in book.idempotency_keys.rows.items() if row["created_at"] < before]
            for key in old:
                book.idempotency_keys.remove(key)
            return len(old)

        return await self._store.write(work)


def _look(book: Book, asked: Asked) -> Known:
    rows = [book.products.rows[id] for id in asked.product_ids if id in book.products.rows]
    customer = _customer(book, asked)
    discount = book.discounts.rows.get(book.discounts.owner("discounts_code", asked.discount_code) or 0)
    used = 0
    if discount is not None and customer is not None:
        uses = book.discount_uses.rows.values()
        used = sum((use["discount_id"], use["user_id"]) == (discount["id"], customer.id) for use in uses)
    return Known(
        products={row["id"]: catalogue.product(row) for row in rows},
        customer=customer,
        discount=None if discount is None else catalogue.discount(discount),
        used=used,
        answer=None if asked.once is None else answers.kept(book, asked.once),
    )


def _customer(book: Book, asked: Asked) -> Customer | None:
    id = asked.user_id if asked.email_key is None else book.users.owner("users_email_key", asked.email_key)
    row = book.users.rows.get(id or 0)
    if row is None or (asked.user_id is None and row["erased_at"] is not None):
        return None
    return Customer(id=row["id"], email=row["email"], may_order=row["is_active"] and row["erased_at"] is None)


def _write(book: Book, placement: Placement) -> Answer:
    order, at = placement.order, placement.order.placed_at
    if placement.newcomer is not None:
        order.customer_id = book.new_user_id()
        book.users.insert(order.customer_id, {"id": order.customer_id, **entities.user_row(placement.newcomer)})
    body = placement.answer(order.customer_id)
    if placement.discount is not None and placement.discount.id is not None:
        move_uses(book, placement.discount.id, +1)
        use = {"order_id": order.id, "discount_id": placement.discount.id, "user_id": order.customer_id, "at": at}
        book.discount_uses.insert(order.id, use)
    for product, quantity in placement.taken:
        move_stock(book, (product, -quantity, "order"), order=order.id, actor=placement.event.actor, at=at)
    of_imports = dict.fromkeys(("source_updated_at", "fingerprint", "imported_version", "import_id"))
    row = {"id": order.id, "channel": order.channel, **entities.order_row(order), **of_imports, "status_set_here": False}
    with counting(book, order.id):
        book.put_order(order.id, {**row, "placed_by_customer": placement.placed_by_customer}, entities.item_rows(order))
    book.add_event({**asdict(placement.event), "data": json.dumps(placement.event.data)})
    if placement.once is not None:
        answers.keep(book, placement.once, body, at=at)
    return Answer(body)
