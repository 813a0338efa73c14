"""Payments and refunds in SQL: rows are added and read, never changed."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Connection, insert, select

from ordermill.orders.model import Movement
from ordermill.storage import entities
from ordermill.storage.gathering import Store, Told
from ordermill.storage.statistics import counting
from ordermill.storage.tables import OrderRow, PaymentRow, RefundRow


class SqlPayments:
    """`orders.ports.Movements`, of money received."""

    row: ClassVar[type[Any]] = PaymentRow

    def __init__(self, store: Store[Connection], told: Told[Connection]) -> None:
        self._store = store
        self._told = told

    async def append(self, movement: Movement) -> None:
        self._told.change(lambda connection: self.insert(connection, movement))

    async def of_order(self, order_id: UUID) -> Sequence[Movement]:
        query = (
            select(*self.row.__table__.c, OrderRow.currency)
            .join_from(self.row, OrderRow, OrderRow.id == self.row.order_id)
            .where(self.row.order_id == order_id)
            .order_by(self.row.at, self.row.id)
        )

        def look(connection: Connection) -> list[Movement]:
            return [entities.movement(row, currency=row["currency"]) for row in connection.execute(query).mappings()]

        return await self._store.read(look)

    def insert(self, connection: Connection, movement: Movement) -> None:
        connection.execute(insert(self.row).values(**entities.movement_row(movement)))


class SqlRefunds(SqlPayments):
    """`orders.ports.Movements`, of money given back."""

    row = RefundRow

    def insert(self, connection: Connection, movement: Movement) -> None:
        with counting(connection, movement.order_id):
            super().insert(connection, movement)
