"""Discounts over HTTP: staff make and change them, and nobody else sees them."""

import asyncio
from typing import Any

import pytest
from shop import Shop

pytestmark = pytest.mark.anyio

SPRING = {"code": "SPRING10", "kind": "percent", "value": "10"}
NOTHING = {
    "currency": None, "starts_at": None, "ends_at": None, "minimum": None, "max_uses": None, "max_uses_per_customer": None,
    "uses": 0, "is_active": True,
}  # fmt: skip


async def add(shop: Shop, **said: Any) -> Any:
    return await shop.client.post("/discounts", json=SPRING | said, headers=await shop.staff())


async def codes(shop: Shop, **wanted: Any) -> list[str]:
    answer = await shop.client.get("/discounts", params=wanted, headers=await shop.staff())
    assert answer.status_code == 200, answer.text
    return [discount["code"] for discount in answer.json()["data"]]


class TestAdd:
    async def test_answers_with_the_discount_and_nothing_else(self, shop: Shop) -> None:
        answer = await add(shop)

        discount = answer.json()
        assert answer.status_code == 201
        assert discount == {"id": discount["id"], **SPRING, **NOTHING, "value": "10.00"}
        found = await shop.client.get(answer.headers["location"], headers=await shop.api_key("read"))
        assert found.json() == discount

    async def test_keeps_everything_that_is_said(self, shop: Shop) -> None:
        said = {
            "code": "DINAR5", "kind": "fixed", "value": "5.125", "currency": "BHD", "starts_at": "2026-03-01T01:00:00+01:00",
            "ends_at": "2026-06-01T00:00:00.5Z", "minimum": 20, "max_uses": 500, "max_uses_per_customer": 1, "is_active": False,
        }  # fmt: skip

        discount = (await add(shop, **said)).json()

        shown = {"starts_at": "2026-03-01T00:00:00Z", "ends_at": "2026-06-01T00:00:00.500000Z", "minimum": "20.000", "uses": 0}
        assert discount == {**said, **shown, "id": discount["id"]}

    @pytest.mark.parametrize(
        ("said", "pointer", "code"),
        [
            ({"code": "spring10"}, "/code", "string_pattern_mismatch"),
            ({"code": "SPRING10\n"}, "/code", "string_pattern_mismatch"),
            ({"code": "SHORT"}, "/code", "string_pattern_mismatch"),
            ({"kind": "gift"}, "/kind", "enum"),
            ({"value": "0"}, "/value", "amount_not_positive"),
            ({"value": "100.01"}, "/value", "percent_too_large"),
            ({"value": "12.345"}, "/value", "too_many_decimals"),
            ({"value": 12.5}, "/value", "amount_not_exact"),
            ({"kind": "fixed"}, "/currency", "currency_missing"),
            ({"minimum": "20.00"}, "/currency", "currency_missing"),
            ({"kind": "fixed", "currency": "JPY", "value": "5.50"}, "/value", "too_many_decimals"),
            ({"currency": "EUX"}, "/currency", "unknown_currency"),
            ({"starts_at": "2026-03-01T00:00:00"}, "/starts_at", "time_malformed"),
            ({"starts_at": 1772323200}, "/starts_at", "time_malformed"),
            ({"starts_at": "2026-03-01T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"}, "/ends_at", "ends_before_start"),
            ({"max_uses": 0}, "/max_uses", "greater_than_equal"),
            ({"max_uses": 2**31}, "/max_uses", "less_than"),
            ({"uses": 3}, "/uses", "extra_forbidden"),
        ],
    )
    async def test_refuses_by_field(self, shop: Shop, said: dict[str, Any], pointer: str, code: str) -> None:
        answer = await add(shop, **said)

        assert answer.status_code == 422
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]
        assert await codes(shop) == []

    async def test_lets_one_of_twenty_at_once_have_a_code(self, shop: Shop) -> None:
        await shop.staff()

        answers = await asyncio.gather(*(add(shop) for _ in range(20)))

        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"discount_code_taken"}

    @pytest.mark.parametrize("scope", ["storefront", None])
    async def test_nobody_else_sees_or_makes_them(self, shop: Shop, scope: str | None) -> None:
        path = (await add(shop)).headers["location"]
        headers = await shop.signed_in() if scope is None else await shop.api_key(scope)

        answers = [
            await shop.client.get("/discounts", headers=headers),
            await shop.client.get(path, headers=headers),
            await shop.client.post("/discounts", json={"wrong": True}, headers=headers),
            await shop.client.patch(path, json={"wrong": True}, headers=headers),
        ]

        assert [answer.status_code for answer in answers] == [403] * 4
        assert (await shop.client.get("/discounts")).status_code == 401


class TestList:
    async def test_filters_and_pages(self, shop: Shop) -> None:
        for number in range(4):
            await add(shop, code=f"SPRING{number}", is_active=number != 2)

        page = await shop.client.get("/discounts", params={"limit": 3}, headers=await shop.staff())

        assert (len(page.json()["data"]), page.json()["has_more"]) == (3, True)
        assert await codes(shop, cursor=page.json()["next_cursor"]) == ["SPRING3"]
        assert await codes(shop, is_active=False) == ["SPRING2"]
        assert await codes(shop, code="SPRING1") == ["SPRING1"]


class TestChange:
    async def test_changes_what_is_said_and_leaves_the_rest(self, shop: Shop) -> None:
        made = await add(shop, max_uses=5, currency="EUR", minimum="20.00")
        staff = await shop.staff()

        changed = await shop.client.patch(made.headers["location"], json={"max_uses": None, "value": "12.5"}, headers=staff)

        assert (changed.status_code, changed.json()) == (200, {**made.json(), "max_uses": None, "value": "12.50"})

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ({"kind": "fixed"}, "value_missing"),
            ({"currency": "JPY"}, "minimum_missing"),
            ({"currency": None, "minimum": "3.00"}, "currency_missing"),
            ({"ends_at": "2026-01-01T00:00:00Z"}, "ends_before_start"),
            ({"is_active": None}, "invalid"),
        ],
    )
    async def test_refuses_what_does_not_fit_together(self, shop: Shop, said: dict[str, Any], code: str) -> None:
        made = await add(shop, currency="EUR", minimum="20.00", starts_at="2026-03-01T00:00:00Z")
        path, staff = made.headers["location"], await shop.staff()

        answer = await shop.client.patch(path, json=said, headers=staff)

        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert (await shop.client.get(path, headers=staff)).json() == made.json()

    async def test_to_a_code_that_is_taken_is_refused(self, shop: Shop) -> None:
        await add(shop)
        other = await add(shop, code="SPRING20")

        answer = await shop.client.patch(other.headers["location"], json={"code": "SPRING10"}, headers=await shop.staff())

        assert (answer.status_code, answer.json()["code"]) == (409, "discount_code_taken")
        assert await codes(shop) == ["SPRING10", "SPRING20"]
