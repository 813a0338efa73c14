"""A request to place an order is carried out once for its key, and a quote changes nothing: alike on all three storages."""

import asyncio
from datetime import timedelta

import pytest
from builders import NOON
from shopping import STOREFRONT, Shop, a_basket, a_draft, a_line, once, signed_in
from storages import Storage

from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import Conflict, Forbidden
from ordermill.kit.events import By
from ordermill.orders.idempotency import KeyMissing, KeyReused

pytestmark = pytest.mark.anyio


@pytest.fixture
def shop(storage: Storage) -> Shop:
    return Shop(storage)


class TestOnce:
    async def test_gives_the_same_answer_to_the_same_request(self, shop: Shop) -> None:
        draft = a_draft(a_line(await shop.product()), customer_email="ada@example.com")
        first = await shop.placing.place(draft, by=STOREFRONT, once=once(draft))
        before = await shop.everything_is()

        again = await shop.placing.place(draft, by=STOREFRONT, once=once(draft))

        assert (again.body, again.id, again.replayed) == (first.body, first.id, True)
        assert await shop.everything_is() == before

    async def test_places_one_order_however_often_it_is_asked_at_once(self, shop: Shop) -> None:
        tea = await shop.product(stock=100)
        draft = a_draft(a_line(tea, 1), customer_email="ada@example.com")

        results = await asyncio.gather(*(shop.placing.place(draft, by=STOREFRONT, once=once(draft)) for _ in range(50)))

        assert len({result.body for result in results}) == 1
        assert sum(not result.replayed for result in results) == 1
        assert (await shop.stock(tea), len(await shop.movements())) == (99, 1)
        counted = await shop.everything_is()
        assert (counted["orders"], counted["events"], counted["users"], counted["idempotency_keys"]) == (1, 1, 1, 1)

    async def test_refuses_another_request_with_the_same_key(self, shop: Shop) -> None:
        tea = await shop.product()
        first, other = a_draft(a_line(tea)), a_draft(a_line(tea), note="Ring")
        await shop.placing.place(first, by=STOREFRONT, once=once(first))

        with pytest.raises(KeyReused):
            await shop.placing.place(other, by=STOREFRONT, once=once(other))

        assert await shop.stock(tea) == 8

    async def test_keeps_the_keys_of_each_caller_apart(self, shop: Shop) -> None:
        tea, ada, bob = await shop.product(), await shop.user(), await shop.user("bob@example.com")
        draft = a_draft(a_line(tea))

        placed = [await shop.placing.place(draft, by=by, once=once(draft, by=by)) for by in map(signed_in, (ada, bob))]

        assert [each.replayed for each in placed] == [False, False]
        assert placed[0].id != placed[1].id

    async def test_does_not_use_up_the_key_of_a_refused_request(self, shop: Shop, storage: Storage) -> None:
        tea = await shop.product(stock=1)
        draft = a_draft(a_line(tea))
        with pytest.raises(Conflict):
            await shop.placing.place(draft, by=STOREFRONT, once=once(draft))
        async with storage.unit() as unit:
            await unit.products.set_stock(tea, 5, by=By(actor="user:1", at=NOON))
            await unit.commit()

        assert not (await shop.placing.place(draft, by=STOREFRONT, once=once(draft))).replayed

    async def test_tells_nothing_to_whoever_may_not_order_any_more(self, shop: Shop, storage: Storage) -> None:
        tea, ada = await shop.product(), await shop.user()
        draft, by = a_draft(a_line(tea)), signed_in(ada)
        await shop.placing.place(draft, by=by, once=once(draft, by=by))
        async with storage.unit() as unit:
            ada.is_active = False
            await unit.users.update(ada)
            await unit.commit()

        with pytest.raises(Forbidden):
            await shop.placing.place(draft, by=by, once=once(draft, by=by))

    async def test_asks_programs_for_a_key_and_nobody_else(self, shop: Shop) -> None:
        draft = a_draft(a_line(await shop.product()))

        with pytest.raises(KeyMissing):
            await shop.placing.place(draft, by=STOREFRONT)
        await shop.placing.place(draft, by=signed_in(await shop.user()))

        assert await shop.storage.rows("idempotency_keys") == []

    async def test_is_remembered_as_long_as_the_terms_say(self, shop: Shop, storage: Storage) -> None:
        draft = a_draft(a_line(await shop.product()))
        placed = await shop.placing.place(draft, by=STOREFRONT, once=once(draft))
        soon, late = (Shop(storage, clock=FixedClock(NOON + timedelta(hours=hours))) for hours in (48, 49))

        assert await soon.placing.prune() == 0
        assert (await soon.placing.place(draft, by=STOREFRONT, once=once(draft))).body == placed.body
        assert await late.placing.prune() == 1
        assert not (await late.placing.place(draft, by=STOREFRONT, once=once(draft))).replayed


class TestQuote:
    async def test_says_what_placing_would_cost_and_changes_nothing(self, shop: Shop) -> None:
        tea = await shop.product()
        await shop.discount()
        before = await shop.everything_is()

        quote = await shop.placing.quote(
            a_basket({"product_id": tea.id, "quantity": 2}, discount_code="SPRING10", shipping="4.90"), by=STOREFRONT
        )

        assert quote == {
            "currency": "EUR",
            "items": [
                {
                    "product_id": tea.id, "sku": "TEA-1", "name": "Tea", "quantity": 2, "unit_price": "4.50",
                    "discount": "0.90", "total": "9.00", "available": True,
                }
            ],
            "subtotal": "9.00", "discount": "0.90", "discount_code": "SPRING10", "shipping": "4.90", "tax": "0.00",
            "total": "13.00", "available": True,
        }  # fmt: skip
        assert await shop.everything_is() == before

    async def test_says_what_is_not_there(self, shop: Shop) -> None:
        lines = [
            {"product_id": (await shop.product(sku, stock=stock)).id, "quantity": 2} for sku, stock in (("A", 2), ("B", 1))
        ]

        quote = await shop.placing.quote(a_basket(*lines), by=STOREFRONT)

        assert ([item["available"] for item in quote["items"]], quote["available"]) == ([True, False], False)

    async def test_says_when_a_price_has_changed(self, shop: Shop) -> None:
        tea = await shop.product()

        with pytest.raises(Conflict) as caught:
            await shop.placing.quote(a_basket(a_line(tea, unit_price="4.00")), by=STOREFRONT)

        assert caught.value.code == "price_changed"
