"""The kept figures are exact in memory, on SQLite and on PostgreSQL: in any zone, after every change, and after repair."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from builders import LATER, NOON, Sold, a_batch, a_file, an_order, sold
from sqlalchemy import Connection, insert, update
from storages import connected

from ordermill.config import DatabaseUrl
from ordermill.imports.ports import ImportStore
from ordermill.orders.model import Order, Status
from ordermill.statistics.model import Bucket, Difference, Extent, Figures
from ordermill.statistics.ports import StatisticsStore
from ordermill.statistics.service import Statistics
from ordermill.storage.database import Database
from ordermill.storage.imports import SqlImports
from ordermill.storage.memory import MemoryStorage
from ordermill.storage.memory import statistics as memory_statistics
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.statistics import MemoryStatistics
from ordermill.storage.statistics import SqlStatistics, counting, move
from ordermill.storage.tables import HourRow, OrderRow, RefundRow
from ordermill.storage.unit import SqlUnit

pytestmark = pytest.mark.anyio

NOON_HOUR = Bucket(NOON, "EUR")


@dataclass
class Shop:
    """One storage, filled by imports; `damage` adds 1 to what is kept of one hour, behind everybody's back."""

    imports: ImportStore
    store: StatisticsStore
    damage: Callable[[Bucket], Awaitable[None]]

    async def sells(self, *orders: Sold) -> None:
        run = await self.imports.begin(a_file(sha256=f"{random.getrandbits(256):064x}"), at=NOON, actor="test")
        assert await self.imports.load(run, a_batch(*orders), at=NOON)

    async def counts(self, year: int, timezone: str) -> list[int]:
        monthly = await Statistics(self.store).monthly(year, currency="EUR", timezone=timezone)
        return [month.count for month in monthly.months]


@pytest.fixture
async def shop(storage_url: DatabaseUrl | None, anyio_backend: str) -> AsyncIterator[Shop]:
    if storage_url is None:
        memory = MemoryStorage()

        def spoil(book: Book, bucket: Bucket) -> None:
            book.hours[bucket] = {"count": 1, "total": 1, "refunded": 0}

        yield Shop(memory.imports, MemoryStatistics(memory), lambda bucket: memory.write(lambda book: spoil(book, bucket)))
        return
    database = connected(storage_url)

    async def damage(bucket: Bucket) -> None:
        spoilt = {**bucket._asdict(), "stripe": 7, "count": 1, "total": 1, "refunded": 0}
        await database.write(lambda connection: connection.execute(insert(HourRow).values(**spoilt)))

    yield Shop(SqlImports(database), SqlStatistics(database), damage)
    await database.close()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class TestMonthly:
    @pytest.mark.parametrize(
        ("placed_at", "timezone", "month"),
        [
            # RELIABILITY.md 1.1: late on January 31 in New York is February in UTC.
            ("2026-01-31T23:30:00-05:00", "America/New_York", 1),
            ("2026-01-31T23:30:00-05:00", "UTC", 2),
            ("2026-01-31T23:59:59.999999+00:00", "UTC", 1),
            ("2026-02-01T00:00:00+00:00", "UTC", 2),
            # The last second of a month whose end lies inside a UTC hour, and the first of the next.
            ("2026-01-31T23:59:59.999999+05:30", "Asia/Kolkata", 1),
            ("2026-02-01T00:00:00+05:30", "Asia/Kolkata", 2),
            ("2026-02-01T00:29:59+05:30", "Asia/Kolkata", 2),
            ("2026-06-30T23:59:59+05:45", "Asia/Kathmandu", 6),
            ("2026-07-01T00:00:00+05:45", "Asia/Kathmandu", 7),
            # Summer time: 11 hours ahead in January, 10:30 in July, and half an hour twice on April 5.
            ("2026-01-31T23:59:59+11:00", "Australia/Lord_Howe", 1),
            ("2026-06-30T23:59:59+10:30", "Australia/Lord_Howe", 6),
            ("2026-07-01T00:00:00+10:30", "Australia/Lord_Howe", 7),
            # The day of 23 hours and the day of 25.
            ("2026-03-31T23:59:59+02:00", "Europe/Berlin", 3),
            ("2026-04-01T00:00:00+02:00", "Europe/Berlin", 4),
            ("2026-10-31T23:59:59+01:00", "Europe/Berlin", 10),
            ("2026-11-01T00:00:00+01:00", "Europe/Berlin", 11),
            ("2026-12-31T23:59:59.999999+05:30", "Asia/Kolkata", 12),
            ("2026-01-01T00:00:00+05:30", "Asia/Kolkata", 1),
        ],
    )
    async def test_counts_an_order_in_the_month_its_zone_has(
        self, shop: Shop, placed_at: str, timezone: str, month: int
    ) -> None:
        await shop.sells(sold("1", placed_at=at(placed_at)))

        assert await shop.counts(2026, timezone) == [int(number == month) for number in range(1, 13)]

    @pytest.mark.parametrize(
        "placed_at", ["2025-12-31T23:59:59.999999+05:30", "2027-01-01T00:00:00+05:30", "2027-01-01T00:15:00+05:30"]
    )
    async def test_leaves_out_what_other_years_have_of_the_border_hours(self, shop: Shop, placed_at: str) -> None:
        await shop.sells(sold("1", placed_at=at(placed_at)))

        assert sum(await shop.counts(2026, "Asia/Kolkata")) == 0

    async def test_splits_the_refunds_of_a_border_hour_too(self, shop: Shop) -> None:
        placed = at("2026-01-10T12:00:00+05:30")
        await shop.sells(
            sold("1", placed_at=placed, refunded=100, refunded_at=at("2026-01-31T23:59:59+05:30")),
            sold("2", placed_at=placed, refunded=20, refunded_at=at("2026-02-01T00:00:00+05:30")),
            sold("3", placed_at=placed, refunded=3),
            sold("4", placed_at=placed, refunded=500, refunded_at=at("2026-02-01T00:00:00+05:30"), status="cancelled"),
        )

        monthly = await Statistics(shop.store).monthly(2026, currency="EUR", timezone="Asia/Kolkata")

        assert [month.refunded for month in monthly.months[:3]] == [Decimal("1.03"), Decimal("0.20"), Decimal("0.00")]
        assert monthly.total == Decimal("27.00")

    @pytest.mark.parametrize(
        "timezone",
        [
            "UTC",
            "Europe/Berlin",
            "Asia/Kolkata",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "America/St_Johns",
            "Pacific/Chatham",
        ],
    )
    async def test_equals_counting_every_order_by_its_local_date(self, shop: Shop, timezone: str) -> None:
        chance = random.Random(timezone)  # repeatable
        local = ZoneInfo(timezone)
        # Around every midnight that begins a month, where mistakes would show.
        midnights = [datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=local).astimezone(UTC) for month in range(13)]
        moments = [chance.choice(midnights) + timedelta(seconds=chance.randint(-5400, 5400)) for _ in range(200)]
        await shop.sells(*(sold(str(number), placed_at=moment) for number, moment in enumerate(moments)))

        dates = [moment.astimezone(local) for moment in moments]
        expected = [sum((date.year, date.month) == (2026, month) for date in dates) for month in range(1, 13)]
        assert await shop.counts(2026, timezone) == expected
        assert sum(expected) > 100


class TestVerify:
    async def test_finds_nothing_after_imports_and_updates(self, shop: Shop) -> None:
        await shop.sells(
            sold("1"),
            sold("2", currency="JPY", refunded=5),
            sold("3", status="cancelled"),
            sold("4", refunded=50, refunded_at=LATER),
        )
        await shop.sells(sold("1", ("TEA-1", 3, 450)), sold("3"), sold("4", status="cancelled", refunded=50, refunded_at=LATER))

        assert await shop.store.differences() == []
        monthly = await Statistics(shop.store).monthly(2026, currency="EUR", timezone="UTC")
        assert (monthly.count, monthly.total, monthly.refunded) == (2, Decimal("22.50"), Decimal("0.00"))

    async def test_says_which_hour_differs_and_by_what(self, shop: Shop) -> None:
        await shop.sells(sold("1"))
        empty = Bucket(LATER, "EUR")

        await shop.damage(empty)

        assert await shop.store.differences() == [Difference(empty, kept=Figures(1, 1), actual=Figures())]


class TestRebuild:
    async def test_restores_the_figures_and_tells_what_differed(self, shop: Shop) -> None:
        await shop.sells(sold("1"))
        await shop.damage(Bucket(LATER, "JPY"))
        statistics = Statistics(shop.store)

        repaired = await statistics.rebuild()

        assert repaired == [Difference(Bucket(LATER, "JPY"), kept=Figures(1, 1), actual=Figures())]
        assert await statistics.verify() == []
        assert await statistics.rebuild() == []
        assert (await statistics.monthly(2026, currency="JPY", timezone="UTC")).count == 0


class TestCurrencies:
    async def test_tell_first_and_last_order_exactly(self, shop: Shop) -> None:
        first, last = at("2024-02-29T23:59:59.5+00:00"), at("2026-01-01T00:15:00+05:30")
        await shop.sells(
            sold("1", placed_at=last),
            sold("2", placed_at=first),
            sold("3", placed_at=last - timedelta(days=30)),
            sold("4", currency="GBP"),
            sold("5", placed_at=at("2029-01-01T00:00:00+00:00"), status="cancelled"),
            sold("6", currency="USD", status="cancelled"),
        )

        assert await Statistics(shop.store).currencies() == [Extent("EUR", first, last), Extent("GBP", NOON, NOON)]

    async def test_of_an_empty_book_are_none(self, shop: Shop) -> None:
        assert await shop.store.extents() == []


class TestStripes:
    async def test_are_summed(self, database: Database) -> None:
        def write(connection: Connection) -> None:
            for stripe, figures in ((0, Figures(2, 900, 10)), (5, Figures(-1, -400, 0)), (5, Figures(1, 1, 1))):
                move(connection, {NOON_HOUR: figures}, stripe=stripe)

        await database.write(write)
        monthly = await Statistics(SqlStatistics(database)).monthly(2026, currency="EUR", timezone="UTC")

        assert (monthly.count, monthly.total, monthly.refunded) == (2, Decimal("5.01"), Decimal("0.11"))


class TestCounting:
    async def test_keeps_sql_figures_through_the_life_of_an_order(self, database: Database) -> None:
        order = an_order()
        store = SqlStatistics(database)
        async with SqlUnit(database) as unit:
            await unit.orders.add(order)
            await unit.commit()
        await store.correct()
        refund = {"id": order.id, "order_id": order.id, "amount": 250, "at": LATER}
        cancelled = update(OrderRow).where(OrderRow.id == order.id).values(status="cancelled")

        await _counted(database, order, lambda connection: connection.execute(insert(RefundRow).values(**refund)))
        assert await _kept(store) == Figures(1, 900, 250)
        await _counted(database, order, lambda connection: connection.execute(cancelled))

        assert await _kept(store) == Figures(0, 0, 0)
        assert await store.differences() == []

    async def test_keeps_figures_in_memory(self) -> None:
        memory = MemoryStorage()
        order = an_order()
        async with memory.unit() as unit:
            await unit.orders.add(order)
            await unit.commit()
        store = MemoryStatistics(memory)
        await store.correct()

        def cancel(book: Book) -> None:
            with memory_statistics.counting(book, order.id):
                book.orders.replace(order.id, {**book.orders.rows[order.id], "status": Status.CANCELLED.value})

        await memory.write(cancel)

        assert await _kept(store) == Figures(0, 0, 0)
        assert await store.differences() == []


async def _counted(database: Database, order: Order, change: Callable[[Connection], Any]) -> None:
    def work(connection: Connection) -> None:
        with counting(connection, order.id):
            change(connection)

    await database.write(work)


async def _kept(store: StatisticsStore) -> Figures:
    monthly = await Statistics(store).monthly(2026, currency="EUR", timezone="UTC")
    return Figures(monthly.count, int(monthly.total * 100), int(monthly.refunded * 100))
