"""
The audit's rules in SQL: each is a query that returns what breaks it, the same for both databases.

A query has four columns: `what` names the place, `expected` and `found` are its values, and `currency`, where
there is one, says that these are minor units. Sums over an order's rows are correlated: they walk an index, and
need no memory however many orders there are.
"""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from ordermill.kit.money import EXPONENTS, UNIT_PRICE_EXPONENT, Currency
from ordermill.operations.ports import Breaches, Example
from ordermill.operations.rules import Rule
from ordermill.storage.database import Database
from ordermill.storage.spill import spilling
from ordermill.storage.statistics import differences
from ordermill.storage.tables import (
    ChannelRow,
    DiscountRow,
    EventRow,
    ImportRow,
    ItemRow,
    MovementRow,
    OrderRow,
    PaymentRow,
    ProductRow,
    RefundRow,
    RejectRow,
    UseRow,
)


class SqlAudit:
    """`operations.ports.AuditStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def breaches(self, rule: Rule, *, examples: int) -> Breaches:
        def work(connection: Connection) -> Breaches:
            with spilling(connection):
                return _breaches(connection, _QUERIES[rule](connection), examples)

        return await self._database.read(work, patient=True)


def _breaches(connection: Connection, query: Select[Any], examples: int) -> Breaches:
    count = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    # Asked only where something is wrong, so that a sound book is gone through once.
    rows = connection.execute(query.limit(examples)).mappings().all() if count else []
    return Breaches(count, [Example(row["what"], _shown(row, "expected"), _shown(row, "found")) for row in rows])


def _shown(row: Any, side: str) -> str:
    value, currency = row[side], row["currency"]
    if value is None:
        return "nothing"
    if currency in EXPONENTS:
        return f"{Currency.of(currency).decimal(int(value))} {currency}"
    return str(value)


def _breach(what: Any, *, expected: Any, found: Any, currency: Any = None) -> Select[Any]:
    money = cast(null(), String) if currency is None else currency
    return select(
        what.label("what"), money.label("currency"), expected.label("expected"), found.label("found")
    )  # fmt: skip


def _order() -> ColumnElement[str]:
    channel = select(ChannelRow.name).where(ChannelRow.id == OrderRow.channel_id).scalar_subquery()
    return literal("order ") + OrderRow.number + literal(" of ") + channel


def _position() -> ColumnElement[str]:
    return literal(", item ") + cast(ItemRow.position, String)


def _item_total(_: Connection) -> Select[Any]:
    # The bound of the table's own constraint: half a minor unit, or half a ten-thousandth a piece where the
    # unit price was derived from a given total.
    exact = ItemRow.quantity * ItemRow.unit_price
    off = func.abs(exact - ItemRow.total * ItemRow.price_scale) * 2
    bound = case((ItemRow.price_scale > ItemRow.quantity, ItemRow.price_scale), else_=ItemRow.quantity)
    # Scalars and no join: they cost nothing while nothing is found.
    order = select(_order()).where(OrderRow.id == ItemRow.order_id).scalar_subquery()
    currency = select(OrderRow.currency).where(OrderRow.id == ItemRow.order_id).scalar_subquery()
    expected = (exact + ItemRow.price_scale // 2) // ItemRow.price_scale
    return _breach(order + _position(), expected=expected, found=ItemRow.total, currency=currency).where(off > bound)


def _price_scale(_: Connection) -> Select[Any]:
    scales: dict[int, list[str]] = {}
    for code, exponent in EXPONENTS.items():
        scales.setdefault(10 ** (UNIT_PRICE_EXPONENT - exponent), []).append(code)
    expected = case(*((OrderRow.currency.in_(codes), scale) for scale, codes in scales.items()), else_=None)
    query = _breach(_order() + _position(), expected=expected, found=ItemRow.price_scale)
    return query.join_from(ItemRow, OrderRow, OrderRow.id == ItemRow.order_id).where(
        ItemRow.price_scale.is_distinct_from(expected)
    )


def _sum_of(amount: Any, order: Any) -> ColumnElement[int]:
    total = cast(func.coalesce(func.sum(amount), 0), BigInteger)
    return select(total).where(order == OrderRow.id).scalar_subquery()


def _order_sum(stored: Any, amount: Any, order: Any) -> Callable[[Connection], Select[Any]]:
    def query(_: Connection) -> Select[Any]:
        expected = _sum_of(amount, order)
        return _breach(_order(), expected=expected, found=stored, currency=OrderRow.currency).where(stored != expected)

    return query


def _total(_: Connection) -> Select[Any]:
    expected = OrderRow.subtotal - OrderRow.discount + OrderRow.shipping + OrderRow.tax
    return _breach(_order(), expected=expected, found=OrderRow.total, currency=OrderRow.currency).where(
        or_(OrderRow.total != expected, OrderRow.total < 0)
    )


def _event_sequence(_: Connection) -> Select[Any]:
    first, last, count = func.min(EventRow.sequence), func.max(EventRow.sequence), func.count()
    broken = or_(first != 1, last != count, func.count(EventRow.sequence) != count)
    what = literal("events of order ") + _hex(EventRow.order_id)
    found = cast(first, String) + literal(" to ") + cast(last, String)
    query = _breach(what, expected=literal("1 to ") + cast(count, String), found=found)
    return query.where(EventRow.order_id.is_not(None)).group_by(EventRow.order_id).having(broken)


def _imported_event(_: Connection) -> Select[Any]:
    silent = ~exists().where(EventRow.order_id == OrderRow.id)
    query = _breach(_order(), expected=literal("an event"), found=cast(null(), String))
    return query.where(and_(OrderRow.import_id.is_not(None), silent))


def _statistics(connection: Connection) -> Select[Any]:
    hours = differences(connection).subquery()

    def told(side: str) -> ColumnElement[str]:
        parts = [cast(hours.c[f"{side}_{name}"], String) for name in ("count", "total", "refunded")]
        return parts[0] + literal(" orders, total ") + parts[1] + literal(", refunded ") + parts[2] + literal(" in minor units")

    hour = func.substr(cast(hours.c.hour, String), 1, len("2026-01-31 23:00"), type_=String)
    what = literal("hour ") + hour + literal(" UTC in ") + hours.c.currency
    return _breach(what, expected=told("actual"), found=told("kept"))


def _stock(_: Connection) -> Select[Any]:
    what = literal("product ") + ProductRow.sku
    return _breach(what, expected=literal("0 or more"), found=ProductRow.stock).where(ProductRow.stock < 0)


def _stock_movements(_: Connection) -> Select[Any]:
    total = cast(func.coalesce(func.sum(MovementRow.change), 0), BigInteger)
    expected = select(total).where(MovementRow.product_id == ProductRow.id).scalar_subquery()
    what, found = literal("product ") + ProductRow.sku, func.coalesce(ProductRow.stock, 0)
    return _breach(what, expected=expected, found=found).where(found != expected)


def _stock_returned(_: Connection) -> Select[Any]:
    taken = aliased(MovementRow)
    same = and_(taken.order_id == MovementRow.order_id, taken.product_id == MovementRow.product_id, taken.kind == "order")
    expected = select(-taken.change).where(same).scalar_subquery()
    what = literal("stock given back by order ") + _hex(MovementRow.order_id)
    query = _breach(what, expected=expected, found=MovementRow.change)
    return query.where(MovementRow.kind == "cancel", MovementRow.change.is_distinct_from(expected))


def _discount_uses(_: Connection) -> Select[Any]:
    expected = select(func.count()).where(UseRow.discount_id == DiscountRow.id).scalar_subquery()
    what = literal("discount ") + DiscountRow.code
    return _breach(what, expected=expected, found=DiscountRow.uses).where(DiscountRow.uses != expected)


def _discount_used_by(_: Connection) -> Select[Any]:
    status = select(OrderRow.status).where(OrderRow.id == UseRow.order_id).scalar_subquery()
    what = literal("discount used by order ") + _hex(UseRow.order_id)
    query = _breach(what, expected=literal("an order in force"), found=status)
    return query.where(or_(status.is_(None), status == "cancelled"))


def _import() -> ColumnElement[str]:
    return literal("import of ") + ImportRow.file_name + literal(", ") + _hex(ImportRow.id)


def _hex(id: Any) -> ColumnElement[str]:
    # PostgreSQL writes a UUID with hyphens, SQLite keeps it as 32 hex digits.
    return func.replace(cast(id, String), "-", "", type_=String)


def _tally(name: str) -> ColumnElement[int]:
    count: ColumnElement[int] = ImportRow.tally["orders"][name].as_integer()
    return count


def _import_orders(_: Connection) -> Select[Any]:
    brought = select(OrderRow.import_id, func.count().label("count")).group_by(OrderRow.import_id).subquery()
    count = func.coalesce(brought.c.count, 0)
    kept = _tally("new") - func.coalesce(ImportRow.undo["removed"].as_integer(), 0)
    query = _breach(_import(), expected=count, found=kept)
    return query.outerjoin_from(ImportRow, brought, brought.c.import_id == ImportRow.id).where(count != kept)


def _import_rejects(_: Connection) -> Select[Any]:
    count = select(func.count()).where(RejectRow.import_id == ImportRow.id).scalar_subquery()
    return _breach(_import(), expected=count, found=_tally("rejected")).where(count != _tally("rejected"))


def _import_read(_: Connection) -> Select[Any]:
    became = _tally("new") + _tally("updated") + _tally("unchanged") + _tally("rejected")
    return _breach(_import(), expected=became, found=_tally("read")).where(became != _tally("read"))


_QUERIES: Final[dict[Rule, Callable[[Connection], Select[Any]]]] = {
    Rule.ITEM_TOTAL: _item_total,
    Rule.PRICE_SCALE: _price_scale,
    Rule.SUBTOTAL: _order_sum(OrderRow.subtotal, ItemRow.total, ItemRow.order_id),
    Rule.DISCOUNT: _order_sum(OrderRow.discount, ItemRow.discount, ItemRow.order_id),
    Rule.TOTAL: _total,
    Rule.PAID: _order_sum(OrderRow.paid, PaymentRow.amount, PaymentRow.order_id),
    Rule.REFUNDED: _order_sum(OrderRow.refunded, RefundRow.amount, RefundRow.order_id),
    Rule.EVENT_SEQUENCE: _event_sequence,
    Rule.IMPORTED_EVENT: _imported_event,
    Rule.STATISTICS: _statistics,
    Rule.STOCK: _stock,
    Rule.STOCK_MOVEMENTS: _stock_movements,
    Rule.STOCK_RETURNED: _stock_returned,
    Rule.DISCOUNT_USES: _discount_uses,
    Rule.DISCOUNT_USED_BY: _discount_used_by,
    Rule.IMPORT_ORDERS: _import_orders,
    Rule.IMPORT_REJECTS: _import_rejects,
    Rule.IMPORT_READ: _import_read,
}
