"""What a change of an order does to the figures, and how the figures are told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from builders import a_batch, a_file, sold
from hypothesis import given
from hypothesis import strategies as st

from ordermill.imports.batch import MOMENT
from ordermill.kit.errors import Invalid
from ordermill.statistics.delta import OrderFigures, RefundFigures, delta
from ordermill.statistics.model import NOTHING, Bucket, Figures
from ordermill.statistics.service import Statistics
from ordermill.storage.bulk.figures import placed, refunded, summed
from ordermill.storage.memory import MemoryStorage
from ordermill.storage.memory.statistics import MemoryStatistics

TEN = datetime(2026, 1, 31, 10, tzinfo=UTC)
PLACED = TEN + timedelta(minutes=59, seconds=59)
BUCKET = Bucket(TEN, "EUR")


def order(total: int = 900, status: str = "processing", **said: Any) -> OrderFigures:
    return OrderFigures(**{"status": status, "currency": "EUR", "placed_at": PLACED, "total": total, **said})


class TestDelta:
    def test_counts_a_new_order_in_its_utc_hour(self) -> None:
        assert delta(None, order(900)) == {BUCKET: Figures(count=1, total=900)}

    def test_takes_a_removed_order_back_whole(self) -> None:
        refunds = (RefundFigures(PLACED, 100),)

        assert delta(order(900, refunds=refunds), None) == {BUCKET: Figures(-1, -900, -100)}

    def test_of_a_changed_total_moves_the_total_alone(self) -> None:
        assert delta(order(900), order(1000)) == {BUCKET: Figures(total=100)}

    def test_of_an_unchanged_order_is_nothing(self) -> None:
        assert delta(order(), order(status="shipped")) == {}

    def test_of_nothing_is_nothing(self) -> None:
        assert delta(None, None) == {}

    def test_counts_a_refund_in_the_hour_it_happened_and_leaves_the_total_gross(self) -> None:
        later = TEN + timedelta(days=1)

        moved = delta(order(), order(refunds=(RefundFigures(later, 250), RefundFigures(later, 50))))

        assert moved == {Bucket(later, "EUR"): Figures(refunded=300)}

    @pytest.mark.parametrize("other", [None, order(status="cancelled", refunds=(RefundFigures(PLACED, 5),))])
    def test_does_not_count_cancelled_orders_nor_their_refunds(self, other: OrderFigures | None) -> None:
        cancelled = order(status="cancelled", refunds=(RefundFigures(PLACED, 900),))

        assert delta(other, cancelled) == {}

    def test_of_a_cancellation_takes_order_and_refunds_back(self) -> None:
        refunds = (RefundFigures(TEN + timedelta(hours=2), 40),)

        moved = delta(order(900, refunds=refunds), order(900, status="cancelled", refunds=refunds))

        assert moved == {BUCKET: Figures(-1, -900), Bucket(TEN + timedelta(hours=2), "EUR"): Figures(refunded=-40)}

    def test_comes_in_the_order_in_which_writers_touch_rows(self) -> None:
        refunds = tuple(RefundFigures(TEN + timedelta(hours=hours), 1) for hours in (5, -3, 2))

        moved = delta(None, order(refunds=refunds))

        assert list(moved) == sorted(moved)
        assert len(moved) == 4


moments = st.datetimes(datetime(1999, 12, 31), datetime(2000, 1, 2), timezones=st.just(UTC))  # noqa: DTZ001  # strategies take naive bounds
amounts = st.integers(0, 10**9)
orders = st.builds(
    OrderFigures,
    status=st.sampled_from(["pending", "delivered", "cancelled"]),
    currency=st.sampled_from(["EUR", "JPY"]),
    placed_at=moments,
    total=amounts,
    refunds=st.lists(st.builds(RefundFigures, at=moments, amount=amounts), max_size=3).map(tuple),
)


class TestBulkFigures:
    @given(st.lists(st.tuples(st.none() | orders, st.none() | orders), max_size=20))
    def test_agree_with_delta(self, changes: list[tuple[OrderFigures | None, OrderFigures | None]]) -> None:
        one_by_one: dict[Bucket, Figures] = {}
        for before, after in changes:
            for bucket, figures in delta(before, after).items():
                one_by_one[bucket] = one_by_one.get(bucket, NOTHING) + figures

        gone = [order for order, _ in changes if order]
        come = [order for _, order in changes if order]
        together = summed(*_in_bulk(gone, sign=-1), *_in_bulk(come, sign=1))

        rows = [(Bucket(row[0], row[1]), Figures(*row[2:])) for row in together.iter_rows()]
        assert rows == sorted((bucket, figures) for bucket, figures in one_by_one.items() if figures != NOTHING)


def _in_bulk(orders: Sequence[OrderFigures], *, sign: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [(order.status, order.currency, order.placed_at, order.total) for order in orders]
    refunds = [(order.status, order.currency, refund.at, refund.amount) for order in orders for refund in order.refunds]
    text = {"status": pl.String, "currency": pl.String}
    return (
        placed(pl.DataFrame(rows, {**text, "placed_at": MOMENT, "total": pl.Int64}, orient="row"), sign=sign),
        refunded(pl.DataFrame(refunds, {**text, "at": MOMENT, "amount": pl.Int64}, orient="row"), sign=sign),
    )


@pytest.mark.anyio
class TestMonthly:
    async def test_lists_twelve_months_in_the_shape_of_the_api(self) -> None:
        statistics = await book_of(
            sold("1", ("TEA-1", 1, 1000), placed_at=datetime(2026, 1, 5, tzinfo=UTC)),
            sold("2", ("TEA-1", 1, 1001), placed_at=datetime(2026, 1, 6, tzinfo=UTC)),
            sold("3", ("TEA-1", 1, 1001), placed_at=datetime(2026, 3, 6, tzinfo=UTC)),
        )

        told = (await statistics.monthly(2026, currency="EUR", timezone="UTC")).as_json()

        assert list(told) == ["year", "currency", "timezone", "months", "count", "total", "average", "refunded"]
        assert told | {"months": None} == {
            "year": 2026, "currency": "EUR", "timezone": "UTC", "months": None,
            "count": 3, "total": "30.02", "average": "10.01", "refunded": "0.00",
        }  # fmt: skip
        assert [month["month"] for month in told["months"]] == [f"2026-{month:02}" for month in range(1, 13)]
        assert told["months"][:3] == [
            {"month": "2026-01", "count": 2, "total": "20.01", "average": "10.01", "refunded": "0.00"},
            {"month": "2026-02", "count": 0, "total": "0.00", "average": None, "refunded": "0.00"},
            {"month": "2026-03", "count": 1, "total": "10.01", "average": "10.01", "refunded": "0.00"},
        ]

    async def test_rounds_the_average_half_up(self) -> None:
        statistics = await book_of(sold("1", ("TEA-1", 1, 1)), sold("2", ("TEA-1", 1, 2)))

        november = (await statistics.monthly(2026, currency="EUR", timezone="UTC")).months[10]

        assert november.average == Decimal("0.02")

    @pytest.mark.parametrize(("currency", "total"), [("JPY", "1500"), ("EUR", "15.00"), ("BHD", "1.500")])
    async def test_has_the_decimals_of_the_currency(self, currency: str, total: str) -> None:
        statistics = await book_of(sold("1", ("TEA-1", 1, 1500), currency=currency))

        told = (await statistics.monthly(2026, currency=currency, timezone="UTC")).as_json()

        assert (told["total"], told["average"]) == (total, total)

    async def test_of_another_currency_is_empty(self) -> None:
        statistics = await book_of(sold("1", currency="EUR"))

        told = await statistics.monthly(2026, currency="USD", timezone="UTC")

        assert (told.count, told.total, told.average) == (0, Decimal("0.00"), None)

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"currency": "XXX"}, "unknown_currency"),
            ({"currency": "eur"}, "unknown_currency"),
            ({"timezone": "Mars/Olympus"}, "unknown_timezone"),
            ({"year": 1969}, "year_out_of_range"),
        ],
    )
    async def test_refuses_what_does_not_exist(self, asked: dict[str, Any], code: str) -> None:
        statistics = await book_of()

        with pytest.raises(Invalid) as caught:
            await statistics.monthly(**{"year": 2026, "currency": "EUR", "timezone": "UTC", **asked})

        assert caught.value.code == code


async def book_of(*orders: Any) -> Statistics:
    storage = MemoryStorage()
    run = await storage.imports.begin(a_file(), at=TEN, actor="test")
    await storage.imports.load(run, a_batch(*orders), at=TEN)
    return Statistics(MemoryStatistics(storage))
