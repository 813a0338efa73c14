"""Orders put into a book in memory, and such a book read back."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ordermill.accounts.model import User
from ordermill.kit.clock import FixedClock
from ordermill.kit.ids import new_id
from ordermill.orders.model import Item, Order
from ordermill.orders.ports import OrderFilter
from ordermill.orders.service import Orders
from ordermill.orders.shape import order_shape
from ordermill.storage.memory import MemoryStorage

PLACED = datetime(2026, 11, 22, 10, tzinfo=UTC)
CLOCK = FixedClock(PLACED)


def tea(**differences: Any) -> Item:
    """Return two packets of tea at 4.50."""
    values: dict[str, Any] = {
        "sku": "TEA-1",
        "name": "Tea",
        "quantity": 2,
        "unit_price": Decimal("4.50"),
        "total": Decimal("9.00"),
    }
    return Item(**values | differences)


def an_order(**differences: Any) -> Order:
    """Return a guest's order of two packets of tea; its sums fit only these."""
    values: dict[str, Any] = {
        "id": new_id(PLACED),
        "number": "1001",
        "currency": "EUR",
        "placed_at": PLACED,
        "updated_at": PLACED,
        "items": [tea()],
        "subtotal": Decimal("9.00"),
        "total": Decimal("9.00"),
    }
    return Order(**values | differences)


async def book_of(*orders: Order) -> MemoryStorage:
    """Return a book with these orders; a customer's e-mail becomes an unclaimed user."""
    storage = MemoryStorage()
    for order in orders:
        async with storage.unit() as unit:
            if order.customer_email is not None:
                user = await unit.users.by_email(order.customer_email)
                if user is None:
                    user = await unit.users.add(User(email=order.customer_email, name="Ada", created_at=PLACED))
                    await unit.commit()
                order.customer_id = user.id
            await unit.orders.add(order)
            await unit.commit()
    return storage


async def shapes(storage: MemoryStorage) -> list[dict[str, Any]]:
    """Return the shape of every order, without what belongs to this one book."""
    own = {"id", "customer_id", "updated_at", "version"}
    found = [order_shape(order) async for order in Orders(storage.unit, clock=CLOCK).every(OrderFilter())]
    return [{name: value for name, value in shape.items() if name not in own} for shape in found]
