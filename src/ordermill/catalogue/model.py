"""
Products and discounts as the whole product sees them: exact decimals in major units, aware UTC moments.

With what storage refuses of them while it changes them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from ordermill.kit.errors import Conflict
from ordermill.kit.text import shortened

# More of one thing than anybody has; a sum of it and an order's quantity still fits every column and JSON reader.
STOCK_LIMIT: Final = 10**12


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


class StockNotTracked(Conflict):
    """Nothing can come to a stock or go from it that nobody counts."""

    default_code = "stock_not_tracked"

    def __init__(self, sku: str) -> None:
        super().__init__(f"The stock of {shortened(sku)!r} is not tracked; set it first.", details={"sku": sku})


class StockTooLow(Conflict):
    """No more can go than there is."""

    default_code = "stock_too_low"

    def __init__(self, sku: str, *, stock: int) -> None:
        super().__init__(f"There are only {stock} of {shortened(sku)!r}.", details={"sku": sku, "stock": stock})


class StockTooHigh(Conflict):
    """There is a limit to what is counted."""

    default_code = "stock_too_high"

    def __init__(self, sku: str) -> None:
        super().__init__(f"There would be more than {STOCK_LIMIT:,} of {shortened(sku)!r}.", details={"sku": sku})


def moved_stock(product: Product, *, stored: int | None, change: int) -> int:
    """
    Return the stock after a change of what is stored.

    Raises:
        StockNotTracked, StockTooLow, StockTooHigh: it cannot change so.
    """
    if stored is None:
        raise StockNotTracked(product.sku)
    if stored + change < 0:
        raise StockTooLow(product.sku, stock=stored)
    if stored + change > STOCK_LIMIT:
        raise StockTooHigh(product.sku)
    return stored + change
