"""Orders with their items in SQL."""

from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, delete, insert, literal, or_, select, tuple_

from ordermill.kit.errors import NotFound
from ordermill.kit.text import email_key
from ordermill.orders.model import Order
from ordermill.orders.ports import OrderFilter, Place
from ordermill.storage import entities
from ordermill.storage.channels import channel_id
from ordermill.storage.repositories.entity import SqlRepository
from ordermill.storage.statistics import counting
from ordermill.storage.tables import ChannelRow, ItemRow, OrderRow, PaymentRow, RefundRow, UserRow, VersionRow

# As many orders as are read at a time when all are gone through.
PAGE: Final = 500


class SqlOrders(SqlRepository[Order, UUID]):
    """`orders.ports.OrderRepository`."""

    row = OrderRow
    noun = "order"

    async def by_number(self, number: str, *, channel: str | None = None) -> Sequence[Order]:
        return await self.newest(OrderFilter(number=number, channel=channel), limit=100)

    async def newest(self, wanted: OrderFilter, *, limit: int, after: Place | None = None) -> Sequence[Order]:
        query = _filtered(wanted).order_by(OrderRow.placed_at.desc(), OrderRow.id.desc()).limit(limit)
        if after is not None:
            # Compared as a pair, which is what an index can be searched by.
            query = query.where(tuple_(OrderRow.placed_at, OrderRow.id) < _pair(after))
        return await self._store.read(lambda connection: self.load(connection, query))

    async def every(self, wanted: OrderFilter) -> AsyncIterator[Order]:
        query = _filtered(wanted).order_by(OrderRow.id).limit(PAGE)
        page: Sequence[Order] = await self._page(query)
        while page:
            for order in page:
                yield order
            page = await self._page(query.where(OrderRow.id > page[-1].id))

    async def require_seen(self, id: UUID, *, by: int) -> None:
        def prove(connection: Connection) -> None:
            if connection.execute(_seen(id, by=by)).first() is None:
                raise NotFound("There is no such order.", code="order_not_found")

        self._told.change(prove)

    async def _page(self, query: Select[Any]) -> Sequence[Order]:
        return await self._store.read(lambda connection: self.load(connection, query))

    def load(self, connection: Connection, query: Select[Any]) -> list[Order]:
        columns = (*OrderRow.__table__.c, ChannelRow.name.label("channel"), UserRow.email.label("customer_email"))
        joined = query.with_only_columns(*columns).select_from(OrderRow)
        joined = joined.join(ChannelRow, ChannelRow.id == OrderRow.channel_id).outerjoin(
            UserRow, UserRow.id == OrderRow.user_id
        )
        rows = connection.execute(joined).mappings().all()
        items = _items(connection, [row["id"] for row in rows])
        return [entities.order(row, items.get(row["id"], [])) for row in rows]

    def to_row(self, entity: Order) -> dict[str, Any]:
        return entities.order_row(entity)

    def new_row(self, connection: Connection, entity: Order) -> dict[str, Any]:
        channel = channel_id(connection, entity.channel, at=entity.updated_at)
        return {**self.to_row(entity), "channel_id": channel, "status_set_here": False}

    def changed_row(self, entity: Order) -> dict[str, Any]:
        # A status that changes by this way and not by an import is one that later imports leave alone.
        kept = or_(OrderRow.status_set_here, OrderRow.status != entity.status.value)
        return {**self.to_row(entity), "status_set_here": kept}

    def written(self, connection: Connection, entity: Order) -> None:
        connection.execute(delete(ItemRow).where(ItemRow.order_id == entity.id))
        if entity.items:
            connection.execute(insert(ItemRow), entities.item_rows(entity))

    def insert(self, connection: Connection, entity: Order, id: UUID | None, /) -> UUID:
        with counting(connection, entity.id):
            return super().insert(connection, entity, id)

    def replace(self, connection: Connection, entity: Order, expected: int, /) -> None:
        with counting(connection, entity.id):
            super().replace(connection, entity, expected)

    def remove(self, connection: Connection, id: UUID, /) -> None:
        with counting(connection, id):
            for row in (ItemRow, PaymentRow, RefundRow, VersionRow):
                connection.execute(delete(row).where(row.order_id == id))
            super().remove(connection, id)


def _filtered(wanted: OrderFilter) -> Select[Any]:
    query = select(OrderRow)
    plain = {"status": wanted.status, "payment": wanted.payment, "number": wanted.number}
    query = query.filter_by(**{name: value for name, value in plain.items() if value is not None})
    if wanted.channel is not None:
        query = query.where(
            OrderRow.channel_id == select(ChannelRow.id).where(ChannelRow.name == wanted.channel).scalar_subquery()
        )
    if wanted.customer is not None:
        key = email_key(wanted.customer)
        query = query.where(OrderRow.user_id == select(UserRow.id).where(UserRow.email_key == key).scalar_subquery())
    if wanted.placed_from is not None:
        query = query.where(OrderRow.placed_at >= wanted.placed_from)
    if wanted.placed_to is not None:
        query = query.where(OrderRow.placed_at < wanted.placed_to)
    return query


def _pair(place: Place) -> Any:
    return tuple_(literal(place.placed_at, OrderRow.placed_at.type), literal(place.id, OrderRow.id.type))


def _seen(id: UUID, *, by: int) -> Select[Any]:
    """Find an order if a user sees it: `orders.ports.OrderReader`; the same as `reading` asks in text."""
    owned = select(OrderRow.id).join_from(OrderRow, UserRow, UserRow.id == OrderRow.user_id)
    return owned.where(
        OrderRow.id == id,
        UserRow.id == by,
        UserRow.is_active,
        UserRow.erased_at.is_(None),
        or_(UserRow.email_verified_at.is_not(None), OrderRow.placed_by_customer),
    )


def _items(connection: Connection, orders: list[UUID]) -> dict[UUID, list[Any]]:
    if not orders:
        return {}
    query = select(*ItemRow.__table__.c).where(ItemRow.order_id.in_(orders)).order_by(ItemRow.order_id, ItemRow.position)
    rows = connection.execute(query).mappings().all()
    return {order: list(group) for order, group in groupby(rows, key=lambda row: row["order_id"])}
