"""Orders with their items in SQL; amounts are minor units there and decimals here."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, and_, delete, insert, or_, select

from ordermill.kit.money import UNIT_PRICE_EXPONENT, Currency, unit_price, unit_price_units
from ordermill.kit.text import email_key
from ordermill.orders.model import Address, Item, Order, PaymentState, Status
from ordermill.orders.ports import OrderFilter
from ordermill.storage.channels import channel_id
from ordermill.storage.repositories.entity import SqlRepository
from ordermill.storage.tables import ChannelRow, ItemRow, OrderRow, UserRow

AMOUNTS: Final = ("subtotal", "discount", "shipping", "tax", "tax_included", "total", "paid", "refunded")
# As many orders as are read at a time when all are gone through.
PAGE: Final = 500


class SqlOrders(SqlRepository[Order, UUID]):
    """`orders.ports.OrderRepository`."""

    row = OrderRow
    noun = "order"

    async def by_number(self, number: str, *, channel: str | None = None) -> Sequence[Order]:
        return await self.newest(OrderFilter(number=number, channel=channel), limit=100)

    async def newest(self, wanted: OrderFilter, *, limit: int, after: UUID | None = None) -> Sequence[Order]:
        query = _filtered(wanted).order_by(OrderRow.placed_at.desc(), OrderRow.id.desc()).limit(limit)
        if after is not None:
            query = query.where(_behind(after))
        return await self._database.read(lambda connection: self.load(connection, query))

    async def every(self, wanted: OrderFilter) -> AsyncIterator[Order]:
        query = _filtered(wanted).order_by(OrderRow.id).limit(PAGE)
        page: Sequence[Order] = await self._page(query)
        while page:
            for order in page:
                yield order
            page = await self._page(query.where(OrderRow.id > page[-1].id))

    async def _page(self, query: Select[Any]) -> Sequence[Order]:
        return await self._database.read(lambda connection: self.load(connection, query))

    def load(self, connection: Connection, query: Select[Any]) -> list[Order]:
        columns = (*OrderRow.__table__.c, ChannelRow.name.label("channel"), UserRow.email.label("customer_email"))
        joined = query.with_only_columns(*columns).select_from(OrderRow)
        joined = joined.join(ChannelRow, ChannelRow.id == OrderRow.channel_id).outerjoin(
            UserRow, UserRow.id == OrderRow.user_id
        )
        rows = connection.execute(joined).mappings().all()
        items = _items(connection, [row["id"] for row in rows])
        return [_order(row, items.get(row["id"], [])) for row in rows]

    def to_row(self, entity: Order) -> dict[str, Any]:
        money = Currency.of(entity.currency)
        return {
            "number": entity.number,
            "external_id": entity.external_id,
            "status": entity.status.value,
            "payment": entity.payment.value,
            "currency": entity.currency,
            "user_id": entity.customer_id,
            **{amount: money.minor(getattr(entity, amount)) for amount in AMOUNTS},
            "source_total": None if entity.source_total is None else money.minor(entity.source_total),
            "discount_code": entity.discount_code,
            "shipping_address": asdict(entity.shipping_address) if entity.shipping_address else None,
            "billing_address": asdict(entity.billing_address) if entity.billing_address else None,
            "carrier": entity.carrier,
            "tracking_number": entity.tracking_number,
            "note": entity.note,
            "placed_at": entity.placed_at,
            "updated_at": entity.updated_at,
            "version": entity.version,
        }

    def _insert(self, connection: Connection, entity: Order) -> None:
        channel = channel_id(connection, entity.channel, at=entity.updated_at)
        own = {"id": entity.id, "channel_id": channel, "status_set_here": False}
        connection.execute(insert(OrderRow).values(**own, **self.to_row(entity)))
        self.written(connection, entity)

    def written(self, connection: Connection, entity: Order) -> None:
        money = Currency.of(entity.currency)
        connection.execute(delete(ItemRow).where(ItemRow.order_id == entity.id))
        if entity.items:
            rows = [_item_row(entity.id, position, item, money) for position, item in enumerate(entity.items, start=1)]
            connection.execute(insert(ItemRow), rows)

    def _delete(self, connection: Connection, id: UUID) -> None:
        connection.execute(delete(ItemRow).where(ItemRow.order_id == id))
        super()._delete(connection, id)


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


def _behind(order: UUID) -> Any:
    """Whatever comes after `order` in the list of newest first."""
    placed_at = select(OrderRow.placed_at).where(OrderRow.id == order).scalar_subquery()
    return or_(OrderRow.placed_at < placed_at, and_(OrderRow.placed_at == placed_at, OrderRow.id < order))


def _items(connection: Connection, orders: list[UUID]) -> dict[UUID, list[Any]]:
    if not orders:
        return {}
    query = select(*ItemRow.__table__.c).where(ItemRow.order_id.in_(orders)).order_by(ItemRow.order_id, ItemRow.position)
    rows = connection.execute(query).mappings().all()
    return {order: list(group) for order, group in groupby(rows, key=lambda row: row["order_id"])}


def _item_row(order: UUID, position: int, item: Item, money: Currency) -> dict[str, Any]:
    return {
        "order_id": order,
        "position": position,
        "product_id": item.product_id,
        "sku": item.sku,
        "name": item.name,
        "quantity": item.quantity,
        "unit_price": unit_price_units(item.unit_price),
        "price_scale": 10 ** (UNIT_PRICE_EXPONENT - money.exponent),
        "total": money.minor(item.total),
        "discount": money.minor(item.discount),
    }


def _order(row: Any, items: list[Any]) -> Order:
    money = Currency.of(row["currency"])
    return Order(
        id=row["id"],
        number=row["number"],
        currency=row["currency"],
        placed_at=row["placed_at"],
        updated_at=row["updated_at"],
        channel=row["channel"],
        external_id=row["external_id"],
        status=Status(row["status"]),
        payment=PaymentState(row["payment"]),
        customer_id=row["user_id"],
        customer_email=row["customer_email"],
        items=[_item(item, money) for item in items],
        **{amount: money.decimal(row[amount]) for amount in AMOUNTS},
        discount_code=row["discount_code"],
        source_total=_decimal(row["source_total"], money),
        shipping_address=_address(row["shipping_address"]),
        billing_address=_address(row["billing_address"]),
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        note=row["note"],
        version=row["version"],
    )


def _item(row: Any, money: Currency) -> Item:
    return Item(
        sku=row["sku"],
        name=row["name"],
        quantity=row["quantity"],
        unit_price=unit_price(row["unit_price"], currency=money),
        total=money.decimal(row["total"]),
        discount=money.decimal(row["discount"]),
        product_id=row["product_id"],
    )


def _decimal(minor: int | None, money: Currency) -> Decimal | None:
    return None if minor is None else money.decimal(minor)


def _address(stored: dict[str, str | None] | None) -> Address | None:
    return None if stored is None else Address(**stored)
