"""Products and discounts as the whole product sees them: exact decimals in major units, aware UTC moments."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(slots=True, kw_only=True)
class Product:
    """
    Something to buy. `stock` is None where it is not tracked. `id` is set when the unit that adds it has committed.

    `version` counts what staff changed; buyers take stock without it.
    """

    sku: str
    name: str
    price: Decimal
    currency: str
    created_at: datetime
    id: int | None = None
    stock: int | None = None
    is_active: bool = True
    version: int = 1


class DiscountKind(StrEnum):
    """What `Discount.value` is: a share of the subtotal in percent, or an amount of money."""

    PERCENT = "percent"
    FIXED = "fixed"


@dataclass(slots=True, kw_only=True)
class Discount:
    """
    A code that makes an order cheaper; half-open in time: from `starts_at`, before `ends_at`.

    `value` is percent (with at most two decimals) or an amount of `currency`; `minimum` is the least subtotal. `uses` counts
    orders that were placed with it and not cancelled; it is moved by placing and cancelling alone.
    """

    code: str
    kind: DiscountKind
    value: Decimal
    created_at: datetime
    id: int | None = None
    currency: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    minimum: Decimal | None = None
    max_uses: int | None = None
    max_uses_per_customer: int | None = None
    uses: int = 0
    is_active: bool = True
    version: int = 1
