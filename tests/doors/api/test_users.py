"""Accounts over HTTP: registering, one's own account, and what staff see and change."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from shop import PASSWORD, Shop, open_shop

from ordermill.config import DatabaseUrl

pytestmark = pytest.mark.anyio

ADA: Final = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}


async def id_of(shop: Shop, headers: dict[str, str]) -> int:
    answer = await shop.client.get("/users/me", headers=headers)
    assert answer.status_code == 200
    return int(answer.json()["id"])


async def users(shop: Shop, **wanted: Any) -> list[str]:
    answer = await shop.client.get("/users", params=wanted, headers=await shop.staff())
    assert answer.status_code == 200, answer.text
    return [user["email"] for user in answer.json()["data"]]


class TestRegister:
    async def test_answers_with_the_account(self, shop: Shop) -> None:
        answer = await shop.client.post("/users", json=ADA)

        assert answer.status_code == 201
        assert set(answer.json()) == {"id", "email", "name", "is_active", "created_at"}
        assert (answer.json()["email"], answer.json()["is_active"]) == ("ada@example.com", True)
        assert answer.json()["created_at"].endswith("Z")

    @pytest.mark.parametrize("spelt", ["ada@example.com", "ADA@Example.com"])
    async def test_refuses_an_address_twice(self, shop: Shop, spelt: str) -> None:
        await shop.client.post("/users", json=ADA)

        answer = await shop.client.post("/users", json={**ADA, "email": spelt, "name": "Eve"})

        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
        assert await users(shop, name="Eve") == []

    async def test_lets_one_of_twenty_at_once_win(self, shop: Shop) -> None:
        """RELIABILITY.md E7; in two processes: faults."""
        answers = await asyncio.gather(*(shop.client.post("/users", json={**ADA, "name": f"Ada {n}"}) for n in range(20)))

        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
        assert await users(shop, email="ada@") == ["ada@example.com"]

    @pytest.mark.parametrize(
        ("wrong", "pointer", "code"),
        [
            ({"email": "nobody"}, "/email", "email_malformed"),
            ({"name": " "}, "/name", "string_too_short"),
            ({"name": "a\0b"}, "/name", "text_not_storable"),
            ({"password": "short"}, "/password", "password_too_short"),
            ({"password": "password1"}, "/password", "password_common"),
            ({"password": "ada@example.com"}, "/password", "password_personal"),
            ({"password": "x" * 1025}, "/password", "password_too_long"),
            ({"is_staff": True}, "/is_staff", "extra_forbidden"),
            ({"email_verified_at": "2026-11-22T10:00:00Z"}, "/email_verified_at", "extra_forbidden"),
        ],
    )
    async def test_says_which_field_is_wrong_and_repeats_nothing(
        self, shop: Shop, wrong: dict[str, Any], pointer: str, code: str
    ) -> None:
        body = {**ADA, "password": "canary-7Hq2Lr9w", **wrong}
        answer = await shop.client.post("/users", json=body)

        assert answer.status_code == 422, answer.text
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]
        assert "canary" not in answer.text
        assert await users(shop, email="ada") == []

    async def test_is_throttled(self, shop: Shop) -> None:
        answers = [await shop.client.post("/users", json={**ADA, "password": "short"}) for _ in range(31)]

        assert [answer.status_code for answer in answers] == [422] * 30 + [429]
        assert answers[-1].json()["code"] == "too_many_attempts"
        assert int(answers[-1].headers["Retry-After"]) > 0


class TestRegisterQuietly:
    @pytest.fixture
    async def quiet(self, book_url: DatabaseUrl) -> AsyncIterator[Shop]:
        async with open_shop(book_url, registration="neutral") as opened:
            yield opened

    async def test_answers_alike_whether_or_not_the_address_is_known(self, quiet: Shop) -> None:
        first = await quiet.client.post("/users", json=ADA)
        await quiet.services.post.finish()
        second = await quiet.client.post("/users", json={**ADA, "name": "Eve", "password": "another password"})
        await quiet.services.post.finish()

        assert (first.status_code, first.content) == (202, second.content)
        assert {name: value for name, value in first.headers.items() if name != "x-request-id"}.keys() == {
            name: value for name, value in second.headers.items() if name != "x-request-id"
        }.keys()
        assert await users(quiet, email="ada") == ["ada@example.com"]
        assert await users(quiet, name="Eve") == []


class TestMe:
    async def test_shows_the_own_account_with_its_version(self, shop: Shop) -> None:
        headers = await shop.signed_in(email="ada@example.com")

        answer = await shop.client.get("/users/me", headers=headers)

        assert answer.headers["ETag"] == '"1"'
        assert (answer.json()["email"], answer.json()["is_staff"], answer.json()["email_verified_at"]) == (
            "ada@example.com", False, None,
        )  # fmt: skip

    async def test_is_for_people_only(self, shop: Shop) -> None:
        assert (await shop.client.get("/users/me")).status_code == 401
        for scope in ("staff", "storefront", "read"):
            assert (await shop.client.get("/users/me", headers=await shop.api_key(scope))).status_code == 403

    async def test_changes_the_name(self, shop: Shop) -> None:
        headers = await shop.signed_in()

        answer = await shop.client.patch("/users/me", json={"name": "Ada L."}, headers={**headers, "If-Match": '"1"'})
        stale = await shop.client.patch("/users/me", json={"name": "Eve"}, headers={**headers, "If-Match": '"1"'})

        assert (answer.status_code, answer.json()["name"], answer.headers["ETag"]) == (200, "Ada L.", '"2"')
        assert stale.status_code == 412
        assert (await shop.client.get("/users/me", headers=headers)).json()["name"] == "Ada L."

    async def test_changes_the_password_and_ends_the_sessions(self, shop: Shop) -> None:
        await shop.client.post("/users", json=ADA)
        grant = (await shop.client.post("/auth/token", data={"username": "ada@example.com", "password": PASSWORD})).json()
        headers = {"Authorization": f"Bearer {grant['access_token']}"}

        wrong = await shop.client.patch(
            "/users/me", json={"password": "another good one", "current_password": "guess"}, headers=headers
        )
        done = await shop.client.patch(
            "/users/me", json={"password": "another good one", "current_password": PASSWORD}, headers=headers
        )
        refreshed = await shop.client.post("/auth/refresh", json={"refresh_token": grant["refresh_token"]})
        old = await shop.client.post("/auth/token", data={"username": "ada@example.com", "password": PASSWORD})

        assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/current_password")
        assert (done.status_code, refreshed.status_code, old.status_code) == (200, 401, 400)

    @pytest.mark.parametrize("field", ["email", "is_staff", "is_active", "email_verified_at", "version", "id"])
    async def test_changes_nothing_else(self, shop: Shop, field: str) -> None:
        headers = await shop.signed_in()

        answer = await shop.client.patch("/users/me", json={field: None}, headers=headers)

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{field}")

    async def test_of_a_closed_account_is_shown_no_more(self, shop: Shop) -> None:
        headers = await shop.signed_in()
        id = await id_of(shop, headers)
        await shop.client.patch(f"/users/{id}", json={"is_active": False}, headers=await shop.staff())

        assert (await shop.client.get("/users/me", headers=headers)).status_code == 401
        assert (await shop.client.get("/users/me/statistics", headers=headers)).status_code == 401
        assert (await shop.client.patch("/users/me", json={"name": "Eve"}, headers=headers)).status_code == 401


class TestStaff:
    async def test_search_by_address_name_and_state(self, shop: Shop) -> None:
        await shop.signed_in(email="zoë@example.com")
        await shop.signed_in(email="bob@example.org")
        bob = (await shop.client.get("/users", params={"email": "BOB"}, headers=await shop.staff())).json()["data"][0]
        await shop.client.patch(f"/users/{bob['id']}", json={"is_active": False}, headers=await shop.staff())

        assert await users(shop, email="ZOË@") == ["zoë@example.com"]
        assert await users(shop, name="ada", is_staff=False) == ["zoë@example.com", "bob@example.org"]
        assert await users(shop, is_active=False) == ["bob@example.org"]
        assert await users(shop, is_staff=True) == ["staff@example.com"]
        assert await users(shop, claimed=False) == []

    async def test_page_through_all(self, shop: Shop) -> None:
        for number in range(4):
            await shop.signed_in(email=f"{number}@example.com")
        staff, seen, cursor = await shop.staff(), [], None
        while True:
            answer = await shop.client.get(
                "/users", params={"limit": 2, "cursor": cursor} if cursor else {"limit": 2}, headers=staff
            )
            seen += [user["email"][0] for user in answer.json()["data"]]
            cursor = answer.json()["next_cursor"]
            assert answer.json()["has_more"] is (cursor is not None)
            if cursor is None:
                break

        assert seen == ["0", "1", "2", "3", "s"]

    async def test_see_what_an_account_is(self, shop: Shop) -> None:
        id = await id_of(shop, await shop.signed_in(email="ada@example.com", verified=True))

        answer = await shop.client.get(f"/users/{id}", headers=await shop.staff())

        assert answer.headers["ETag"] == '"2"'
        assert set(answer.json()) == {
            "id", "email", "name", "is_active", "created_at", "is_staff", "email_verified_at", "claimed",
        }  # fmt: skip

    async def test_close_an_account_and_open_it_again(self, shop: Shop) -> None:
        id = await id_of(shop, await shop.signed_in(email="ada@example.com"))
        staff = await shop.staff()

        closed = await shop.client.patch(f"/users/{id}", json={"is_active": False}, headers=staff)
        refused = await shop.client.post("/auth/token", data={"username": "ada@example.com", "password": PASSWORD})
        opened = await shop.client.patch(f"/users/{id}", json={"is_active": True}, headers=staff)

        assert (closed.status_code, closed.json()["is_active"]) == (200, False)
        assert refused.status_code == 400
        assert opened.json()["is_active"] is True
        await shop.sign_in("ada@example.com")

    async def test_change_only_the_version_they_have_seen(self, shop: Shop) -> None:
        id = await id_of(shop, await shop.signed_in())

        answer = await shop.client.patch(
            f"/users/{id}", json={"is_active": False}, headers={**await shop.staff(), "If-Match": '"7"'}
        )

        assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")
        assert await users(shop, is_active=False) == []

    async def test_do_not_close_themselves_out(self, shop: Shop) -> None:
        staff = await shop.staff()

        answer = await shop.client.patch(f"/users/{await id_of(shop, staff)}", json={"is_active": False}, headers=staff)

        assert (answer.status_code, answer.json()["code"]) == (409, "own_account")
        assert await users(shop, is_active=False) == []

    @pytest.mark.parametrize("field", ["is_staff", "email", "name", "password", "email_verified_at", "version"])
    async def test_change_nothing_else(self, shop: Shop, field: str) -> None:
        id = await id_of(shop, await shop.signed_in())

        answer = await shop.client.patch(f"/users/{id}", json={"is_active": False, field: True}, headers=await shop.staff())

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{field}")
        assert await users(shop, is_active=False) == []

    @pytest.mark.parametrize("id", ["4711", "9223372036854775808", "0", "x"])
    async def test_are_told_of_nobody(self, shop: Shop, id: str) -> None:
        for path in (f"/users/{id}", f"/users/{id}/statistics"):
            assert (await shop.client.get(path, headers=await shop.staff())).status_code == 404

    async def test_are_meant_by_these_routes_and_nobody_else(self, shop: Shop) -> None:
        user = await shop.signed_in()
        id = await id_of(shop, user)
        read, storefront = await shop.api_key("read"), await shop.api_key("storefront")

        for path in ("/users", f"/users/{id}", f"/users/{id}/statistics"):
            answers = [await shop.client.get(path, headers=headers) for headers in ({}, user, storefront, read)]
            assert [answer.status_code for answer in answers] == [401, 403, 403, 200]
        closing = [
            await shop.client.patch(f"/users/{id}", json={"is_active": False}, headers=headers)
            for headers in ({}, user, storefront, read)
        ]
        assert [answer.status_code for answer in closing] == [401, 403, 403, 403]

    async def test_take_signs_that_no_database_holds_for_a_mistake(self, shop: Shop) -> None:
        answer = await shop.client.get("/users", params={"name": "a\0"}, headers=await shop.staff())

        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "name")


class TestStatistics:
    async def test_are_nothing_for_nobody_s_orders(self, shop: Shop) -> None:
        headers = await shop.signed_in(email="ada@example.com")

        answer = await shop.client.get("/users/me/statistics", headers=headers)

        assert answer.json() == {
            "customer_id": await id_of(shop, headers),
            "email": "ada@example.com",
            "currency": "EUR",
            "total_orders": 0,
            "total_spent": "0.00",
            "avg_order_value": None,
            "first_order_at": None,
            "last_order_at": None,
        }

    async def test_refuse_what_is_no_currency(self, shop: Shop) -> None:
        answer = await shop.client.get("/users/me/statistics", params={"currency": "EUX"}, headers=await shop.signed_in())

        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_currency")

    async def test_count_what_the_owner_sees_and_staff_see_all(self, shop: Shop) -> None:
        """Before the address is verified: what was ordered while signed in. A cancelled order counts for nobody."""
        ada = await shop.signed_in(email="ada@example.com")
        tea = await shop.product(price="4.50")
        await shop.order(headers=ada, product=tea)
        await shop.order(product=tea, customer_email="ada@example.com")
        gone = await shop.order(headers=ada, product=tea)
        cancelled = await shop.client.patch(
            f"/orders/{gone['id']}", json={"status": "cancelled"}, headers={**ada, "If-Match": '"1"'}
        )
        assert cancelled.status_code == 200

        async def figures(path: str, headers: dict[str, str]) -> tuple[int, str, str]:
            body = (await shop.client.get(f"/users/{path}/statistics", headers=headers)).json()
            return body["total_orders"], body["total_spent"], body["avg_order_value"]

        before = await figures("me", ada)
        of_staff = await figures(str(await id_of(shop, ada)), await shop.staff())
        await shop.verify("ada@example.com")

        assert (before, of_staff) == ((1, "4.50", "4.50"), (2, "9.00", "4.50"))
        assert await figures("me", ada) == of_staff


class TestRole:
    async def test_that_was_taken_away_counts_no_more_at_the_next_request(self, shop: Shop) -> None:
        """RELIABILITY.md D8 and C5."""
        await shop.staff()
        bob = await shop.signed_in(email="bob@example.com", staff=True)
        id = await id_of(shop, bob)

        allowed = await shop.client.get("/users", headers=bob)
        await shop.services.accounts.set_staff(id, staff=False, actor="command")
        refused = await shop.client.get("/users", headers=bob)

        assert (allowed.status_code, refused.status_code in {401, 403}) == (200, True)
