"""Payments and refunds in memory: added and read, never changed."""

from collections.abc import Sequence
from typing import ClassVar, Literal
from uuid import UUID

from ordermill.orders.model import Movement
from ordermill.storage import entities
from ordermill.storage.gathering import Store, Told
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.statistics import counting


class MemoryPayments:
    """`orders.ports.Movements`, of money received."""

    table: ClassVar[Literal["payments", "refunds"]] = "payments"

    def __init__(self, store: Store[Book], told: Told[Book]) -> None:
        self._store = store
        self._told = told

    async def append(self, movement: Movement) -> None:
        self._told.change(lambda book: self.insert(book, movement))

    async def of_order(self, order_id: UUID) -> Sequence[Movement]:
        def look(book: Book) -> list[Movement]:
            rows = getattr(book, self.table).get(order_id, ())
            return [entities.movement(row, currency=book.orders.rows[order_id]["currency"]) for row in rows]

        return sorted(await self._store.read(look), key=lambda movement: (movement.at, movement.id))

    def insert(self, book: Book, movement: Movement) -> None:
        book.add_movement(self.table, entities.movement_row(movement))


class MemoryRefunds(MemoryPayments):
    """`orders.ports.Movements`, of money given back."""

    table = "refunds"

    def insert(self, book: Book, movement: Movement) -> None:
        with counting(book, movement.order_id):
            super().insert(book, movement)
