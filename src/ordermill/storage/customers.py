"""One customer's orders in numbers, in SQL."""

from typing import Any

from sqlalchemy import BigInteger, Connection, cast, func, select

from ordermill.statistics.delta import CANCELLED
from ordermill.statistics.model import CustomerFigures
from ordermill.storage.tables import OrderRow


def customer_figures(connection: Connection, user_id: int, *, currency: str, placed_by_customer: bool) -> CustomerFigures:
    """Add up an account's orders in one currency from the orders themselves; they are found by the account."""
    # The sum of BIGINTs is NUMERIC on PostgreSQL, and comes as a Decimal.
    total: Any = cast(func.coalesce(func.sum(OrderRow.total), 0), BigInteger)
    query = select(func.count(), total, func.min(OrderRow.placed_at), func.max(OrderRow.placed_at)).where(
        OrderRow.user_id == user_id, OrderRow.currency == currency, OrderRow.status != CANCELLED
    )
    if placed_by_customer:
        query = query.where(OrderRow.placed_by_customer.is_(True))
    return CustomerFigures(*connection.execute(query).one())
