"""Entities and batches for tests that say only what matters to them; everything else is plausible and fixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any, Final
from uuid import UUID

import polars as pl

from ordermill.accounts.model import User
from ordermill.catalogue.model import Discount, DiscountKind, Product
from ordermill.imports.batch import ITEMS, LINES, ORDERS, Batch, Loaded
from ordermill.imports.model import ImportFile, Money, Reject, Tally
from ordermill.kit.events import Event
from ordermill.kit.ids import new_id
from ordermill.kit.money import Currency
from ordermill.kit.text import email_key
from ordermill.orders.model import Item, Movement, Order

NOON: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER: Final = NOON + timedelta(hours=1)


def an_id() -> UUID:
    return new_id(NOON)


def a_user(email: str = "ada@example.com", **said: Any) -> User:
    return User(**{"email": email, "name": "Ada", "created_at": NOON, **said})


def a_product(sku: str = "TEA-1", price: str = "4.50", **said: Any) -> Product:
    plain = {"sku": sku, "name": "Tea", "price": Decimal(price), "currency": "EUR", "created_at": NOON}
    return Product(**{**plain, **said})


def a_discount(code: str = "SPRING10", value: str = "10.00", **said: Any) -> Discount:
    plain = {"code": code, "kind": DiscountKind.PERCENT, "value": Decimal(value), "created_at": NOON}
    return Discount(**{**plain, **said})


def an_item(sku: str = "TEA-1", quantity: int = 2, unit_price: str = "4.50", **said: Any) -> Item:
    price = Decimal(unit_price)
    return Item(**{"sku": sku, "name": "Tea", "quantity": quantity, "unit_price": price, "total": quantity * price, **said})


def an_order(number: str = "1001", *, items: Sequence[Item] | None = None, **said: Any) -> Order:
    """Return an order whose sums are those of its items."""
    bought = [an_item()] if items is None else list(items)
    subtotal = sum((item.total for item in bought), Decimal(0))
    discount = sum((item.discount for item in bought), Decimal(0))
    total = subtotal - discount + said.get("shipping", 0) + said.get("tax", 0)
    sums = {"items": bought, "subtotal": subtotal, "discount": discount, "total": total}
    known = {"id": an_id(), "number": number, "currency": "EUR", "placed_at": NOON, "updated_at": NOON}
    return Order(**{**known, **sums, **said})


def a_movement(order: UUID, amount: str = "4.00", **said: Any) -> Movement:
    facts = {"id": an_id(), "order_id": order, "currency": "EUR", "amount": Decimal(amount), "at": NOON}
    return Movement(**{**facts, **said})


def an_event(order: UUID | None = None, *, sequence: int | None = None, **said: Any) -> Event:
    facts = {"id": an_id(), "type": "order.placed", "at": NOON, "actor": "user:1", "order_id": order, "sequence": sequence}
    return Event(**{**facts, **said})


@dataclass
class Sold:
    """One accepted order of a batch: columns of `ORDERS` that differ from the ordinary, and (sku, quantity, minor units)."""

    number: str
    items: Sequence[tuple[str, int, int]]
    said: dict[str, Any]

    def columns(self, row: int) -> dict[str, Any]:
        email = self.said.get("customer_email", "ada@example.com")
        subtotal = sum(quantity * price for _, quantity, price in self.items)
        total = subtotal + self.said.get("shipping", 0)
        plain = {
            "row": row, "channel": "shop", "number": self.number, "status": "processing", "payment": "unpaid",
            "currency": "EUR", "customer_email": email, "customer_key": email and email_key(email), "subtotal": subtotal,
            "discount": 0, "shipping": 0, "tax": 0, "tax_included": 0, "total": total, "paid": 0, "refunded": 0,
            "placed_at": NOON, "first_line": row + 2, "line_count": len(self.items), "merged": False,
        }  # fmt: skip
        columns: dict[str, Any] = {**dict.fromkeys(ORDERS), **plain, **self.said}
        told = repr((sorted(columns.items() - {("row", row), ("first_line", row + 2)}, key=repr), tuple(self.items)))
        return {**columns, "fingerprint": md5(told.encode(), usedforsecurity=False).hexdigest()}


def sold(number: str, *items: tuple[str, int, int], **said: Any) -> Sold:
    return Sold(number, items or (("TEA-1", 2, 450),), said)


def a_batch(*orders: Sold, index: int = 0, rejects: Sequence[Reject] = ()) -> Batch:
    """Return a batch as the stages before the store hand it over."""
    rows = [order.columns(row) for row, order in enumerate(orders)]
    items = [
        {
            "order": row, "position": position, "sku": sku, "name": sku.title(), "quantity": quantity,
            "unit_price": price * _scale(rows[row]["currency"]), "price_scale": _scale(rows[row]["currency"]),
            "total": quantity * price, "discount": 0,
        }
        for row, order in enumerate(orders)
        for position, (sku, quantity, price) in enumerate(order.items, start=1)
    ]  # fmt: skip
    lines = [{"order": item["order"], "line": number, "raw": item["sku"]} for number, item in enumerate(items, start=2)]
    frames = (pl.DataFrame(rows, ORDERS), pl.DataFrame(items, ITEMS), pl.DataFrame(lines, LINES))
    return Batch(index, *frames, list(rejects), _tally(rows, len(items), rejects))


def outcomes(loaded: Loaded) -> dict[str, int]:
    """Return what became of a batch's orders, as far as anything did."""
    return {outcome: count for outcome, count in loaded.tally.orders.items() if count}


def a_reject(line: int = 2, **said: Any) -> Reject:
    plain = {"line": line, "number": "13", "field": "quantity", "value": "-1", "code": "quantity_out_of_range"}
    return Reject(**{**plain, "message": "The quantity is -1.", "lines": ((line, "13,-1"),), **said})


def a_file(**said: Any) -> ImportFile:
    plain = {"name": "orders.csv", "sha256": "0" * 64, "size": 120, "format": "shopify", "mapping": ""}
    return ImportFile(**{**plain, "channel": "shop", "options_key": "plain", **said})


def _scale(currency: str) -> int:
    return int(10 ** (4 - Currency.of(currency).exponent))


def _tally(orders: list[dict[str, Any]], lines: int, rejects: Sequence[Reject]) -> Tally:
    tally = Tally()
    refused = sum(len(reject.lines) for reject in rejects)
    tally.orders |= {"read": len(orders) + len(rejects), "rejected": len(rejects)}
    tally.lines = {"read": lines + refused, "accepted": lines, "rejected": refused}
    tally.customers["guests"] = sum(order["customer_key"] is None for order in orders)
    for order in orders:
        tally.money.setdefault(order["currency"], Money()).total += order["total"]
    return tally
