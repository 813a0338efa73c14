"""Products over HTTP: for sale to anyone, kept by staff, their stock exact whoever moves it."""

import asyncio
from typing import Any

import pytest
from shop import Shop

pytestmark = pytest.mark.anyio

TEA = {"sku": "TEA-1", "name": "Green tea", "price": "4.50", "stock": 7}


async def add(shop: Shop, **said: Any) -> Any:
    return await shop.client.post("/products", json=TEA | said, headers=await shop.staff())


async def change(shop: Shop, id: int, **said: Any) -> Any:
    return await shop.client.patch(f"/products/{id}", json=said, headers=await shop.staff())


async def skus(shop: Shop, *, headers: dict[str, str] | None = None, **wanted: Any) -> list[str]:
    answer = await shop.client.get("/products", params=wanted, headers=headers)
    assert answer.status_code == 200, answer.text
    return [product["sku"] for product in answer.json()["data"]]


async def faults(shop: Shop) -> int:
    return sum(finding.count for finding in await shop.services.audit.run())


class TestAdd:
    async def test_answers_with_the_product_and_nothing_else(self, shop: Shop) -> None:
        answer = await add(shop)

        assert answer.status_code == 201
        product = answer.json()
        assert product == {**TEA, "id": product["id"], "currency": "EUR", "is_active": True}
        assert answer.headers["location"] == f"/products/{product['id']}"
        assert (await shop.client.get(answer.headers["location"])).json() == product

    @pytest.mark.parametrize(
        ("said", "shown"),
        [
            ({"price": 12}, {"price": "12.00"}),
            ({"price": "0.001", "currency": "BHD"}, {"price": "0.001", "currency": "BHD"}),
            ({"price": "90", "currency": "JPY"}, {"price": "90", "currency": "JPY"}),
            ({"stock": None}, {"stock": None}),
            ({"is_active": False}, {"is_active": False}),
            ({"sku": " Cafe\u0301 "}, {"sku": "Caf\u00e9"}),
        ],
    )
    async def test_reads_what_is_said(self, shop: Shop, said: dict[str, Any], shown: dict[str, Any]) -> None:
        product = (await add(shop, **said)).json()
        assert {name: product[name] for name in shown} == shown

    @pytest.mark.parametrize(
        ("said", "pointer", "code"),
        [
            ({"price": 4.5}, "/price", "amount_not_exact"),
            ({"price": "-1.00"}, "/price", "greater_than_equal"),
            ({"price": "4.505"}, "/price", "too_many_decimals"),
            ({"price": "4.50", "currency": "JPY"}, "/price", "too_many_decimals"),
            ({"currency": "EUX"}, "/currency", "unknown_currency"),
            ({"sku": " "}, "/sku", "string_too_short"),
            ({"sku": "x" * 65}, "/sku", "string_too_long"),
            ({"sku": "\U0001d160" * 22}, "/sku", "string_too_long"),
            ({"name": "a\0b"}, "/name", "text_not_storable"),
            ({"stock": -1}, "/stock", "greater_than_equal"),
            ({"stock": 1.0}, "/stock", "int_type"),
            ({"is_active": "yes"}, "/is_active", "bool_type"),
            ({"version": 3}, "/version", "extra_forbidden"),
            ({"id": 3}, "/id", "extra_forbidden"),
        ],
    )
    async def test_refuses_by_field(self, shop: Shop, said: dict[str, Any], pointer: str, code: str) -> None:
        answer = await add(shop, **said)

        assert answer.status_code == 422
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]
        assert await skus(shop, headers=await shop.staff()) == []

    async def test_lets_one_of_twenty_at_once_have_a_sku(self, shop: Shop) -> None:
        await shop.staff()

        answers = await asyncio.gather(*(add(shop) for _ in range(20)))

        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"sku_taken"}
        assert await skus(shop) == ["TEA-1"]

    @pytest.mark.parametrize("scope", ["read", "storefront", None])
    async def test_is_for_staff(self, shop: Shop, scope: str | None) -> None:
        headers = await shop.signed_in() if scope is None else await shop.api_key(scope)

        answers = [
            await shop.client.post("/products", json={"wrong": True}, headers=headers),
            await shop.client.patch("/products/1", json={"wrong": True}, headers=headers),
            await shop.client.delete("/products/1", headers=headers),
        ]

        assert [answer.status_code for answer in answers] == [403] * 3
        assert (await shop.client.post("/products", json={"wrong": True})).status_code == 401


class TestList:
    async def test_shows_what_is_for_sale_to_anyone_and_all_to_staff(self, shop: Shop) -> None:
        await add(shop)
        hidden = (await add(shop, sku="TEA-2", is_active=False)).json()
        staff, reader = await shop.staff(), await shop.api_key("read")

        assert await skus(shop) == await skus(shop, is_active=True) == ["TEA-1"]
        assert await skus(shop, headers=await shop.signed_in(), is_active=False) == []
        assert await skus(shop, headers=staff) == await skus(shop, headers=reader) == ["TEA-1", "TEA-2"]
        assert await skus(shop, headers=staff, is_active=False) == ["TEA-2"]
        assert (await shop.client.get(f"/products/{hidden['id']}")).json()["code"] == "product_not_found"
        assert (await shop.client.get(f"/products/{hidden['id']}", headers=staff)).json() == hidden

    async def test_searches_by_words_and_sku(self, shop: Shop) -> None:
        for sku, name in {"A": "Green tea", "B": "GRÜNER Tee", "C": "Teapot"}.items():
            await add(shop, sku=sku, name=name)

        assert await skus(shop, q="grü") == ["B"]
        assert await skus(shop, q="tea") == ["A", "C"]
        assert await skus(shop, q="?!") == await skus(shop, q="a\0b") == await skus(shop, sku="a") == []
        assert await skus(shop, sku="A", q="gre") == ["A"]

    async def test_pages_by_signed_cursors(self, shop: Shop) -> None:
        for number in range(5):
            await add(shop, sku=f"TEA-{number}")

        first = (await shop.client.get("/products", params={"limit": 2})).json()
        second = await shop.client.get("/products", params={"limit": 2, "cursor": first["next_cursor"]})
        other = await shop.client.get("/products", params={"limit": 2, "cursor": first["next_cursor"], "q": "tea"})

        assert [product["sku"] for product in first["data"] + second.json()["data"]] == [f"TEA-{n}" for n in range(4)]
        assert (second.json()["has_more"], 'rel="next"' in second.headers["link"]) == (True, True)
        assert (other.status_code, other.json()["code"]) == (400, "cursor_invalid")
        assert (await shop.client.get("/products", params={"limit": 201})).status_code == 422


class TestChange:
    async def test_changes_what_is_said_and_leaves_the_rest(self, shop: Shop) -> None:
        tea = (await add(shop)).json()

        changed = await change(shop, tea["id"], price="4.80", is_active=False)

        assert (changed.status_code, changed.json()) == (200, {**tea, "price": "4.80", "is_active": False})
        assert await faults(shop) == 0

    async def test_of_nothing_changes_nothing(self, shop: Shop) -> None:
        tea = await add(shop)

        changed = await change(shop, tea.json()["id"], price="4.5", stock=7)

        assert (changed.json(), changed.headers["etag"]) == (tea.json(), tea.headers["etag"])

    @pytest.mark.parametrize(("said", "stock"), [({"stock": 40}, 40), ({"stock_change": 20}, 27), ({"stock_change": -7}, 0)])
    async def test_moves_the_stock(self, shop: Shop, said: dict[str, Any], stock: int) -> None:
        tea = (await add(shop)).json()

        assert (await change(shop, tea["id"], **said)).json()["stock"] == stock
        assert await faults(shop) == 0

    @pytest.mark.parametrize(
        ("said", "status", "code"),
        [
            ({"currency": "JPY"}, 422, "price_missing"),
            ({"currency": "JPY", "price": "4.80"}, 422, "too_many_decimals"),
            ({"price": None}, 422, "invalid"),
            ({"name": None}, 422, "invalid"),
            ({"stock": 3, "stock_change": 3}, 422, "invalid"),
            ({"stock_change": -8}, 409, "stock_too_low"),
            ({"sku": "MUG-1"}, 409, "sku_taken"),
            ({"created_at": "2026-01-01T00:00:00Z"}, 422, "invalid"),
        ],
    )
    async def test_refuses_what_cannot_be(self, shop: Shop, said: dict[str, Any], status: int, code: str) -> None:
        tea = await add(shop)
        await add(shop, sku="MUG-1")
        path = tea.headers["location"]

        answer = await change(shop, tea.json()["id"], **said)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await shop.client.get(path)).json() == tea.json()

    async def test_another_currency_comes_with_its_price(self, shop: Shop) -> None:
        tea = (await add(shop)).json()
        changed = await change(shop, tea["id"], currency="JPY", price=700)
        assert (changed.json()["price"], changed.json()["currency"]) == ("700", "JPY")

    async def test_of_stock_by_many_at_once_loses_none(self, shop: Shop) -> None:
        """RELIABILITY.md E3."""
        tea = (await add(shop)).json()

        answers = await asyncio.gather(*(change(shop, tea["id"], stock_change=1, name=f"Tea {n}") for n in range(5)))

        assert [answer.status_code for answer in answers] == [200] * 5
        assert (await shop.client.get(f"/products/{tea['id']}")).json()["stock"] == 12
        assert await faults(shop) == 0


class TestPreconditions:
    async def test_a_tag_changes_with_the_stock(self, shop: Shop) -> None:
        """RELIABILITY.md A8: a strong tag stands for all that is shown."""
        tea = await add(shop)
        path, staff = tea.headers["location"], await shop.staff()
        assert (await shop.client.get(path, headers={"If-None-Match": tea.headers["etag"]})).status_code == 304

        counted = await change(shop, tea.json()["id"], stock=6)
        stale = await shop.client.patch(path, json={"stock": 40}, headers=staff | {"If-Match": tea.headers["etag"]})
        weak = await shop.client.patch(path, json={"stock": 40}, headers=staff | {"If-Match": f"W/{counted.headers['etag']}"})
        fresh = await shop.client.patch(path, json={"stock": 40}, headers=staff | {"If-Match": counted.headers["etag"]})

        assert (await shop.client.get(path, headers={"If-None-Match": tea.headers["etag"]})).status_code == 200
        assert (stale.status_code, weak.status_code, stale.json()["code"]) == (412, 412, "stale_version")
        assert (fresh.status_code, fresh.json()["stock"]) == (200, 40)

    async def test_one_of_twenty_with_the_same_tag_wins(self, shop: Shop) -> None:
        tea = await add(shop)
        headers = await shop.staff() | {"If-Match": tea.headers["etag"]}

        answers = await asyncio.gather(
            *(shop.client.patch(tea.headers["location"], json={"stock": 100 + n}, headers=headers) for n in range(20))
        )

        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
        assert await faults(shop) == 0


class TestRemove:
    async def test_lets_an_unused_one_go(self, shop: Shop) -> None:
        path = (await add(shop)).headers["location"]

        assert (await shop.client.delete(path, headers=await shop.staff())).status_code == 204
        assert (await shop.client.get(path, headers=await shop.staff())).status_code == 404
        assert (await add(shop)).status_code == 201

    async def test_keeps_one_that_was_bought_and_says_so(self, shop: Shop) -> None:
        tea = (await add(shop)).json()
        await shop.order(product=tea)

        answer = await shop.client.delete(f"/products/{tea['id']}", headers=await shop.staff())

        assert (answer.status_code, answer.json()) == (200, {**tea, "stock": 6, "is_active": False})
        assert await skus(shop) == []


class TestRace:
    async def test_staff_count_while_buyers_take(self, shop: Shop) -> None:
        """RELIABILITY.md E3: whoever comes first, the stock is what the movements add up to."""
        tea = (await add(shop, stock=100)).json()
        staff = await shop.staff()
        await shop.order(product=tea)

        async def count() -> None:
            for stock in range(50, 60):
                assert (
                    await shop.client.patch(f"/products/{tea['id']}", json={"stock": stock}, headers=staff)
                ).status_code == 200

        await asyncio.gather(count(), *(shop.order(product=tea) for _ in range(20)))

        assert await faults(shop) == 0
        left = (await shop.client.get(f"/products/{tea['id']}")).json()["stock"]
        assert 59 - 20 <= left <= 59
