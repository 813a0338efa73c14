"""What the schema's CHECK and foreign key constraints refuse, under the names that they have there."""

from collections.abc import Container
from typing import Final
from uuid import UUID

from ordermill.kit.errors import Conflict
from ordermill.storage.entities import AMOUNTS, Row

_WHOLE: Final = 100_00  # in hundredths of a percent


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


def check_user_of(table: str, row: Row, users: Container[int]) -> None:
    """Refuse what belongs to somebody who is not there."""
    _hold(f"{table}_user", row["user_id"] is None or row["user_id"] in users, kind="foreign key")


def check_customer(row: Row, users: Container[int]) -> None:
    """Refuse an order of somebody who is not there: asked at commit, as the databases' deferred foreign keys are."""
    _hold("orders_user", row["user_id"] is None or row["user_id"] in users, kind="foreign key")


def check_product_of(row: Row, products: Container[int]) -> None:
    """Refuse an item of a product that is not there: asked at commit, as for customers."""
    _hold("order_items_product", row["product_id"] is None or row["product_id"] in products, kind="foreign key")


def check_product(row: Row) -> None:
    """Keep one product right: `schema.models.catalogue.Product.Meta`."""
    _hold("products_price_not_negative", row["price"] >= 0)
    _hold("products_stock_not_negative", row["stock"] is None or row["stock"] >= 0)


def check_stock_movement(row: Row) -> None:
    """Keep one movement of stock right: `schema.models.catalogue.StockMovement.Meta`."""
    change, ordered = row["change"], row["order_id"] is not None
    _hold("stock_movements_change_something", change != 0)
    known = {"set": not ordered, "order": ordered and change < 0, "cancel": ordered and change > 0}
    _hold("stock_movements_kind_known", known.get(row["kind"], False))


def check_discount(row: Row) -> None:
    """Keep one discount right: `schema.models.catalogue.Discount.Meta`."""
    priced = row["currency"] is not None
    known = {"percent": row["value"] <= _WHOLE, "fixed": priced}
    _hold("discounts_value_in_range", row["value"] > 0 and known.get(row["kind"], False))
    _hold("discounts_minimum_has_currency", row["minimum"] is None or (row["minimum"] > 0 and priced))
    bounded = row["starts_at"] is not None and row["ends_at"] is not None
    _hold("discounts_ends_after_start", not bounded or row["starts_at"] < row["ends_at"])
    _hold("discounts_uses_not_negative", row["uses"] >= 0)


def _hold(name: str, condition: bool, *, kind: str = "check") -> None:  # noqa: FBT001  # an assertion reads so
    if not condition:
        raise Conflict(f"The database refused the change ({kind}:{name}).")
