"""The shapes of a product and a discount in every answer and file: PRODUCT.md section 4, keys in its order."""

from datetime import UTC, datetime
from typing import Any

from ordermill.catalogue.model import Discount, Product


def product_shape(product: Product) -> dict[str, Any]:
    """Return plain JSON values: the price is a string with the currency's decimals."""
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "price": f"{product.price:f}",
        "currency": product.currency,
        "stock": product.stock,
        "is_active": product.is_active,
    }


def discount_shape(discount: Discount) -> dict[str, Any]:
    """Return plain JSON values: percent with two decimals or money with the currency's, moments RFC 3339 in UTC."""
    return {
        "id": discount.id,
        "code": discount.code,
        "kind": discount.kind.value,
        "value": f"{discount.value:f}",
        "currency": discount.currency,
        "starts_at": _moment(discount.starts_at),
        "ends_at": _moment(discount.ends_at),
        "minimum": None if discount.minimum is None else f"{discount.minimum:f}",
        "max_uses": discount.max_uses,
        "max_uses_per_customer": discount.max_uses_per_customer,
        "uses": discount.uses,
        "is_active": discount.is_active,
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
