"""What the schema's CHECK and foreign key constraints refuse, under the names that they have there."""

from collections.abc import Container
from uuid import UUID

from ordermill.kit.errors import Conflict
from ordermill.storage.entities import AMOUNTS, Row


def check_order(row: Row) -> None:
    """Keep one order right: `schema.models.orders.Order.Meta`."""
    _hold("orders_total_adds_up", row["total"] == row["subtotal"] - row["discount"] + row["shipping"] + row["tax"])
    in_range = all(row[amount] >= 0 for amount in AMOUNTS) and row["discount"] <= row["subtotal"]
    _hold("orders_amounts_in_range", in_range)


def check_item(row: Row) -> None:
    """Keep one item right: `schema.models.orders.Item.Meta`."""
    positive = row["quantity"] >= 1 and row["unit_price"] >= 0
    _hold("order_items_amounts_in_range", positive and 0 <= row["discount"] <= row["total"])
    off = abs(row["quantity"] * row["unit_price"] - row["total"] * row["price_scale"])
    _hold("order_items_total_adds_up", off * 2 <= max(row["price_scale"], row["quantity"]))


def check_movement(table: str, row: Row) -> None:
    """Keep one payment or refund right: `schema.models.orders.Payment.Meta`."""
    _hold(f"{table}_amount_positive", row["amount"] > 0)


def check_order_of(table: str, order: UUID, orders: Container[UUID]) -> None:
    """Refuse a payment or refund of an order that is not there: asked at commit, as for customers."""
    _hold(f"{table}_order", order in orders, kind="foreign key")


def check_customer(row: Row, users: Container[int]) -> None:
    """Refuse an order of somebody who is not there: asked at commit, as the databases' deferred foreign keys are."""
    _hold("orders_user", row["user_id"] is None or row["user_id"] in users, kind="foreign key")


def check_product(row: Row) -> None:
    """Refuse an item of a product: there is no catalogue here."""
    _hold("order_items_product", row["product_id"] is None, kind="foreign key")


def _hold(name: str, condition: bool, *, kind: str = "check") -> None:  # noqa: FBT001  # an assertion reads so
    if not condition:
        raise Conflict(f"The database refused the change ({kind}:{name}).")
