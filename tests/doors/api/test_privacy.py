"""A person's data over HTTP: handed out to whom it belongs and to staff, and forgotten by whoever shows the password."""

from typing import Any, Final

import pytest
from builders import an_order
from shop import PASSWORD, Shop

from ordermill.api.schemas.privacy import PersonalData

pytestmark = pytest.mark.anyio

ADA: Final = "ada@example.com"


async def me(shop: Shop, headers: dict[str, str]) -> dict[str, Any]:
    return dict((await shop.client.get("/users/me", headers=headers)).json())


async def imported_order(shop: Shop, customer_id: int) -> None:
    """Let the book have an order that the customer did not place here."""
    async with shop.services._unit() as unit:
        await unit.orders.add(an_order("2001", channel="shop", customer_id=customer_id, note="Ring twice."))
        await unit.commit()


async def erase(shop: Shop, headers: dict[str, str], **body: Any) -> Any:
    return await shop.client.request("DELETE", "/users/me", headers=headers, json=body)


class TestExportMe:
    async def test_gives_everything_of_the_account_as_documented(self, shop: Shop) -> None:
        headers = await shop.signed_in(email=ADA, verified=True)
        await imported_order(shop, (await me(shop, headers))["id"])

        answer = await shop.client.get("/users/me/export", headers=headers)

        found = PersonalData.model_validate_json(answer.text, strict=False)
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["content-disposition"] == 'attachment; filename="personal-data.json"'
        assert answer.headers["cache-control"] == "no-store"
        assert (found.account.email, [order.number for order in found.orders]) == (ADA, ["2001"])
        assert found.orders[0].note == "Ring twice."
        assert len(found.sessions) == 1
        assert "hash" not in answer.text

    async def test_hides_what_came_by_other_ways_until_the_address_is_verified(self, shop: Shop) -> None:
        headers = await shop.signed_in(email=ADA)
        await imported_order(shop, (await me(shop, headers))["id"])
        before = await shop.client.get("/users/me/export", headers=headers)

        await shop.verify(ADA)
        after = await shop.client.get("/users/me/export", headers=headers)

        assert (len(before.json()["orders"]), len(after.json()["orders"])) == (0, 1)

    async def test_is_for_people(self, shop: Shop) -> None:
        for headers, status in ((None, 401), (await shop.api_key("staff"), 403)):
            answer = await shop.client.get("/users/me/export", headers=headers)
            assert answer.status_code == status


class TestEraseMe:
    async def test_forgets_and_signs_out(self, shop: Shop) -> None:
        headers = await shop.signed_in(email=ADA)
        signed_in = (await shop.client.post("/auth/token", data={"username": ADA, "password": PASSWORD})).json()

        answer = await erase(shop, headers, current_password=PASSWORD)

        assert (answer.status_code, answer.content) == (204, b"")
        assert (await shop.client.get("/users/me", headers=headers)).status_code == 401
        assert (await shop.client.get("/users/me/export", headers=headers)).status_code == 401
        again = await shop.client.post("/auth/token", data={"username": ADA, "password": PASSWORD})
        assert again.status_code == 400
        refreshed = await shop.client.post("/auth/refresh", json={"refresh_token": signed_in["refresh_token"]})
        assert refreshed.status_code == 401

    async def test_lets_the_person_register_again(self, shop: Shop) -> None:
        headers = await shop.signed_in(email=ADA)
        before = await me(shop, headers)
        await erase(shop, headers, current_password=PASSWORD)

        after = await me(shop, await shop.signed_in(email=ADA))

        assert after["id"] != before["id"]

    async def test_refuses_another_password_and_repeats_nothing(self, shop: Shop) -> None:
        headers = await shop.signed_in(email=ADA)

        answer = await erase(shop, headers, current_password="canary-7Hq2Lr9w")

        assert (answer.status_code, answer.json()["code"]) == (422, "current_password_wrong")
        assert answer.json()["errors"][0]["pointer"] == "/current_password"
        assert "canary" not in answer.text
        assert (await me(shop, headers))["email"] == ADA

    @pytest.mark.parametrize("body", [{}, {"current_password": PASSWORD, "sure": True}, {"current_password": None}])
    async def test_refuses_another_body(self, shop: Shop, body: dict[str, Any]) -> None:
        headers = await shop.signed_in(email=ADA)

        answer = await erase(shop, headers, **body)

        assert answer.status_code == 422
        assert (await me(shop, headers))["email"] == ADA

    async def test_refuses_the_last_staff_user(self, shop: Shop) -> None:
        headers = await shop.signed_in(email=ADA, staff=True)

        answer = await erase(shop, headers, current_password=PASSWORD)

        assert (answer.status_code, answer.json()["code"]) == (409, "last_staff")
        assert (await me(shop, headers))["email"] == ADA


class TestStaff:
    async def test_export_and_erase_anybody(self, shop: Shop) -> None:
        id = (await me(shop, await shop.signed_in(email=ADA)))["id"]
        await imported_order(shop, id)
        staff = await shop.staff()

        exported = await shop.client.get(f"/users/{id}/export", headers=staff)
        erased = await shop.client.delete(f"/users/{id}", headers=staff)
        again = await shop.client.delete(f"/users/{id}", headers=staff)

        assert [order["number"] for order in exported.json()["orders"]] == ["2001"]
        assert (erased.status_code, again.status_code, again.json()["code"]) == (204, 404, "user_not_found")
        assert (await shop.client.get(f"/users/{id}/export", headers=staff)).status_code == 404

    async def test_erase_themselves_with_their_password_only(self, shop: Shop) -> None:
        staff = await shop.staff()
        await shop.signed_in(email=ADA, staff=True)
        id = (await me(shop, staff))["id"]

        answer = await shop.client.delete(f"/users/{id}", headers=staff)

        assert (answer.status_code, answer.json()["code"]) == (409, "own_account")
        assert (await me(shop, staff))["id"] == id
        assert (await erase(shop, staff, current_password=PASSWORD)).status_code == 204

    async def test_alone_may_erase_others(self, shop: Shop) -> None:
        ada = await shop.signed_in(email=ADA)
        bob = (await me(shop, await shop.signed_in(email="bob@example.com")))["id"]

        for headers in (ada, await shop.api_key("read"), await shop.api_key("storefront")):
            answer = await shop.client.delete(f"/users/{bob}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        for headers in (ada, await shop.api_key("storefront")):
            assert (await shop.client.get(f"/users/{bob}/export", headers=headers)).status_code == 403
        assert (await shop.client.get(f"/users/{bob}", headers=await shop.staff())).json()["email"] == "bob@example.com"
