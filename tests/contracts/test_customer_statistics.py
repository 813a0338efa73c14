"""One customer in numbers, exactly, from the orders: in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from builders import LATER, NOON, a_user, an_item, an_order
from storages import Storage

from ordermill.accounts.model import User
from ordermill.kit.errors import Invalid
from ordermill.orders.model import Order, Status
from ordermill.statistics.model import CustomerStatistics
from ordermill.statistics.service import Statistics

pytestmark = pytest.mark.anyio

NOTHING = CustomerStatistics(
    currency="EUR",
    total_orders=0,
    total_spent=Decimal("0.00"),
    avg_order_value=None,
    first_order_at=None,
    last_order_at=None,
)


async def somebody(storage: Storage, email: str = "ada@example.com") -> User:
    user = a_user(email)
    await storage.keep(user)
    return user


def bought(number: str, user: User, price: str, **said: object) -> Order:
    return an_order(number, items=[an_item(quantity=1, unit_price=price)], customer_id=user.id, **said)


async def of(storage: Storage, user: User, *, currency: str = "EUR", placed_by_customer: bool = False) -> CustomerStatistics:
    assert user.id is not None
    return await Statistics(storage.statistics).customer(user.id, currency=currency, placed_by_customer=placed_by_customer)


async def test_adds_up_the_customer_s_orders_to_the_cent(storage: Storage) -> None:
    """Half a cent of the average is rounded up, as everywhere."""
    ada, bob = await somebody(storage), await somebody(storage, "bob@example.com")
    await storage.keep(
        bought("1", ada, "10.00", placed_at=LATER),
        bought("2", ada, "0.01"),
        bought("3", bob, "99.00"),
        an_order("4"),
    )

    assert await of(storage, ada) == CustomerStatistics(
        currency="EUR",
        total_orders=2,
        total_spent=Decimal("10.01"),
        avg_order_value=Decimal("5.01"),
        first_order_at=NOON,
        last_order_at=LATER,
    )


async def test_leaves_out_what_was_cancelled_and_other_currencies(storage: Storage) -> None:
    ada = await somebody(storage)
    await storage.keep(
        bought("1", ada, "10.00"),
        bought("2", ada, "20.00", status=Status.CANCELLED, placed_at=NOON - timedelta(days=1)),
        bought("3", ada, "400", currency="JPY"),
    )

    euros, yen = await of(storage, ada), await of(storage, ada, currency="JPY")

    assert (euros.total_orders, euros.total_spent, euros.first_order_at) == (1, Decimal("10.00"), NOON)
    assert (yen.total_orders, yen.total_spent, yen.avg_order_value) == (1, Decimal(400), Decimal(400))


async def test_is_nothing_for_nobody_s_orders(storage: Storage) -> None:
    assert await of(storage, await somebody(storage)) == NOTHING
    assert await of(storage, await somebody(storage, "bob@example.com"), currency="GBP") == replace(NOTHING, currency="GBP")


async def test_counts_only_what_the_account_may_see_before_its_address_is_verified(storage: Storage) -> None:
    ada = await somebody(storage)
    await storage.keep(bought("1", ada, "10.00"))

    assert await of(storage, ada, placed_by_customer=True) == NOTHING


async def test_sums_beyond_what_a_float_holds_exactly(storage: Storage) -> None:
    ada = await somebody(storage)
    await storage.keep(*(bought(str(number), ada, "999999999.99") for number in range(3)), bought("4", ada, "0.04"))

    assert (await of(storage, ada)).total_spent == Decimal("3000000000.01")


async def test_refuses_what_is_no_currency(storage: Storage) -> None:
    with pytest.raises(Invalid) as caught:
        await of(storage, await somebody(storage), currency="EUX")

    assert caught.value.code == "unknown_currency"
