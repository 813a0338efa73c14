"""
Imports taken back in SQL, some orders at a time: `imports.undo` says how far, and its row's lock who is at it.

An order is judged under its own lock, since what an undo may touch is what nobody has touched before it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, exists, func, insert, null, or_, select, update

from ordermill.imports.model import Import, Left, Undo
from ordermill.imports.undo import ACTOR
from ordermill.kit.errors import Conflict, Unavailable
from ordermill.kit.ids import first_id, new_id, new_ids
from ordermill.storage.bulk import versions
from ordermill.storage.database import Database
from ordermill.storage.erased import wait_for_erasures
from ordermill.storage.imports import ATTEMPTS, find_runs
from ordermill.storage.statistics import counting
from ordermill.storage.tables import (
    EventRow,
    ImportRow,
    ItemRow,
    OneTimeTokenRow,
    OrderRow,
    PaymentRow,
    RefundRow,
    UserRow,
    VersionRow,
)

# Orders a step: some tenths of a second on SQLite, where others wait for it.
STEP: Final = 500
# A clock that was set back during an import gave ids before its beginning; one set forward, behind its end.
_CLOCKS: Final = timedelta(days=1)

_LATER: Final = VersionRow.__table__.alias("later")
_OTHER: Final = OrderRow.__table__.alias("other")


class SqlUndo:
    """`imports.ports.UndoStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, id: UUID, *, actor: str = ACTOR) -> Import | None:
        def work(connection: Connection) -> Import | None:
            run = _locked(connection, id)
            if run is not None and run.undoable:
                run.state, run.undo = "undoing", (run.undo or Undo()).again(actor=actor)
                _keep(connection, run)
            return run

        return await self._database.write(work)

    async def step(self, id: UUID, *, at: datetime) -> Import:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._database.write(lambda connection: _step(connection, id, at))
            except (Conflict, Unavailable) as refusal:
                # An import may bring an order of somebody we were about to remove.
                if attempt == ATTEMPTS or (isinstance(refusal, Unavailable) and refusal.code != "database_busy"):
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def left(self, id: UUID) -> AsyncIterator[Left]:
        found = await self._database.read(lambda connection: find_runs(connection, ImportRow.id == id))
        for created, query in [(False, _updated(id)), *((True, _created(run)) for run in found)]:
            after = UUID(int=0)
            while page := await self._database.read(partial(_rows, query=_behind(query, after))):
                for row in page:
                    yield Left(row.id, row.number, created=created, reason=row.obstacle or "free")
                after = page[-1].id


def _locked(connection: Connection, id: UUID) -> Import | None:
    connection.execute(select(ImportRow.id).where(ImportRow.id == id).with_for_update())
    found = find_runs(connection, ImportRow.id == id)
    return found[0] if found else None


def _keep(connection: Connection, run: Import) -> None:
    undo = run.undo and run.undo.as_json()
    connection.execute(update(ImportRow).where(ImportRow.id == run.id).values(state=run.state, undo=undo))


def _step(connection: Connection, id: UUID, at: datetime) -> Import:
    wait_for_erasures(connection)
    run = _locked(connection, id)
    if run is None or run.undo is None:
        raise AssertionError("an undo is stepped through once it has begun")
    if run.state != "undoing":
        return run
    undo = run.undo
    orders = _judged(connection, run, undo)
    free = [order for order in orders if order.obstacle is None]
    if free:
        _take_back(connection, run, undo, free, at)
    undo.left += len(orders) - len(free)
    undo.after = orders[-1].id if orders else undo.after
    if len(orders) < STEP:
        if undo.step == "updated":
            undo.step, undo.after = "created", None
        else:
            run.state = "undone"
            _tell_end(connection, run, undo, at)
    _keep(connection, run)
    return run


def _judged(connection: Connection, run: Import, undo: Undo) -> Sequence[Any]:
    """Lock the next orders of an undo, and judge each by what holds from then on."""
    query = _updated(run.id) if undo.step == "updated" else _created(run)
    next_ones = _behind(query, undo.after or UUID(int=0)).with_only_columns(OrderRow.id)
    ids = connection.execute(next_ones.with_for_update(of=OrderRow)).scalars().all()
    return connection.execute(query.where(OrderRow.id.in_(ids)).order_by(OrderRow.id)).all()


def _take_back(connection: Connection, run: Import, undo: Undo, orders: Sequence[Any], at: datetime) -> None:
    ids = [order.id for order in orders]
    with counting(connection, *ids):
        if undo.step == "updated":
            versions.restore(connection, run.id, ids, at=at)
        else:
            for row in (ItemRow, PaymentRow, RefundRow, VersionRow):
                connection.execute(delete(row).where(row.order_id.in_(ids)))
            connection.execute(delete(OrderRow).where(OrderRow.id.in_(ids)))
    if undo.step == "updated":
        undo.restored += len(ids)
        orders_now = select(OrderRow.id, OrderRow.status, OrderRow.payment).where(OrderRow.id.in_(ids))
        _tell(connection, run, "order.updated", connection.execute(orders_now).all(), at)
    else:
        undo.removed += len(ids)
        _tell(connection, run, "order.removed", orders, at)
    undo.users += _remove_users(connection, run, {order.user_id for order in orders if order.user_id is not None})


def _tell(connection: Connection, run: Import, kind: str, orders: Sequence[Any], at: datetime) -> None:
    ids = [order.id for order in orders]
    last = select(EventRow.order_id, func.max(EventRow.sequence)).where(EventRow.order_id.in_(ids)).group_by(EventRow.order_id)
    sequences = {id: sequence for id, sequence in connection.execute(last)}  # noqa: C416  # a dict of Rows is not one of tuples
    shared = {"type": kind, "at": at, "actor": run.undo.actor if run.undo else ACTOR, "import_id": run.id}
    told = [
        {
            "id": id,
            **shared,
            "order_id": order.id,
            "sequence": (sequences.get(order.id) or 0) + 1,
            "data": {"status": order.status, "payment": order.payment},
        }
        for id, order in zip(new_ids(len(orders), at=at), orders, strict=True)
    ]
    connection.execute(insert(EventRow), told)


def _tell_end(connection: Connection, run: Import, undo: Undo, at: datetime) -> None:
    event = {"id": new_id(at), "type": "import.undone", "at": at, "actor": undo.actor, "import_id": run.id}
    connection.execute(insert(EventRow).values(**event, data=undo.counts))


def _remove_users(connection: Connection, run: Import, users: Iterable[int]) -> int:
    """
    Remove those of these buyers that imports alone brought: never claimed nor changed, and without any order, also without
    one that another undo may give back to them.

    They came while this import ran, or one that is undone as well: the last of them to be undone takes them along.
    """
    undone = or_(ImportRow.id == run.id, ImportRow.state.in_(["undoing", "undone"]))
    brought = exists().where(undone, UserRow.created_at.between(ImportRow.started_at, ImportRow.finished_at))
    statement = delete(UserRow).where(
        UserRow.id.in_(sorted(users)),
        *(UserRow.password.is_(None), UserRow.email_verified_at.is_(None), UserRow.erased_at.is_(None)),
        *(UserRow.is_staff.is_(False), UserRow.version == 1),
        *(~exists().where(row.user_id == UserRow.id) for row in (OrderRow, VersionRow, OneTimeTokenRow)),
        brought,
    )
    return connection.execute(statement).rowcount


def _rows(connection: Connection, *, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()


def _behind(query: Select[Any], order: UUID) -> Select[Any]:
    return query.where(OrderRow.id > order).order_by(OrderRow.id).limit(STEP)


def _updated(run: UUID) -> Select[Any]:
    """Return the query for the orders that still are as a run's update left them, or later."""
    # Two questions, since each has an index of its own: as one, it would go through the whole channel for each order.
    taken = [
        exists().where(
            _OTHER.c.channel_id == OrderRow.channel_id,
            _OTHER.c[name] == VersionRow.previous["orders", 0, name].as_string(),
            _OTHER.c.id != OrderRow.id,
        )
        for name in ("number", "external_id")
    ]
    obstacle = _obstacle(VersionRow.version, *((owner, "number_taken") for owner in taken))
    return _orders(obstacle).join(VersionRow, VersionRow.order_id == OrderRow.id).where(VersionRow.import_id == run)


def _created(run: Import) -> Select[Any]:
    """Return the query for the orders of a run that are still there."""
    first, last = first_id(run.started_at - _CLOCKS), first_id((run.finished_at or run.started_at) + _CLOCKS)
    # Without an index: ids are in order of time, so these lie in one stretch of them.
    mine = and_(OrderRow.import_id == run.id, OrderRow.id.between(first, last))
    return _orders(_obstacle(-1)).where(mine)


def _orders(obstacle: ColumnElement[Any]) -> Select[Any]:
    known = (OrderRow.id, OrderRow.number, OrderRow.status, OrderRow.payment, OrderRow.user_id)
    return select(*known, obstacle.label("obstacle")).select_from(OrderRow)


def _obstacle(than: Any, *more: tuple[ColumnElement[bool], str]) -> ColumnElement[Any]:
    """Say why an order stays, given the version from which on an update is a later one."""
    later = exists().where(_LATER.c.order_id == OrderRow.id, _LATER.c.version > than)
    changed = OrderRow.version.is_distinct_from(OrderRow.imported_version)
    return case((later, "updated_later"), (changed, "changed_since"), *more, else_=null())
