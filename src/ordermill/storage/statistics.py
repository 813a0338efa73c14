"""The kept figures in SQL: read, moved with every order that is written, proved and corrected."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
    union_all,
)

from ordermill.kit.calendar import HOUR
from ordermill.statistics.delta import CANCELLED, OrderFigures, RefundFigures, delta
from ordermill.statistics.model import NOTHING, Bucket, CustomerFigures, Difference, Extent, Figures, Stretch
from ordermill.storage.customers import customer_figures
from ordermill.storage.database import Database
from ordermill.storage.spill import spilling
from ordermill.storage.statements import upsert
from ordermill.storage.tables import HourRow, OrderRow, RefundRow
from ordermill.storage.types import Instant

# The stripe of imports, which touch many hours at once, and of corrections. Orders written one by one are spread over the
# others, so that writers at the same moment seldom wait for the same row; readers sum them all.
STRIPE: Final = 0
SPREAD: Final = 7
_Sums = tuple[ColumnElement[Any], ...]
_FIGURES: Final = ("count", "total", "refunded")
# Any number does, as long as it is not that of schema/migrate.py.
_CORRECTION_LOCK: Final = 0x0D3313


class SqlStatistics:
    """`statistics.ports.StatisticsStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, currency: str, stretches: Sequence[Stretch]) -> list[Figures]:
        return await self._database.read(lambda connection: _figures(connection, currency, stretches))

    async def extents(self) -> list[Extent]:
        return await self._database.read(_extents)

    async def customer(self, user_id: int, *, currency: str, placed_by_customer: bool) -> CustomerFigures:
        def look(connection: Connection) -> CustomerFigures:
            return customer_figures(connection, user_id, currency=currency, placed_by_customer=placed_by_customer)

        return await self._database.read(look)

    async def differences(self) -> list[Difference]:
        def work(connection: Connection) -> list[Difference]:
            with spilling(connection):
                return _differences(connection)

        return await self._database.read(work, patient=True)

    async def correct(self) -> list[Difference]:
        def work(connection: Connection) -> list[Difference]:
            # Writers may go on, for they and we only add. A second correction would add the same once more.
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(select(func.pg_advisory_xact_lock(_CORRECTION_LOCK)))
            found = _differences(connection)
            move(connection, {each.bucket: each.actual - each.kept for each in found})
            return found

        return await self._database.write(work)


def move(connection: Connection, moved: Mapping[Bucket, Figures], *, stripe: int = STRIPE) -> None:
    """Add to the kept figures what `statistics.delta` returned, in its order."""
    if not moved:
        return
    statement = upsert(connection, HourRow)
    added = {name: getattr(HourRow, name) + getattr(statement.excluded, name) for name in _FIGURES}
    statement = statement.on_conflict_do_update(index_elements=["hour", "currency", "stripe"], set_=added)
    rows = [
        {**bucket._asdict(), "stripe": stripe, **{name: getattr(figures, name) for name in _FIGURES}}
        for bucket, figures in moved.items()
    ]
    connection.execute(statement, rows)


@contextmanager
def counting(connection: Connection, *orders: UUID) -> Iterator[None]:
    """Move the kept figures by whatever the block does to these orders: add, change or remove them."""
    before = _order_figures(connection, orders)
    yield
    after = _order_figures(connection, orders)
    moved: dict[Bucket, Figures] = {}
    for order in orders:
        for bucket, figures in delta(before.get(order), after.get(order)).items():
            moved[bucket] = moved.get(bucket, NOTHING) + figures
    stripe = STRIPE + 1 + orders[0].int % SPREAD if len(orders) == 1 else STRIPE
    told = {bucket: moved[bucket] for bucket in sorted(moved) if moved[bucket] != NOTHING}
    move(connection, told, stripe=stripe)


def _order_figures(connection: Connection, orders: Sequence[UUID]) -> dict[UUID, OrderFigures]:
    columns = (OrderRow.id, OrderRow.status, OrderRow.currency, OrderRow.placed_at, OrderRow.total)
    rows = connection.execute(select(*columns).where(OrderRow.id.in_(orders))).all()
    given_back = select(RefundRow.order_id, RefundRow.at, RefundRow.amount).where(RefundRow.order_id.in_(orders))
    refunds: dict[UUID, list[RefundFigures]] = {id: [] for id, *_ in rows}
    for order, at, amount in connection.execute(given_back) if rows else ():
        refunds[order].append(RefundFigures(at, amount))
    return {
        id: OrderFigures(status, currency, placed_at, total, tuple(refunds[id]))
        for id, status, currency, placed_at, total in rows
    }


def differences(connection: Connection) -> Select[Any]:
    """Return the query for every hour whose kept figures (`kept_…`) are not those of its orders (`actual_…`)."""
    kept = select(
        HourRow.hour, HourRow.currency, *_columns("kept", *(getattr(HourRow, name) for name in _FIGURES)), *_zeros("actual")
    )
    placed = select(
        _hour(connection, OrderRow.placed_at), OrderRow.currency, *_zeros("kept"),
        *_columns("actual", literal_column("1"), OrderRow.total, literal_column("0")),
    ).where(OrderRow.status != CANCELLED)  # fmt: skip
    refunded = (
        select(
            _hour(connection, RefundRow.at), OrderRow.currency, *_zeros("kept"),
            *_columns("actual", literal_column("0"), literal_column("0"), RefundRow.amount),
        )
        .join_from(RefundRow, OrderRow, OrderRow.id == RefundRow.order_id)
        .where(OrderRow.status != CANCELLED)
    )  # fmt: skip
    both = union_all(kept, placed, refunded).subquery()
    sums = {name: func.sum(both.c[name]) for side in ("kept", "actual") for name in _named(side)}
    differs = or_(*(sums[f"kept_{name}"] != sums[f"actual_{name}"] for name in _FIGURES))
    return (
        select(both.c.hour, both.c.currency, *(total.label(name) for name, total in sums.items()))
        .group_by(both.c.hour, both.c.currency)
        .having(differs)
    )


def _differences(connection: Connection) -> list[Difference]:
    rows = connection.execute(differences(connection)).mappings()
    found = [
        Difference(
            Bucket(row["hour"], row["currency"]),
            _of(row[name] for name in _named("kept")),
            _of(row[name] for name in _named("actual")),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: each.bucket)


def _hour(connection: Connection, moment: Any) -> ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        beginning = func.substr(moment, 1, len("2026-01-31 23"), type_=String) + ":00:00"
        return type_coerce(beginning, Instant).label("hour")
    return func.date_trunc("hour", moment, "UTC", type_=Instant).label("hour")


def _named(side: str) -> list[str]:
    return [f"{side}_{name}" for name in _FIGURES]


def _columns(side: str, *values: Any) -> list[ColumnElement[Any]]:
    return [value.label(name) for name, value in zip(_named(side), values, strict=True)]


def _zeros(side: str) -> list[ColumnElement[Any]]:
    return _columns(side, *[literal_column("0")] * len(_FIGURES))


def _figures(connection: Connection, currency: str, stretches: Sequence[Stretch]) -> list[Figures]:
    found = [NOTHING] * len(stretches)
    whole = [number for number, stretch in enumerate(stretches) if stretch.whole]
    split = [number for number, stretch in enumerate(stretches) if not stretch.whole]
    for source, numbers in ((_kept, whole), (_placed, split), (_refunded, split)):
        if numbers:
            asked = [stretches[number] for number in numbers]
            for place, *values in connection.execute(_sums(source, len(asked)), _parameters(asked, currency)):
                found[numbers[place]] += _of(values)
    return found


@cache
def _sums(source: Callable[[int], Select[*tuple[Any, ...]]], stretches: int) -> CompoundSelect[*tuple[Any, ...]]:
    """Return one statement over so many stretches. Remembered, for building it takes as long as running it."""
    return union_all(*(source(place) for place in range(stretches)))


def _parameters(stretches: Sequence[Stretch], currency: str) -> dict[str, Any]:
    ends = {f"{end}_{place}": getattr(stretch, end) for place, stretch in enumerate(stretches) for end in ("start", "end")}
    return {"currency": currency, **ends}


def _of(values: Iterable[Any]) -> Figures:
    # Sums of BIGINT come as Decimal from PostgreSQL, and as None where there is no row.
    return Figures(*(int(value or 0) for value in values))


def _kept(place: int) -> Select[*tuple[Any, ...]]:
    figures = (func.sum(getattr(HourRow, name)) for name in _FIGURES)
    return _within(place, HourRow.hour, *figures).where(HourRow.currency == bindparam("currency"))


def _placed(place: int) -> Select[*tuple[Any, ...]]:
    figures: _Sums = (func.count(), func.sum(OrderRow.total), literal_column("0"))
    counted = and_(OrderRow.currency == bindparam("currency"), OrderRow.status != CANCELLED)
    return _within(place, OrderRow.placed_at, *figures).where(counted)


def _refunded(place: int) -> Select[*tuple[Any, ...]]:
    figures: _Sums = (literal_column("0"), literal_column("0"), func.sum(RefundRow.amount))
    # Not a join, which a planner without statistics may begin at the orders: all of them, once for each stretch.
    counted = exists().where(
        OrderRow.id == RefundRow.order_id, OrderRow.status != CANCELLED, OrderRow.currency == bindparam("currency")
    )
    return _within(place, RefundRow.at, *figures).where(counted)


def _within(place: int, moment: Any, *figures: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Return the sums over the stretch that the parameters `start_N` and `end_N` name."""
    stretch = and_(moment >= bindparam(f"start_{place}"), moment < bindparam(f"end_{place}"))
    return select(literal_column(str(place)), *figures).where(stretch)


def _extents(connection: Connection) -> list[Extent]:
    """Find the first and last hour in what is kept, and then the very moments among the orders of these hours."""
    hours = select(HourRow.hour, HourRow.currency).group_by(HourRow.hour, HourRow.currency).having(func.sum(HourRow.count) > 0)
    each = hours.subquery()
    ends = select(each.c.currency, func.min(each.c.hour, type_=Instant), func.max(each.c.hour, type_=Instant)).group_by(
        each.c.currency
    )
    return [
        Extent(currency, _moment(connection, currency, first, func.min), _moment(connection, currency, last, func.max))
        for currency, first, last in connection.execute(ends.order_by(each.c.currency)).all()
    ]


def _moment(connection: Connection, currency: str, hour: Any, which: Any) -> Any:
    counted = and_(OrderRow.currency == currency, OrderRow.status != CANCELLED)
    within = and_(OrderRow.placed_at >= hour, OrderRow.placed_at < hour + HOUR)
    found = connection.execute(select(which(OrderRow.placed_at, type_=Instant)).where(counted, within)).scalar()
    return hour if found is None else found
