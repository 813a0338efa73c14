"""
Exports that are known by their header and cannot be read: what they are, and what to take instead.

Column names come from the shops' own documentation and public samples; enough of them to tell one export from another.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

_MAP: Final = "It is not read by itself yet; a map file can read it: add --map MAP.toml."


@dataclass(frozen=True, slots=True)
class Export:
    title: str
    columns: frozenset[str]  # all of these are in it, and in no other export
    advice: str
    code: Literal["unsuitable", "unrecognised"] = "unsuitable"  # no orders are in it, or nobody reads it yet


def _export(title: str, columns: str, advice: str, *, code: Literal["unsuitable", "unrecognised"] = "unsuitable") -> Export:
    return Export(title, frozenset(name.strip() for name in columns.split(",")), advice, code)


EXPORTS: Final = (
    _export(
        "Etsy sold orders (EtsySoldOrders)",
        "Sale Date, Order ID, Number of Items, Order Value, Order Net",
        "It has one line per order and no items. Download 'Order Items' (EtsySoldOrderItems) instead.",
    ),
    _export(
        "WooCommerce Analytics orders",
        "Order #, Status, Product(s), Items sold",
        "It has no prices of items. Export orders as JSON over the REST API, or with an order export plugin, instead.",
    ),
    _export(
        "Shopify customers",
        "First Name, Last Name, Email, Total Spent, Total Orders",
        "It holds customers. Take Orders > Export > 'Plain CSV file' in Shopify instead.",
    ),
    _export(
        "Shopify products",
        "Handle, Title, Variant SKU, Variant Price",
        "It holds products. Take Orders > Export > 'Plain CSV file' in Shopify instead.",
    ),
    _export(
        "Shopify transactions",
        "Order, Name, Kind, Gateway, Amount",
        "It holds payments. Take Orders > Export > 'Export orders' in Shopify, not 'transaction histories', instead.",
    ),
    _export(
        "Matrixify orders",
        "ID, Name, Command, Line: Type",
        "Its lines are items, shipping and payments alike. Take Shopify's own Orders > Export instead.",
    ),
    _export(
        "Amazon unshipped orders report",
        "order-id, order-item-id, quantity-purchased, quantity-to-ship",
        "It has no prices. Take Reports > Fulfilment > 'All orders' in Seller Central instead.",
    ),
    _export("Amazon all orders report", "amazon-order-id, purchase-date, item-price, sku", _MAP, code="unrecognised"),
    _export(
        "Etsy sold order items (EtsySoldOrderItems)",
        "Sale Date, Item Name, Transaction ID, Order ID",
        _MAP,
        code="unrecognised",
    ),
    _export(
        "WooCommerce orders CSV (WebToffee)",
        "order_id, order_number, order_total, line_item_1",
        "It is not read yet. A map file can read an export with one line per item: add --map MAP.toml.",
        code="unrecognised",
    ),
    _export(
        "WooCommerce orders JSON",
        "id, order_key, line_items, billing",
        "It is not read yet. A map file can read a CSV export with one line per item: add --map MAP.toml.",
        code="unrecognised",
    ),
    _export(
        "Shopify orders JSON",
        "id, financial_status, line_items, total_price",
        "It is not read yet. Take Orders > Export > 'Plain CSV file' in Shopify instead.",
        code="unrecognised",
    ),
)

_SALE: Final = ("quantity", "qty", "price", "sku", "amount", "total", "order", "item")


def known(columns: Collection[str]) -> Export | None:
    """Return the export that a header belongs to, if it is one that cannot be read."""
    present = frozenset(columns)
    for export in EXPORTS:
        if export.columns <= present:
            return export
    return _CUSTOMERS if _is_customers(present) else None


_CUSTOMERS: Final = Export(
    "a list of customers",
    frozenset(),
    "It has no column of orders, items, quantities or prices. Take an export of orders instead.",
)


def _is_customers(columns: Collection[str]) -> bool:
    words = [name.lower().replace("-", "") for name in columns]
    return any("email" in word for word in words) and not any(hint in word for word in words for hint in _SALE)
