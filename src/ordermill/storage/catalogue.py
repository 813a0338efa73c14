"""
Products, movements of their stock and discounts become rows and back, under the names of the columns.

Pure, and the same for every storage: money in minor units, shares in hundredths of a percent.
"""

from decimal import Decimal
from typing import Any, Final

from ordermill.catalogue.model import Discount, DiscountKind, Product
from ordermill.kit.events import By
from ordermill.kit.money import Currency
from ordermill.kit.text import words_key
from ordermill.storage.entities import Row

# Hundredths of a percent have two decimals, as most currencies do.
_PERCENT: Final = Currency("%", 2)


def product_row(product: Product) -> dict[str, Any]:
    """Return a product's columns without its id and its stock."""
    return {
        "sku": product.sku,
        "name": product.name,
        "name_key": words_key(product.name),
        "price": Currency.of(product.currency).minor(product.price),
        "currency": product.currency,
        "is_active": product.is_active,
        "created_at": product.created_at,
        "version": product.version,
    }


def product(row: Row) -> Product:
    return Product(
        id=row["id"],
        sku=row["sku"],
        name=row["name"],
        price=Currency.of(row["currency"]).decimal(row["price"]),
        currency=row["currency"],
        stock=row["stock"],
        is_active=row["is_active"],
        created_at=row["created_at"],
        version=row["version"],
    )


def counted(product_id: int, change: int, *, by: By) -> dict[str, Any]:
    """Return the columns of the movement that staff's counting makes."""
    return {
        "product_id": product_id, "change": change, "kind": "set", "order_id": None, "actor": by.actor, "at": by.at
    }  # fmt: skip


def discount_row(discount: Discount) -> dict[str, Any]:
    """Return a discount's columns without its id and its uses."""
    return {
        "code": discount.code,
        "kind": discount.kind.value,
        "value": _unit(discount.kind, discount.currency).minor(discount.value),
        "currency": discount.currency,
        "starts_at": discount.starts_at,
        "ends_at": discount.ends_at,
        "minimum": None if discount.minimum is None else _money(discount.currency).minor(discount.minimum),
        "max_uses": discount.max_uses,
        "max_uses_per_customer": discount.max_uses_per_customer,
        "is_active": discount.is_active,
        "created_at": discount.created_at,
        "version": discount.version,
    }


def discount(row: Row) -> Discount:
    kind, currency = DiscountKind(row["kind"]), row["currency"]
    return Discount(
        id=row["id"],
        code=row["code"],
        kind=kind,
        value=_unit(kind, currency).decimal(row["value"]),
        currency=currency,
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        minimum=_minimum(row["minimum"], currency),
        max_uses=row["max_uses"],
        max_uses_per_customer=row["max_uses_per_customer"],
        uses=row["uses"],
        is_active=row["is_active"],
        created_at=row["created_at"],
        version=row["version"],
    )


def _minimum(minor: int | None, currency: str | None) -> Decimal | None:
    return None if minor is None else _money(currency).decimal(minor)


def _unit(kind: DiscountKind, currency: str | None) -> Currency:
    return _PERCENT if kind is DiscountKind.PERCENT else _money(currency)


def _money(currency: str | None) -> Currency:
    return Currency.of(currency or "")  # there always is one, says a constraint
