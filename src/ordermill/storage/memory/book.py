"""Everything that is kept, as rows of the schema's own columns; one book is one state of the world."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ordermill.imports.model import Import, Reject
from ordermill.storage.entities import Row
from ordermill.storage.memory.checks import (
    check_customer,
    check_item,
    check_movement,
    check_order,
    check_order_of,
    check_product,
)
from ordermill.storage.memory.table import Table


def _users() -> Table[int]:
    return Table("users", {"users_email_key": lambda row: row["email_key"]})


def _orders() -> Table[UUID]:
    def external_id(row: Row) -> tuple[str, str] | None:
        return None if row["external_id"] is None else (row["channel"], row["external_id"])

    return Table(
        "orders",
        {"orders_channel_number": lambda row: (row["channel"], row["number"]), "orders_channel_external_id": external_id},
    )


def _events() -> Table[UUID]:
    def place(row: Row) -> tuple[UUID, int] | None:
        return None if None in (row["order_id"], row["sequence"]) else (row["order_id"], row["sequence"])

    return Table("events", {"events_order_sequence": place})


@dataclass(slots=True)
class Book:
    """
    All tables. A change works on a copy; rows are replaced and never changed, so that copies share them.

    Orders carry the name of their channel, `channel`, instead of its id.
    """

    users: Table[int] = field(default_factory=_users)
    orders: Table[UUID] = field(default_factory=_orders)
    items: dict[UUID, tuple[Row, ...]] = field(default_factory=dict)
    payments: dict[UUID, tuple[Row, ...]] = field(default_factory=dict)
    refunds: dict[UUID, tuple[Row, ...]] = field(default_factory=dict)
    order_versions: dict[UUID, tuple[Row, ...]] = field(default_factory=dict)  # by order
    events: Table[UUID] = field(default_factory=_events)
    imports: dict[UUID, Import] = field(default_factory=dict)
    rejects: dict[UUID, tuple[Reject, ...]] = field(default_factory=dict)
    hours: dict[tuple[datetime, str], Row] = field(default_factory=dict)
    last_user: int = 0
    # What this change wrote, for the references that are proved when it is whole.
    touched_orders: set[UUID] = field(default_factory=set)
    touched_movements: set[tuple[str, UUID]] = field(default_factory=set)
    removed_users: set[int] = field(default_factory=set)

    def copy(self) -> "Book":
        copied = copy(self)
        for part in fields(self):
            kept = getattr(self, part.name)
            if isinstance(kept, dict | Table):
                setattr(copied, part.name, kept.copy())
        copied.touched_orders, copied.touched_movements, copied.removed_users = set(), set(), set()
        return copied

    def prove(self) -> None:
        """
        Check what spans rows, once a change is whole.

        Raises:
            Conflict: something refers to what is not there.
        """
        touched = self.touched_orders & self.orders.rows.keys()
        if self.removed_users:
            touched |= {id for id, row in self.orders.rows.items() if row["user_id"] in self.removed_users}
        for id in touched:
            check_customer(self.orders.rows[id], self.users.rows)
            for item in self.items[id]:
                check_product(item)
        for table, order in self.touched_movements:
            if order in getattr(self, table):
                check_order_of(table, order, self.orders.rows)

    def new_user_id(self) -> int:
        self.last_user += 1
        return self.last_user

    def put_order(self, id: UUID, row: Row, items: Sequence[Row]) -> None:
        """Write an order and its items over what is there of it."""
        check_order(row)
        for item in items:
            check_item(item)
        if id in self.orders.rows:
            self.orders.replace(id, row)
        else:
            self.orders.insert(id, row)
        self.items[id] = tuple(items)
        self.touched_orders.add(id)

    def remove_order(self, id: UUID) -> None:
        if id in self.orders.rows:
            self.orders.remove(id)
        for belongings in (self.items, self.payments, self.refunds, self.order_versions):
            belongings.pop(id, None)

    def add_movement(self, table: Literal["payments", "refunds"], row: Row) -> None:
        """Write a payment or a refund."""
        check_movement(table, row)
        movements: dict[UUID, tuple[Row, ...]] = getattr(self, table)
        movements[row["order_id"]] = (*movements.get(row["order_id"], ()), row)
        self.touched_movements.add((table, row["order_id"]))

    def add_event(self, values: dict[str, Any]) -> None:
        nothing = dict.fromkeys(("order_id", "user_id", "import_id", "sequence"))
        self.events.insert(values["id"], {**nothing, **values})
