"""`Order.monthly_stats`: one query with a bucket per month, exact for any zone."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.db.models import Count, Q, Sum

from ordermill.kit.calendar import month_bounds, zone
from ordermill.kit.money import Currency

if TYPE_CHECKING:
    from ordermill.schema.models import Order


class MonthlyStats(TypedDict):
    """One month: "2026-01", how many orders, their total and average in major units."""

    month: str
    count: int
    total: Decimal
    avg: Decimal | None


def default_currency() -> str:
    """Return the currency that the process was configured with."""
    return str(settings.ORDERMILL_CURRENCY)


def default_timezone() -> str:
    """Return the zone that the process was configured with."""
    return str(settings.ORDERMILL_TIMEZONE)


def monthly_stats(orders: "type[Order]", year: int, *, currency: str | None, timezone: str | None) -> list[MonthlyStats]:
    """See `Order.monthly_stats`."""
    money = Currency.of(currency or default_currency())
    bounds = month_bounds(year, zone(timezone or default_timezone()))
    counted = orders.objects.filter(currency=money.code, placed_at__gte=bounds[0], placed_at__lt=bounds[-1])
    buckets = {
        f"{name}_{month}": aggregate
        for month in range(1, 13)
        for name, aggregate in _aggregates(bounds[month - 1], bounds[month]).items()
    }
    sums = counted.exclude(status="cancelled").aggregate(**buckets)
    return [_month(year, month, sums[f"count_{month}"], int(sums[f"total_{month}"] or 0), money) for month in range(1, 13)]


def _aggregates(start: datetime, end: datetime) -> dict[str, Count | Sum]:
    within = Q(placed_at__gte=start, placed_at__lt=end)
    return {"count": Count("id", filter=within), "total": Sum("total", filter=within)}


def _month(year: int, month: int, count: int, total_minor: int, money: Currency) -> MonthlyStats:
    total = money.decimal(total_minor)
    return {"month": f"{year}-{month:02}", "count": count, "total": total, "avg": money.round(total / count) if count else None}
