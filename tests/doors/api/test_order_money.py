"""Payments and refunds over HTTP: recorded once, never more given back than received."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from builders import an_item, an_order
from kept_orders import MISSING, based_on, keep, kept, pages, story
from shop import Shop

from ordermill.api.schemas.orders import MovementList, RecordedMovement
from ordermill.orders.model import Order, PaymentState, Status

pytestmark = pytest.mark.anyio


async def an_order_in(shop: Shop, **said: Any) -> Order:
    """Keep an order of two packets of tea, 9.00 together."""
    order = an_order(**said)
    await keep(shop, order)
    return order


class TestRecord:
    async def test_answers_the_movement_and_what_became_of_the_order(self, shop: Shop) -> None:
        order = await an_order_in(shop)
        said = {"amount": "4.00", "method": "card", "reference": "ch_1", "at": "2026-11-22T12:00:00+01:00"}

        answer = await shop.client.post(f"/orders/{order.id}/payments", json=said, headers=await shop.staff())

        body = answer.json()
        id = body.pop("id")
        assert answer.status_code == 201
        assert body == {
            "order_id": str(order.id), "amount": "4.00", "currency": "EUR", "method": "card", "reference": "ch_1",
            "at": "2026-11-22T11:00:00Z",
            "order": {"payment": "partially_paid", "paid": "4.00", "refunded": "0.00", "version": 2},
        }  # fmt: skip
        RecordedMovement.model_validate(answer.json())
        shown = await shop.client.get(f"/orders/{order.id}", headers=await shop.staff())
        assert (shown.headers["etag"], shown.json()["paid"], shown.json()["payment"]) == ('"2"', "4.00", "partially_paid")
        assert [(type, data) for type, _, data in (await story(shop, order))[1:]] == [
            ("order.paid", {"id": id, "amount": "4.00", "currency": "EUR", "payment": "partially_paid"})
        ]

    async def test_goes_from_unpaid_to_refunded(self, shop: Shop) -> None:
        order, staff = await an_order_in(shop), await shop.staff()
        states = []
        for noun, amount in (("payments", "5.00"), ("payments", 4), ("refunds", "1.00"), ("refunds", "8.00")):
            answer = await shop.client.post(f"/orders/{order.id}/{noun}", json={"amount": amount}, headers=staff)
            states.append(answer.json()["order"]["payment"])
        assert states == ["partially_paid", "paid", "partially_refunded", "refunded"]
        listed = {
            noun: [
                movement["amount"]
                async for body in pages(shop, f"/orders/{order.id}/{noun}?limit=1", staff)
                for movement in MovementList.model_validate(body).model_dump()["data"]
            ]
            for noun in ("payments", "refunds")
        }
        assert listed == {"payments": ["5.00", "4.00"], "refunds": ["1.00", "8.00"]}

    async def test_never_gives_back_more_than_was_received(self, shop: Shop) -> None:
        order = await an_order_in(shop, paid=Decimal("9.00"), payment=PaymentState.PAID)
        answer = await shop.client.post(f"/orders/{order.id}/refunds", json={"amount": "9.01"}, headers=await shop.staff())
        assert (answer.status_code, answer.json()["code"], answer.json()["refundable"]) == (409, "refund_too_large", "9.00")
        assert (await kept(shop, order)).version == 1

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"amount": "0"}, {"amount": "-1"}, {"amount": "0.001"}, {"amount": 1.5}, {"amount": True}, {"amount": "1_0"},
            {"amount": "1", "at": "2999-01-01T00:00:00Z"}, {"amount": "1", "at": "0001-01-01T00:00:00+14:00"},
            {"amount": "1", "at": 5}, {"amount": "1", "at": "2026-01-01"}, {"amount": "1", "method": "\0"},
            {"amount": "1", "method": "x" * 101}, {"amount": "1", "reference": "x" * 256}, {"amount": "1", "order_id": "x"},
            {"amount": "1", "import_id": None}, {"amount": "999999999999999"},
        ],
    )  # fmt: skip
    async def test_refuses_what_is_no_payment(self, shop: Shop, body: dict[str, Any]) -> None:
        order = await an_order_in(shop)
        answer = await shop.client.post(f"/orders/{order.id}/payments", json=body, headers=await shop.staff())
        assert answer.status_code == 422, answer.text
        assert all(error["pointer"].startswith("/") for error in answer.json()["errors"])
        assert (await kept(shop, order)).version == 1

    async def test_takes_as_many_decimals_as_the_currency_has(self, shop: Shop) -> None:
        yen = await an_order_in(shop, currency="JPY", items=[an_item(unit_price="450")])
        staff = await shop.staff()
        refused = await shop.client.post(f"/orders/{yen.id}/payments", json={"amount": "1.5"}, headers=staff)
        taken = await shop.client.post(f"/orders/{yen.id}/payments", json={"amount": "900"}, headers=staff)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/amount")
        assert (taken.json()["amount"], taken.json()["order"]["payment"]) == ("900", "paid")

    async def test_is_refused_for_an_order_that_is_not_there(self, shop: Shop) -> None:
        for noun in ("payments", "refunds"):
            answer = await shop.client.post(f"/orders/{MISSING}/{noun}", json={"amount": "1"}, headers=await shop.staff())
            assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")


class TestOnce:
    async def test_the_same_request_is_carried_out_once(self, shop: Shop) -> None:
        order = await an_order_in(shop)
        headers = {**await shop.staff(), "Idempotency-Key": "k-1"}

        async def pay() -> Any:
            return await shop.client.post(f"/orders/{order.id}/payments", json={"amount": "2.00"}, headers=headers)

        answers = await asyncio.gather(*(pay() for _ in range(10)))
        answers.append(await pay())

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sorted(answer.headers.get("idempotent-replayed", "no") for answer in answers) == ["no", *["true"] * 10]
        assert ((await kept(shop, order)).paid, (await kept(shop, order)).version) == (Decimal("2.00"), 2)

    async def test_the_order_may_be_spelt_otherwise(self, shop: Shop) -> None:
        order = await an_order_in(shop)
        headers = {**await shop.staff(), "Idempotency-Key": "k-1"}
        for spelt in (str(order.id), str(order.id).upper(), order.id.hex):
            answer = await shop.client.post(f"/orders/{spelt}/payments", json={"amount": "2.00"}, headers=headers)
            assert answer.status_code == 201
        assert (await kept(shop, order)).paid == Decimal("2.00")

    async def test_another_request_with_the_key_is_refused(self, shop: Shop) -> None:
        order = await an_order_in(shop)
        headers = {**await shop.staff(), "Idempotency-Key": "k-1"}
        first = await shop.client.post(f"/orders/{order.id}/payments", json={"amount": "2.00"}, headers=headers)
        other = await shop.client.post(f"/orders/{order.id}/payments", json={"amount": "3.00"}, headers=headers)
        assert (first.status_code, other.status_code, other.json()["code"]) == (201, 422, "idempotency_key_reused")
        assert (await kept(shop, order)).paid == Decimal("2.00")

    async def test_a_refusal_leaves_the_key_unused(self, shop: Shop) -> None:
        order = await an_order_in(shop)
        staff = {**await shop.staff(), "Idempotency-Key": "k-1"}
        path, body = f"/orders/{order.id}/refunds", {"amount": "2.00"}
        refused = await shop.client.post(path, json=body, headers=staff)
        await shop.client.post(f"/orders/{order.id}/payments", json={"amount": "9.00"}, headers=await shop.staff())
        done = await shop.client.post(path, json=body, headers=staff)
        assert (refused.status_code, done.status_code) == (409, 201)
        assert "idempotent-replayed" not in done.headers


class TestAtOnce:
    async def test_different_payments_are_all_recorded(self, shop: Shop) -> None:
        order, staff = await an_order_in(shop), await shop.staff()
        answers = await asyncio.gather(
            *(shop.client.post(f"/orders/{order.id}/payments", json={"amount": "0.50"}, headers=staff) for _ in range(8))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert sorted(answer.json()["order"]["version"] for answer in answers) == list(range(2, 10))
        after = await kept(shop, order)
        assert (after.paid, after.version) == (Decimal("4.00"), 9)
        assert [event.sequence for event in await shop.services.orders.events(order.id)] == list(range(1, 10))

    async def test_of_refunds_that_are_too_much_together_some_are_refused(self, shop: Shop) -> None:
        order = await an_order_in(shop, paid=Decimal("9.00"), payment=PaymentState.PAID)
        staff = await shop.staff()
        answers = await asyncio.gather(
            *(shop.client.post(f"/orders/{order.id}/refunds", json={"amount": "4.00"}, headers=staff) for _ in range(5))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
        assert (await kept(shop, order)).refunded == Decimal("8.00")

    async def test_of_paying_and_cancelling_one_version_one_wins(self, shop: Shop) -> None:
        """RELIABILITY.md E5."""
        headers = based_on(await shop.staff())
        for _ in range(5):
            order = await an_order_in(shop, number=str(_))
            paid, cancelled = await asyncio.gather(
                shop.client.post(f"/orders/{order.id}/payments", json={"amount": "9.00"}, headers=headers),
                shop.client.patch(f"/orders/{order.id}", json={"status": "cancelled"}, headers=headers),
            )
            after = await kept(shop, order)
            assert sorted([paid.status_code == 201, cancelled.status_code == 200]) == [False, True]
            assert {paid.status_code, cancelled.status_code} <= {200, 201, 412}
            assert (after.version, after.status is Status.CANCELLED, after.paid) in {
                (2, True, Decimal("0.00")),
                (2, False, Decimal("9.00")),
            }

    @pytest.mark.parametrize("condition", ['"2"', 'W/"1"'])
    async def test_a_condition_that_does_not_hold_refuses(self, shop: Shop, condition: str) -> None:
        order = await an_order_in(shop)
        headers = {**await shop.staff(), "If-Match": condition}
        answer = await shop.client.post(f"/orders/{order.id}/payments", json={"amount": "1"}, headers=headers)
        assert (answer.status_code, (await kept(shop, order)).version) == (412, 1)
