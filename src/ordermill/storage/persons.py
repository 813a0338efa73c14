"""All that is kept of one person, in SQL: gone through for an export, and forgotten (erasing.py)."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Executable, Select, exists, select

from ordermill.accounts.model import User
from ordermill.kit.events import Event
from ordermill.kit.text import email_key
from ordermill.privacy.model import Erased, Erasure, Purchase, SignIn, Use
from ordermill.storage import entities, erasing
from ordermill.storage.database import Database
from ordermill.storage.tables import (
    ChannelRow,
    DiscountRow,
    EventRow,
    ItemRow,
    OrderRow,
    PaymentRow,
    RefundRow,
    SessionRow,
    UseRow,
    UserRow,
)

PAGE: Final = 200


class SqlPersons:
    """`privacy.ports.PersonStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def user(self, id: int) -> User | None:
        return await self._user(UserRow.id == id)

    async def by_email(self, email: str) -> User | None:
        return await self._user(UserRow.email_key == email_key(email))

    async def purchases(self, user_id: int, *, placed_by_customer: bool) -> AsyncIterator[Purchase]:
        query = _orders(user_id, placed_by_customer=placed_by_customer)
        page = await self._database.read(partial(_purchases, query=query))
        while page:
            for purchase in page:
                yield purchase
            page = await self._database.read(partial(_purchases, query=query.where(OrderRow.id > page[-1].order.id)))

    async def sessions(self, user_id: int) -> Sequence[SignIn]:
        known = (SessionRow.id, SessionRow.created_at, SessionRow.refreshed_at, SessionRow.expires_at, SessionRow.revoked_at)
        query = select(*known).where(SessionRow.user_id == user_id).order_by(SessionRow.id)
        return await self._database.read(lambda connection: [SignIn(**row) for row in _mappings(connection, query)])

    async def discount_uses(self, user_id: int, *, placed_by_customer: bool) -> Sequence[Use]:
        query = (
            select(UseRow.order_id, DiscountRow.code, UseRow.at)
            .join_from(UseRow, DiscountRow, DiscountRow.id == UseRow.discount_id)
            .where(UseRow.user_id == user_id)
            .order_by(UseRow.at, UseRow.order_id)
        )
        if placed_by_customer:
            query = query.where(exists().where(OrderRow.id == UseRow.order_id, OrderRow.placed_by_customer.is_(True)))
        return await self._database.read(lambda connection: [Use(**row) for row in _mappings(connection, query)])

    async def events(self, user_id: int) -> Sequence[Event]:
        about = (EventRow.user_id == user_id, EventRow.order_id.is_(None))
        query = select(*EventRow.__table__.c).where(*about).order_by(EventRow.id)
        return await self._database.read(lambda connection: [Event(**row) for row in _mappings(connection, query)])

    async def erase(self, erasure: Erasure) -> Erased:
        return await self._database.write(lambda connection: erasing.erase(connection, erasure))

    async def _user(self, condition: Any) -> User | None:
        query = select(*UserRow.__table__.c).where(condition)
        found = await self._database.read(lambda connection: _mappings(connection, query))
        return entities.user(found[0]) if found else None


def _orders(user_id: int, *, placed_by_customer: bool) -> Select[Any]:
    query = (
        select(*OrderRow.__table__.c, ChannelRow.name.label("channel"), UserRow.email.label("customer_email"))
        .join_from(OrderRow, ChannelRow, ChannelRow.id == OrderRow.channel_id)
        .join(UserRow, UserRow.id == OrderRow.user_id)
        .where(OrderRow.user_id == user_id)
        .order_by(OrderRow.id)
        .limit(PAGE)
    )
    return query.where(OrderRow.placed_by_customer.is_(True)) if placed_by_customer else query


def _purchases(connection: Connection, *, query: Select[Any]) -> Sequence[Purchase]:
    orders = _mappings(connection, query)
    ids = [row["id"] for row in orders]
    if not ids:
        return []
    items = _of_orders(connection, ItemRow, ids, ItemRow.position)
    payments = _of_orders(connection, PaymentRow, ids, PaymentRow.at, PaymentRow.id)
    refunds = _of_orders(connection, RefundRow, ids, RefundRow.at, RefundRow.id)
    events = _of_orders(connection, EventRow, ids, EventRow.sequence, EventRow.id)
    return [
        Purchase(
            order=entities.order(row, items[row["id"]]),
            payments=tuple(entities.movement(each, currency=row["currency"]) for each in payments[row["id"]]),
            refunds=tuple(entities.movement(each, currency=row["currency"]) for each in refunds[row["id"]]),
            events=tuple(Event(**each) for each in events[row["id"]]),
        )
        for row in orders
    ]


def _of_orders(connection: Connection, row: Any, ids: Sequence[UUID], *order: Any) -> dict[UUID, list[Any]]:
    query = select(*row.__table__.c).where(row.order_id.in_(ids)).order_by(*order)
    found: dict[UUID, list[Any]] = defaultdict(list)
    for each in _mappings(connection, query):
        found[each["order_id"]].append(each)
    return found


def _mappings(connection: Connection, query: Executable) -> Sequence[Any]:
    return connection.execute(query).mappings().all()
