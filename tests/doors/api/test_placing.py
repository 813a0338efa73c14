"""Placing orders over HTTP: who may, what is answered, one order for one key. The rules themselves: contracts/test_placing."""

import asyncio
from typing import Any, Final

import pytest
from shop import ADDRESS, Headers, Shop, open_shop

from ordermill.api.schemas.orders import OrderResponse
from ordermill.api.schemas.placing import QuoteResponse
from ordermill.config import DatabaseUrl

pytestmark = pytest.mark.anyio

KEY: Final = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def a_body(product: dict[str, Any], quantity: int = 2, **said: Any) -> dict[str, Any]:
    line = {"product_id": product["id"], "quantity": quantity, "unit_price": product["price"]}
    return {"items": [line], "shipping_address": ADDRESS, **said}


async def listed(shop: Shop) -> list[dict[str, Any]]:
    answer = await shop.client.get("/orders", headers=await shop.staff())
    return list(answer.json()["data"])


class TestPlace:
    async def test_answers_with_the_order_where_it_is_and_its_version(self, shop: Shop) -> None:
        product, ada = await shop.product(stock=5), await shop.signed_in(email="ada@example.com")

        answer = await shop.client.post("/orders", json=a_body(product), headers=ada)

        assert answer.status_code == 201
        order = answer.json()
        assert OrderResponse.model_validate(order).total == "9.00"
        assert list(order) == list(OrderResponse.model_fields)
        assert (answer.headers["Location"], answer.headers["ETag"]) == (f"/orders/{order['id']}", '"1"')
        assert "Idempotent-Replayed" not in answer.headers
        shown = await shop.client.get(answer.headers["Location"], headers=ada)
        assert (shown.json(), shown.headers["ETag"]) == (order, '"1"')

    @pytest.mark.parametrize(("scope", "status"), [("staff", 201), ("storefront", 201), ("read", 403), (None, 401)])
    async def test_is_for_buyers_and_those_who_sell_to_them(self, shop: Shop, scope: str | None, status: int) -> None:
        headers = {} if scope is None else await shop.api_key(scope)

        answer = await shop.client.post("/orders", json=a_body(await shop.product()), headers={**headers, **KEY})

        assert answer.status_code == status
        assert len(await listed(shop)) == (status == 201)

    async def test_tells_who_may_not_before_it_looks_at_the_body(self, shop: Shop) -> None:
        reader = await shop.api_key("read")

        for path in ("/orders", "/orders/quote"):
            for headers, status in (({}, 401), (reader, 403)):
                answer = await shop.client.post(path, content=b"{", headers={**headers, "Content-Type": "application/json"})
                assert answer.status_code == status

    @pytest.mark.parametrize(
        ("said", "status", "code", "pointer"),
        [
            ({"shipping": "1.00"}, 403, "field_not_allowed", "/shipping"),
            ({"customer_email": "bob@example.com"}, 403, "field_not_allowed", "/customer_email"),
            ({"discount_code": "NOCODE1"}, 409, "discount_not_applicable", None),
            ({"discount_code": "no"}, 422, "invalid", "/discount_code"),
            ({"total": "1.00"}, 422, "invalid", "/total"),
            ({"items": []}, 422, "invalid", "/items"),
            (
                {"items": [{"product_id": 4711, "quantity": 1, "unit_price": "1.00"}]},
                404,
                "product_not_found",
                "/items/0/product_id",
            ),
            ({"items": [{"product_id": 1, "quantity": 1, "unit_price": 4.5}]}, 422, "invalid", "/items/0/unit_price"),
            ({"items": [{"product_id": 1, "quantity": 0, "unit_price": "4.50"}]}, 422, "invalid", "/items/0/quantity"),
        ],
    )
    async def test_refuses_and_says_where(
        self, shop: Shop, said: dict[str, Any], status: int, code: str, pointer: str | None
    ) -> None:
        body = {**a_body(await shop.product()), **said}

        answer = await shop.client.post("/orders", json=body, headers=await shop.signed_in())

        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code)
        assert pointer is None or pointer in [error["pointer"] for error in problem["errors"]]
        assert await listed(shop) == []

    async def test_says_the_present_price_and_what_is_left(self, shop: Shop) -> None:
        product, ada = await shop.product(stock=1), await shop.signed_in()

        dear = await shop.client.post("/orders", json=a_body({**product, "price": "4.00"}, 1), headers=ada)
        many = await shop.client.post("/orders", json=a_body(product), headers=ada)

        assert (dear.status_code, dear.json()["prices"]) == (
            409, [{"product_id": product["id"], "unit_price": "4.50", "currency": "EUR"}]
        )  # fmt: skip
        assert (many.status_code, many.json()["stock"]) == (409, [{"product_id": product["id"], "available": 1}])

    async def test_keeps_the_limits_that_the_shop_has_set(self, book_url: DatabaseUrl) -> None:
        async with open_shop(book_url, order_items=60, order_quantity=120) as shop:
            product, staff = await shop.product(), await shop.staff()
            products = [product, *[await shop.product() for _ in range(59)]]
            lines = [{"product_id": each["id"], "quantity": 1, "unit_price": "4.50"} for each in products]

            most = await shop.client.post("/orders", json=a_body(product, 120), headers=staff)
            many = await shop.client.post("/orders", json={**a_body(product), "items": lines}, headers=staff)
            more = await shop.client.post("/orders", json=a_body(product, 121), headers=staff)

            assert (most.status_code, many.status_code, more.status_code) == (201, 201, 422)
            assert more.json()["errors"][0]["pointer"] == "/items/0/quantity"

    async def test_over_the_usual_limits_is_refused_at_the_field(self, shop: Shop) -> None:
        answer = await shop.client.post("/orders", json=a_body(await shop.product(), 101), headers=await shop.staff())

        assert (answer.status_code, answer.json()["code"]) == (422, "quantity_too_large")


class TestKey:
    async def test_replays_the_very_bytes(self, shop: Shop) -> None:
        """RELIABILITY.md A1."""
        body, headers = a_body(await shop.product(stock=100)), {**await shop.api_key("storefront"), **KEY}

        answers = await asyncio.gather(*(shop.client.post("/orders", json=body, headers=headers) for _ in range(50)))

        assert {answer.status_code for answer in answers} == {201}
        assert len({(answer.content, answer.headers["Location"], answer.headers["ETag"]) for answer in answers}) == 1
        assert sorted(answer.headers.get("Idempotent-Replayed", "") for answer in answers) == [""] + ["true"] * 49
        assert len(await listed(shop)) == 1

    async def test_means_the_same_quoted(self, shop: Shop) -> None:
        body, headers = a_body(await shop.product()), await shop.api_key("storefront")

        first, again = [
            await shop.client.post("/orders", json=body, headers={**headers, "Idempotency-Key": key})
            for key in ("abc", '"abc"')
        ]

        assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")

    async def test_is_asked_of_storefronts(self, shop: Shop) -> None:
        answer = await shop.client.post("/orders", json=a_body(await shop.product()), headers=await shop.api_key("storefront"))

        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")

    async def test_that_is_none_is_refused(self, shop: Shop) -> None:
        headers = {**await shop.signed_in(), "Idempotency-Key": "x" * 256}

        answer = await shop.client.post("/orders", json=a_body(await shop.product()), headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_malformed")
        assert await listed(shop) == []

    async def test_for_another_order_is_refused(self, shop: Shop) -> None:
        """RELIABILITY.md A2."""
        product, headers = await shop.product(), {**await shop.signed_in(), **KEY}
        await shop.client.post("/orders", json=a_body(product), headers=headers)

        answer = await shop.client.post("/orders", json=a_body(product, 3), headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert len(await listed(shop)) == 1

    async def test_of_somebody_else_is_another_key(self, shop: Shop) -> None:
        """RELIABILITY.md A3."""
        body, people = a_body(await shop.product()), [await shop.signed_in(), await shop.signed_in()]

        answers = [await shop.client.post("/orders", json=body, headers={**person, **KEY}) for person in people]

        assert ["Idempotent-Replayed" in answer.headers for answer in answers] == [False, False]
        assert answers[0].json()["id"] != answers[1].json()["id"]

    async def test_replays_nothing_to_whoever_may_not_any_more(self, shop: Shop) -> None:
        body, ada, key = (
            a_body(await shop.product()),
            await shop.signed_in(email="ada@example.com"),
            await shop.api_key("storefront"),
        )
        for headers in (ada, key):
            assert (await shop.client.post("/orders", json=body, headers={**headers, **KEY})).status_code == 201
        await _close(shop, "ada@example.com")
        await _revoke(shop)

        answers = [await shop.client.post("/orders", json=body, headers={**headers, **KEY}) for headers in (ada, key)]

        assert [answer.status_code for answer in answers] == [403, 401]


class TestDiscountCodes:
    @pytest.mark.parametrize("path", ["/orders", "/orders/quote"])
    async def test_cannot_be_guessed_by_trying_many(self, shop: Shop, path: str) -> None:
        """After thirty tries the right one is refused like the others; without a code the customer still orders."""
        tea = await shop.product()
        await shop.discount(code="TEATIME")
        headers = await shop.signed_in()
        guesses = [
            await shop.client.post(path, json=a_body(tea, discount_code=f"WRONG{n}"), headers=headers) for n in range(30)
        ]
        right = await shop.client.post(path, json=a_body(tea, discount_code="TEATIME"), headers=headers)
        without = await shop.client.post(path, json=a_body(tea), headers=headers)
        assert {answer.json()["code"] for answer in guesses} == {"discount_not_applicable"}
        assert (right.status_code, right.json()["code"], int(right.headers["Retry-After"]) > 0) == (429, "rate_limited", True)
        assert without.is_success

    async def test_that_apply_are_no_guesses(self, shop: Shop) -> None:
        tea = await shop.product()
        await shop.discount(code="TEATIME")
        headers = await shop.signed_in()
        body = a_body(tea, discount_code="TEATIME")
        answers = [await shop.client.post("/orders", json=body, headers={**headers, **KEY}) for _ in range(32)]
        assert [answer.status_code for answer in answers] == [201] * 32

    async def test_are_counted_for_a_storefront_as_a_whole(self, book_url: DatabaseUrl) -> None:
        """Inventing customers does not help: after six hundred wrong codes the storefront has to wait."""
        async with open_shop(book_url, rate_limit=100_000) as shop:
            tea = await shop.product()
            headers = await shop.api_key("storefront")

            async def guessed(number: int) -> int:
                body = a_body(tea, discount_code="WRONGONE", customer_email=f"buyer{number}@example.com")
                return (await shop.client.post("/orders/quote", json=body, headers=headers)).status_code

            guesses = [await guessed(number) for number in range(640)]
        assert set(guesses[:600]) == {409}
        assert 429 in guesses[600:]  # one comes back each second

    async def test_are_counted_for_each_customer_of_a_storefront(self, shop: Shop) -> None:
        tea = await shop.product()
        await shop.discount(code="TEATIME")
        headers = await shop.api_key("storefront")

        async def quoted(email: str, code: str) -> int:
            body = a_body(tea, discount_code=code, customer_email=email)
            return (await shop.client.post("/orders/quote", json=body, headers=headers)).status_code

        guesses = [await quoted("ada@example.com", f"WRONG{n}") for n in range(31)]
        assert (guesses[:30], guesses[30]) == ([409] * 30, 429)
        assert await quoted("grace@example.com", "TEATIME") == 200


class TestQuote:
    async def test_says_what_an_order_would_cost(self, shop: Shop) -> None:
        product, ada = await shop.product(stock=1), await shop.signed_in()

        answer = await shop.client.post(
            "/orders/quote", json={"items": [{"product_id": product["id"], "quantity": 2}]}, headers=ada
        )

        assert answer.status_code == 200
        quote = QuoteResponse.model_validate(answer.json())
        assert (quote.total, quote.available, quote.items[0].available) == ("9.00", False, False)
        assert await listed(shop) == []

    async def test_takes_the_very_body_that_is_then_placed(self, shop: Shop) -> None:
        body, ada = a_body(await shop.product(), note="Ring twice.", billing_address=ADDRESS), await shop.signed_in()

        quote = await shop.client.post("/orders/quote", json=body, headers=ada)
        order = await shop.client.post("/orders", json=body, headers=ada)

        assert (quote.status_code, order.status_code) == (200, 201)
        assert quote.json()["total"] == order.json()["total"] == "9.00"

    async def test_refuses_an_address_that_could_not_be_placed(self, shop: Shop) -> None:
        body = a_body(await shop.product(), shipping_address={**ADDRESS, "country": "Britain"})

        answer = await shop.client.post("/orders/quote", json=body, headers=await shop.signed_in())

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/shipping_address/country"]


async def _close(shop: Shop, email: str) -> None:
    users = await shop.client.get("/users", params={"email": email}, headers=await shop.staff())
    (user,) = users.json()["data"]
    shown = await shop.client.get(f"/users/{user['id']}", headers=await shop.staff())
    changed = await shop.client.patch(
        f"/users/{user['id']}", json={"is_active": False}, headers={**await shop.staff(), "If-Match": shown.headers["ETag"]}
    )
    assert changed.status_code == 200, changed.text


async def _revoke(shop: Shop) -> None:
    staff: Headers = await shop.staff()
    keys = await shop.client.get("/api-keys", headers=staff)
    for key in keys.json()["data"]:
        assert (await shop.client.delete(f"/api-keys/{key['id']}", headers=staff)).status_code == 204
