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
    check_product_of,
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


def _products() -> Table[int]:
    return Table("products", {"products_sku": lambda row: row["sku"]})


def _stock_movements() -> Table[int]:
    def once(row: Row) -> tuple[UUID, int, str] | None:
        return None if row["order_id"] is None else (row["order_id"], row["product_id"], row["kind"])

    return Table("stock_movements", {"stock_movements_once": once})


def _discounts() -> Table[int]:
    return Table("discounts", {"discounts_code": lambda row: row["code"]})


def _one_time_tokens() -> Table[str]:
    return Table("one_time_tokens", {})


def _api_keys() -> Table[UUID]:
    return Table("api_keys", {"api_keys_secret_hash": lambda row: row["secret_hash"]})


@dataclass(slots=True)
class Book:
    """
    All tables. A change works on a copy; rows are replaced and never changed, so that copies share them.

    Orders carry the name of their channel, `channel`, instead of its id.
    """

    users: Table[int] = field(default_factory=_users)
    one_time_tokens: Table[str] = field(default_factory=_one_time_tokens)
    sessions: Table[UUID] = field(default_factory=lambda: Table("sessions", {}))
    api_keys: Table[UUID] = field(default_factory=_api_keys)
    sign_in_throttles: Table[str] = field(default_factory=lambda: Table("sign_in_throttles", {}))
    products: Table[int] = field(default_factory=_products)
    stock_movements: Table[int] = field(default_factory=_stock_movements)
    discounts: Table[int] = field(default_factory=_discounts)
    discount_uses: Table[UUID] = field(default_factory=lambda: Table("discount_uses", {}))  # by order
    orders: Table[UUID] = field(default_factory=_orders)
    items: dict[UUID, tuple[Row, ...]] = field(default_factory=dict)
    payments: dict[UUID, tuple[Row, ...]] = field(default_factory=dict)
    refunds: dict[UUID, tuple[Row, ...]] = field(default_factory=dict)
    order_versions: dict[UUID, tuple[Row, ...]] = field(default_factory=dict)  # by order
    events: Table[UUID] = field(default_factory=_events)
    idempotency_keys: Table[tuple[str, str, str]] = field(default_factory=lambda: Table("idempotency_keys", {}))
    imports: dict[UUID, Import] = field(default_factory=dict)
    rejects: dict[UUID, tuple[Reject, ...]] = field(default_factory=dict)
    erased_emails: Table[str] = field(default_factory=lambda: Table("erased_emails", {}))
    book_keys: dict[str, str] = field(default_factory=dict)
    hours: dict[tuple[datetime, str], Row] = field(default_factory=dict)
    last_user: int = 0
    last_ids: dict[str, int] = field(default_factory=dict)  # of the other tables whose ids are numbers
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
                check_product_of(item, self.products.rows)
        for table, order in self.touched_movements:
            if order in getattr(self, table):
                check_order_of(table, order, self.orders.rows)

    def new_user_id(self) -> int:
        self.last_user += 1
        return self.last_user

    def add_numbered(self, table: Table[int], row: Row, *, id: int | None = None) -> int:
        """Insert a row under the next number of its table, which is never given again, or under `id`; return the number."""
        last = self.last_ids.get(table.name, 0)
        new = last + 1 if id is None else id
        self.last_ids[table.name] = max(last, new)
        table.insert(new, {**row, "id": new})
        return new

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
