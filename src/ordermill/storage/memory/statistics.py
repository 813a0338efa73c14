"""Statistics over the book in memory: the hours are kept by whoever writes orders, as they are in SQL."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from ordermill.statistics.delta import CANCELLED, OrderFigures, RefundFigures, delta
from ordermill.statistics.model import NOTHING, Bucket, CustomerFigures, Difference, Extent, Figures, Stretch
from ordermill.storage.entities import Row
from ordermill.storage.gathering import Store
from ordermill.storage.memory.book import Book


class MemoryStatistics:
    """`statistics.ports.StatisticsStore`."""

    def __init__(self, store: Store[Book]) -> None:
        self._store = store

    async def figures(self, currency: str, stretches: Sequence[Stretch]) -> list[Figures]:
        return await self._store.read(lambda book: [_figures(book, currency, stretch) for stretch in stretches])

    async def extents(self) -> list[Extent]:
        return await self._store.read(_extents)

    async def customer(self, user_id: int, *, currency: str, placed_by_customer: bool) -> CustomerFigures:
        def look(book: Book) -> CustomerFigures:
            rows = [
                row
                for row in book.orders.rows.values()
                if (row["user_id"], row["currency"]) == (user_id, currency)
                and row["status"] != CANCELLED
                and (row.get("placed_by_customer") or not placed_by_customer)
            ]
            placed = [row["placed_at"] for row in rows]
            total = sum(row["total"] for row in rows)
            return CustomerFigures(len(rows), total, min(placed, default=None), max(placed, default=None))

        return await self._store.read(look)

    async def differences(self) -> list[Difference]:
        return await self._store.read(_differences)

    async def correct(self) -> list[Difference]:
        def work(book: Book) -> list[Difference]:
            found = _differences(book)
            for each in found:
                _keep(book, each.bucket, each.actual)
            return found

        return await self._store.write(work)


@contextmanager
def counting(book: Book, order: UUID) -> Iterator[None]:
    """Move the kept figures by whatever the block does to an order: add it, change it, remove it."""
    before = _order_figures(book, order)
    yield
    for bucket, figures in delta(before, _order_figures(book, order)).items():
        _keep(book, bucket, _kept(book, bucket) + figures)


def _keep(book: Book, bucket: Bucket, figures: Figures) -> None:
    book.hours[bucket.hour, bucket.currency] = {"count": figures.count, "total": figures.total, "refunded": figures.refunded}


def _kept(book: Book, bucket: Bucket) -> Figures:
    row = book.hours.get((bucket.hour, bucket.currency))
    return NOTHING if row is None else Figures(row["count"], row["total"], row["refunded"])


def _order_figures(book: Book, order: UUID) -> OrderFigures | None:
    row = book.orders.rows.get(order)
    if row is None:
        return None
    refunds = tuple(RefundFigures(refund["at"], refund["amount"]) for refund in book.refunds.get(order, ()))
    return OrderFigures(row["status"], row["currency"], row["placed_at"], row["total"], refunds)


def _figures(book: Book, currency: str, stretch: Stretch) -> Figures:
    if stretch.whole:
        hours = (hour for hour, kept_currency in book.hours if kept_currency == currency and _within(stretch, hour))
        return sum((_kept(book, Bucket(hour, currency)) for hour in hours), NOTHING)
    orders = [row for row in _counted(book) if row["currency"] == currency]
    placed = [row["total"] for row in orders if _within(stretch, row["placed_at"])]
    refunds = (refund for row in orders for refund in book.refunds.get(row["id"], ()))
    return Figures(len(placed), sum(placed), sum(refund["amount"] for refund in refunds if _within(stretch, refund["at"])))


def _within(stretch: Stretch, moment: datetime) -> bool:
    return stretch.start <= moment < stretch.end


def _counted(book: Book) -> Iterator[Row]:
    return (row for row in book.orders.rows.values() if row["status"] != CANCELLED)


def _extents(book: Book) -> list[Extent]:
    moments: dict[str, list[datetime]] = defaultdict(list)
    for row in _counted(book):
        moments[row["currency"]].append(row["placed_at"])
    return [Extent(currency, min(moments[currency]), max(moments[currency])) for currency in sorted(moments)]


def _differences(book: Book) -> list[Difference]:
    actual: dict[Bucket, Figures] = defaultdict(Figures)
    for order in book.orders.rows:
        for bucket, figures in delta(None, _order_figures(book, order)).items():
            actual[bucket] += figures
    buckets = sorted({*actual, *(Bucket(*key) for key in book.hours)})
    each = (Difference(bucket, _kept(book, bucket), actual.get(bucket, NOTHING)) for bucket in buckets)
    return [difference for difference in each if difference.kept != difference.actual]
