"""Stock is sold once and comes back once, on all three storages, whoever comes at the same moment (E3)."""

import asyncio

import pytest
from shopping import Shop, a_draft, a_line
from storages import Storage

from ordermill.catalogue.model import Product
from ordermill.kit.errors import Conflict

pytestmark = pytest.mark.anyio


@pytest.fixture
def shop(storage: Storage) -> Shop:
    return Shop(storage)


class TestStock:
    async def test_is_never_sold_twice(self, shop: Shop) -> None:
        """50 items and 200 buyers at once: 50 orders."""
        tea = await shop.product(stock=50)

        results = await asyncio.gather(*(shop.place(a_draft(a_line(tea, 1))) for _ in range(200)), return_exceptions=True)

        codes = [getattr(result, "code", "placed") for result in results]
        assert (codes.count("placed"), codes.count("out_of_stock")) == (50, 150)
        assert (await shop.stock(tea), len(await shop.movements()), len(await shop.storage.rows("orders"))) == (0, 50, 50)
        assert await shop.storage.faults() == []

    async def test_is_taken_from_baskets_in_opposite_order_without_a_deadlock(self, shop: Shop) -> None:
        products: list[Product] = [await shop.product(f"TEA-{number}", stock=100) for number in range(5)]
        lines = [a_line(product, 1) for product in products]
        drafts = [a_draft(*(lines if number % 2 else reversed(lines))) for number in range(40)]

        await asyncio.gather(*map(shop.place, drafts))

        assert [await shop.stock(product) for product in products] == [60] * 5
        assert await shop.storage.faults() == []


class TestCancel:
    async def test_gives_stock_and_the_discounts_use_back(self, shop: Shop) -> None:
        tea, milk, discount = await shop.product(), await shop.product("MILK-1", stock=None), await shop.discount(max_uses=1)
        placed = await shop.place(a_draft(a_line(tea), a_line(milk), discount_code="SPRING10"))

        await shop.orders.set_status(placed.id, "cancelled", actor="user:1")

        assert (await shop.stock(tea), await shop.stock(milk), await shop.uses(discount)) == (10, None, 0)
        assert await shop.movements() == [(tea.id, -2, "order"), (tea.id, 2, "cancel")]
        assert await shop.storage.rows("discount_uses") == []
        assert await shop.storage.faults() == []

    async def test_gives_back_once_however_many_cancel_at_once(self, shop: Shop) -> None:
        tea, discount = await shop.product(), await shop.discount()
        placed = await shop.place(a_draft(a_line(tea), discount_code="SPRING10"))

        cancelling = (shop.orders.set_status(placed.id, "cancelled", actor="user:1") for _ in range(10))
        results = await asyncio.gather(*cancelling, return_exceptions=True)

        assert sum(isinstance(result, BaseException) for result in results) == 9
        assert all(isinstance(result, Conflict) for result in results if isinstance(result, BaseException))
        assert (await shop.stock(tea), await shop.uses(discount)) == (10, 0)
        assert await shop.storage.faults() == []

    async def test_while_others_buy_leaves_the_right_stock(self, shop: Shop) -> None:
        tea, milk = await shop.product(stock=30), await shop.product("MILK-1", stock=30)
        discount = await shop.discount()
        both = a_draft(a_line(tea, 1), a_line(milk, 1), discount_code="SPRING10")
        first = [await shop.place(both) for _ in range(10)]

        cancelling = [shop.orders.set_status(placed.id, "cancelled", actor="user:1") for placed in first]
        await asyncio.gather(*cancelling, *(shop.place(both) for _ in range(20)))

        assert (await shop.stock(tea), await shop.stock(milk), await shop.uses(discount)) == (10, 10, 20)
        assert await shop.storage.faults() == []
