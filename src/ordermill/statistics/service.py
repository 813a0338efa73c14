"""The questions about orders in numbers, answered exactly for any currency and time zone."""

from decimal import Decimal
from itertools import pairwise

from ordermill.kit.calendar import month_bounds, zone
from ordermill.kit.money import Currency
from ordermill.statistics.model import (
    NOTHING,
    CustomerStatistics,
    Difference,
    Extent,
    Figures,
    Month,
    MonthlyStatistics,
    Stretch,
)
from ordermill.statistics.ports import StatisticsStore


class Statistics:
    """Answers from the kept figures; proves and repairs them."""

    def __init__(self, store: StatisticsStore) -> None:
        self._store = store

    async def monthly(self, year: int, *, currency: str, timezone: str) -> MonthlyStatistics:
        """
        Return the twelve months of `year` in one currency, as months of the named zone.

        Cancelled orders are left out and unpaid ones counted; `total` stays gross, and refunds stand in
        the month in which they happened.

        Raises:
            Invalid: `unknown_currency`, `unknown_timezone` or `year_out_of_range`.
        """
        money = Currency.of(currency)
        bounds = month_bounds(year, zone(timezone))
        parts = [Stretch(start, end).parts() for start, end in pairwise(bounds)]
        figures = iter(await self._store.figures(money.code, [part for month in parts for part in month]))
        months = [sum((next(figures) for _ in month), NOTHING) for month in parts]
        whole = sum(months, NOTHING)
        return MonthlyStatistics(
            year=year,
            currency=money.code,
            timezone=timezone,
            months=[_month(f"{year}-{number:02}", month, money) for number, month in enumerate(months, start=1)],
            count=whole.count,
            total=money.decimal(whole.total),
            average=_average(whole, money),
            refunded=money.decimal(whole.refunded),
        )

    async def customer(self, user_id: int, *, currency: str, placed_by_customer: bool = False) -> CustomerStatistics:
        """
        Return one customer's figures in one currency, from the orders themselves; for nobody's orders 0, 0 and None.

        Args:
            placed_by_customer: count only orders that were placed while signed in: what an account may see before its
                address is verified.

        Raises:
            Invalid: `unknown_currency`.
        """
        money = Currency.of(currency)
        found = await self._store.customer(user_id, currency=money.code, placed_by_customer=placed_by_customer)
        return CustomerStatistics(
            currency=money.code,
            total_orders=found.count,
            total_spent=money.decimal(found.total),
            avg_order_value=_average(Figures(count=found.count, total=found.total), money),
            first_order_at=found.first,
            last_order_at=found.last,
        )

    async def currencies(self) -> list[Extent]:
        """Return the currencies that have orders, each with the moments of its first and last: for a door's defaults."""
        return await self._store.extents()

    async def verify(self) -> list[Difference]:
        """Prove the kept figures against all orders and refunds; return where they differ, which should be nowhere."""
        return await self._store.differences()

    async def rebuild(self) -> list[Difference]:
        """Bring the kept figures back to those of the orders; return what differed before."""
        return await self._store.correct()


def _month(name: str, figures: Figures, money: Currency) -> Month:
    return Month(
        month=name,
        count=figures.count,
        total=money.decimal(figures.total),
        average=_average(figures, money),
        refunded=money.decimal(figures.refunded),
    )


def _average(figures: Figures, money: Currency) -> Decimal | None:
    return money.round(money.decimal(figures.total) / figures.count) if figures.count else None
