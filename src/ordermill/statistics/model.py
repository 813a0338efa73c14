"""Figures in minor units, the stretches of time they are asked for, and the answers in exact decimals."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ordermill.kit.calendar import HOUR, hour_of


@dataclass(frozen=True, slots=True)
class Figures:
    """How many orders, their gross total, and what was given back; minor units of one currency."""

    count: int = 0
    total: int = 0
    refunded: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(self.count + other.count, self.total + other.total, self.refunded + other.refunded)

    def __sub__(self, other: "Figures") -> "Figures":
        return Figures(self.count - other.count, self.total - other.total, self.refunded - other.refunded)


NOTHING = Figures()


class Bucket(NamedTuple):
    """What figures are kept for: one UTC hour, by its beginning, and one currency."""

    hour: datetime
    currency: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A half-open stretch of time; `whole` when it begins and ends with an hour, so that the kept figures can tell it."""

    start: datetime
    end: datetime

    @property
    def whole(self) -> bool:
        return self.start == hour_of(self.start) and self.end == hour_of(self.end)

    def parts(self) -> list["Stretch"]:
        """
        Cut it into whole hours and what sticks out before and behind them.

        A month begins inside a UTC hour where the zone's offset is not whole hours.
        """
        first = hour_of(self.start + HOUR - datetime.resolution)
        last = hour_of(self.end)
        if first >= last:
            return [self]
        cuts = (Stretch(self.start, first), Stretch(first, last), Stretch(last, self.end))
        return [part for part in cuts if part.start < part.end]


@dataclass(frozen=True, slots=True)
class Difference:
    """An hour whose kept figures are not those of its orders."""

    bucket: Bucket
    kept: Figures
    actual: Figures


@dataclass(frozen=True, slots=True)
class Extent:
    """From when to when there are orders in one currency, cancelled ones left out."""

    currency: str
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Month:
    """One month: "2026-01"; `average` is None where there is no order."""

    month: str
    count: int
    total: Decimal
    average: Decimal | None
    refunded: Decimal


@dataclass(frozen=True, slots=True)
class MonthlyStatistics:
    """Twelve months in order, and their sums; amounts have the currency's decimals."""

    year: int
    currency: str
    timezone: str
    months: list[Month]
    count: int
    total: Decimal
    average: Decimal | None
    refunded: Decimal

    def as_json(self) -> dict[str, Any]:
        """Return the shape of `GET /statistics/monthly`; amounts are strings."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    """How many orders of one customer, their gross total in minor units of one currency, and when they were placed."""

    count: int
    total: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStatistics:
    """One customer in one currency, cancelled orders left out; `avg_order_value` is None where there is no order."""

    currency: str
    total_orders: int
    total_spent: Decimal
    avg_order_value: Decimal | None
    first_order_at: datetime | None
    last_order_at: datetime | None


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case Decimal():
            return str(value)
    return value
