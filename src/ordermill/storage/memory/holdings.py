"""What placed orders hold, in memory: taken by placing, given back by cancelling."""

from datetime import datetime
from uuid import UUID

from ordermill.storage.gathering import Store, Told
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.checks import check_discount, check_product, check_stock_movement


class MemoryHoldings:
    """`orders.ports.Holdings`."""

    def __init__(self, store: Store[Book], told: Told[Book]) -> None:
        self._store = store
        self._told = told

    async def release(self, order_id: UUID, *, actor: str, at: datetime) -> None:
        self._told.change(lambda book: _release(book, order_id, actor=actor, at=at))


def _release(book: Book, order: UUID, *, actor: str, at: datetime) -> None:
    use = book.discount_uses.rows.get(order)
    if use is not None:
        book.discount_uses.remove(order)
        move_uses(book, use["discount_id"], -1)
    taken = [row for row in book.stock_movements.rows.values() if (row["order_id"], row["kind"]) == (order, "order")]
    for row in sorted(taken, key=lambda row: row["product_id"]):
        move_stock(book, (row["product_id"], -row["change"], "cancel"), order=order, actor=actor, at=at)


def move_uses(book: Book, discount: int, change: int) -> None:
    """Count one use more or less."""
    stored = book.discounts.rows[discount]
    row = {**stored, "uses": stored["uses"] + change}
    check_discount(row)
    book.discounts.replace(discount, row)


def move_stock(book: Book, moved: tuple[int, int, str], *, order: UUID, actor: str, at: datetime) -> None:
    """Move the stock of a product by so much, with a movement of this kind; nothing where it is not tracked."""
    product, change, kind = moved
    stored = book.products.rows.get(product)
    if stored is None or stored["stock"] is None:
        return
    movement = {"product_id": product, "change": change, "kind": kind, "order_id": order, "actor": actor, "at": at}
    check_stock_movement(movement)
    book.add_numbered(book.stock_movements, movement)
    row = {**stored, "stock": stored["stock"] + change}
    check_product(row)
    book.products.replace(product, row)
