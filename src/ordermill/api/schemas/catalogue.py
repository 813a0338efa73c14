"""What the routes of products and discounts take and answer, with examples. What they must be: `catalogue.drafts`."""

from typing import Any, Final

from pydantic import ConfigDict

from ordermill.api.paging import Listed
from ordermill.catalogue import drafts

_TEA: Final[dict[str, Any]] = {"sku": "TEA-1", "name": "Green tea 100 g", "price": "4.50", "currency": "EUR", "stock": 120}
_SPRING: Final[dict[str, Any]] = {
    "code": "SPRING10", "kind": "percent", "value": "10.00", "currency": "EUR", "starts_at": "2026-03-01T00:00:00Z",
    "ends_at": "2026-06-01T00:00:00Z", "minimum": "20.00", "max_uses": 500, "max_uses_per_customer": 1,
}  # fmt: skip


def _example(*shown: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(shown)})


class ProductCreate(drafts.ProductCreate):
    __doc__ = drafts.ProductCreate.__doc__
    model_config = _example(_TEA, {"sku": "GIFT-1", "name": "Gift wrapping", "price": 2})


class ProductChange(drafts.ProductChange):
    __doc__ = drafts.ProductChange.__doc__
    model_config = _example({"price": "4.80"}, {"stock_change": 20}, {"is_active": False})


class ProductResponse(drafts.ProductResponse):
    __doc__ = drafts.ProductResponse.__doc__
    model_config = _example({"id": 7, **_TEA, "is_active": True})


class ProductList(Listed[ProductResponse]):
    """A page of products, in the order of their ids."""


class DiscountCreate(drafts.DiscountCreate):
    __doc__ = drafts.DiscountCreate.__doc__
    model_config = _example(_SPRING, {"code": "WELCOME5", "kind": "fixed", "value": "5.00", "currency": "EUR"})


class DiscountChange(drafts.DiscountChange):
    __doc__ = drafts.DiscountChange.__doc__
    model_config = _example({"is_active": False}, {"max_uses": 1000}, {"kind": "fixed", "value": "5.00", "currency": "EUR"})


class DiscountResponse(drafts.DiscountResponse):
    __doc__ = drafts.DiscountResponse.__doc__
    model_config = _example({"id": 3, **_SPRING, "uses": 41, "is_active": True})


class DiscountList(Listed[DiscountResponse]):
    """A page of discounts, in the order of their ids."""
