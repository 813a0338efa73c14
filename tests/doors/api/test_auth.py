"""Signing in, staying signed in and signing out over HTTP."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from clocks import HandClock
from shop import PASSWORD, Shop, open_shop

from ordermill.accounts.drafts import UserCreate
from ordermill.accounts.sessions import end_sessions_in
from ordermill.config import DatabaseUrl

pytestmark = pytest.mark.anyio

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def register(shop: Shop, email: str = "ada@example.com", **said: Any) -> None:
    await shop.services.accounts.create(UserCreate(email=email, name="Ada", password=PASSWORD), actor="command", **said)


async def sign_in(shop: Shop, email: str = "ada@example.com", password: str = PASSWORD) -> httpx.Response:
    return await shop.client.post("/auth/token", data={"username": email, "password": password})


async def refresh(shop: Shop, token: str) -> httpx.Response:
    return await shop.client.post("/auth/refresh", json={"refresh_token": token})


class TestToken:
    async def test_answers_as_oauth_2_has_it(self, shop: Shop) -> None:
        await register(shop)

        answer = await shop.client.post(
            "/auth/token", data={"grant_type": "password", "username": "Ada@Example.com", "password": PASSWORD, "scope": "x"}
        )

        body = answer.json()
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token"}
        assert (body["token_type"], body["expires_in"]) == ("bearer", 900)

    async def test_the_access_token_opens_what_is_for_users(self, shop: Shop) -> None:
        await register(shop)
        headers = {"Authorization": f"Bearer {(await sign_in(shop)).json()['access_token']}"}
        assert (await shop.client.get("/users/me", headers=headers)).json()["email"] == "ada@example.com"
        assert (await shop.client.get("/api-keys", headers=headers)).status_code == 403

    async def test_refuses_everybody_alike(self, shop: Shop) -> None:
        """RELIABILITY.md C8: status, body and headers, but for what tells one request from another."""
        await register(shop, "wrong@example.com")
        await register(shop, "inactive@example.com")
        async with shop.services._unit() as unit:
            user = await unit.users.by_email("inactive@example.com")
            assert user is not None
            await unit.users.update(replace(user, is_active=False))
            await unit.commit()

        answers = [
            await sign_in(shop, "unknown@example.com"),
            await sign_in(shop, "wrong@example.com", "wrong horse battery"),
            await sign_in(shop, "inactive@example.com"),
        ]

        told = [_without_identity(answer) for answer in answers]
        assert told[0] == told[1] == told[2]
        status, headers, body = told[0]
        assert status == 400
        assert (headers["content-type"], headers["cache-control"]) == ("application/problem+json", "no-store")
        assert (body["code"], body["error"], body["error_description"]) == (
            "invalid_credentials",
            "invalid_grant",
            body["detail"],
        )

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ("", "invalid_request"),
            ("username=ada%40example.com", "invalid_request"),
            ("username=&password=", "invalid_request"),
            ("username=a&username=b&password=c", "invalid_request"),
            ("username=%ff&password=c", "invalid_request"),
            ("&".join(["a=b"] * 21), "invalid_request"),
            ("grant_type=refresh_token&username=a&password=b", "unsupported_grant_type"),
        ],
    )
    async def test_refuses_a_form_in_the_words_of_rfc_6749(self, shop: Shop, body: str, error: str) -> None:
        answer = await shop.client.post("/auth/token", content=body, headers=FORM)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["code"], answer.json()["error"]) == ("token_request_invalid", error)

    @pytest.mark.parametrize("kind", ["json", "multipart", "charset", "none"])
    async def test_takes_nothing_but_a_form(self, shop: Shop, kind: str) -> None:
        await register(shop)
        sent: dict[str, dict[str, Any]] = {
            "json": {"json": {"username": "ada@example.com", "password": PASSWORD}},
            "multipart": {"files": {"username": (None, "ada@example.com"), "password": (None, PASSWORD)}},
            "charset": {
                "content": "username=a&password=b",
                "headers": {"Content-Type": FORM["Content-Type"] + "; charset=latin-1"},
            },
            "none": {"content": "username=a&password=b"},
        }
        answer = await shop.client.post("/auth/token", **sent[kind])
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    async def test_takes_a_password_of_any_script(self, shop: Shop) -> None:
        password = "Mühle am rauschenden Bach 水車"
        draft = UserCreate(email="ada@example.com", name="Ada", password=password)
        await shop.services.accounts.create(draft, actor="command")

        raw = f"username=ada@example.com&password={password.replace(' ', '+')}".encode()

        assert (await sign_in(shop, password=password)).status_code == 200
        assert (await shop.client.post("/auth/token", content=raw, headers=FORM)).status_code == 200

    @pytest.mark.parametrize("email", ["nul\0@example.com", "x" * 5000, "''; DROP TABLE users", "ada@example.com\r\n"])
    async def test_hostile_names_are_nobody(self, shop: Shop, email: str) -> None:
        assert (await sign_in(shop, email)).json()["code"] == "invalid_credentials"

    async def test_says_how_long_to_wait_after_too_many_failures(self, shop: Shop) -> None:
        await register(shop)
        for _ in range(5):
            assert (await sign_in(shop, password="wrong horse battery")).status_code == 400

        answer = await sign_in(shop)

        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert 1 <= int(answer.headers["retry-after"]) <= 2

    async def test_echoes_no_password(self, shop: Shop) -> None:
        answers = [
            await sign_in(shop, password="canary-password"),
            await shop.client.post("/auth/token", json={"password": "canary-password"}),
        ]
        assert all("canary" not in answer.text for answer in answers)


def _without_identity(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    headers = {name: value for name, value in answer.headers.items() if not name.startswith(("x-request-id", "ratelimit"))}
    body = {name: value for name, value in answer.json().items() if name not in {"instance", "request_id"}}
    return answer.status_code, headers, body


class TestRefresh:
    async def test_gives_new_tokens_once(self, shop: Shop) -> None:
        await register(shop)
        first = (await sign_in(shop)).json()

        answer = await refresh(shop, first["refresh_token"])

        second = answer.json()
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert second["refresh_token"] != first["refresh_token"]
        headers = {"Authorization": f"Bearer {second['access_token']}"}
        assert (await shop.client.get("/users/me", headers=headers)).status_code == 200

    async def test_twenty_at_once_are_one_lineage(self, shop: Shop) -> None:
        await register(shop)
        first = (await sign_in(shop)).json()["refresh_token"]

        answers = await asyncio.gather(*(refresh(shop, first) for _ in range(20)))

        assert {answer.status_code for answer in answers} == {200}
        (successor,) = {answer.json()["refresh_token"] for answer in answers}
        assert (await refresh(shop, successor)).status_code == 200

    async def test_an_older_one_ends_the_session(self, shop: Shop) -> None:
        await register(shop)
        tokens = [(await sign_in(shop)).json()["refresh_token"]]
        for _ in range(2):
            tokens.append((await refresh(shop, tokens[-1])).json()["refresh_token"])

        for token in tokens:
            answer = await refresh(shop, token)
            assert (answer.status_code, answer.json()["code"]) == (401, "refresh_refused")
            assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize(
        "body", [{}, {"refresh_token": 1}, {"refresh_token": "x", "more": 1}, {"refresh_token": "x" * 201}, []]
    )
    async def test_refuses_another_shape(self, shop: Shop, body: Any) -> None:
        assert (await shop.client.post("/auth/refresh", json=body)).status_code == 422

    async def test_refuses_what_is_none(self, shop: Shop) -> None:
        assert (await refresh(shop, "canary-token")).status_code == 401
        assert "canary" not in (await refresh(shop, "canary-token")).text


class TestLogout:
    async def test_ends_the_session_and_says_nothing(self, shop: Shop) -> None:
        await register(shop)
        token = (await sign_in(shop)).json()["refresh_token"]

        answers = [await shop.client.post("/auth/logout", json={"refresh_token": each}) for each in (token, token, "none")]

        assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
        assert (await refresh(shop, token)).status_code == 401


class TestEnd:
    """RELIABILITY.md C5 and D8: at once for staff and for refresh tokens, within a token's 15 minutes for the others."""

    async def test_a_demoted_member_of_staff_is_refused_at_the_next_request(self, shop: Shop) -> None:
        await register(shop, staff=True)
        tokens = (await sign_in(shop)).json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await shop.client.get("/api-keys", headers=headers)).status_code == 200

        async with shop.services._unit() as unit:
            user = await unit.users.by_email("ada@example.com")
            assert user is not None
            await unit.users.update(replace(user, is_staff=False))
            await end_sessions_in(unit, user.id or 0, at=datetime.now(UTC))
            await unit.commit()

        assert (await shop.client.get("/api-keys", headers=headers)).status_code == 403
        assert (await refresh(shop, tokens["refresh_token"])).status_code == 401


@pytest.mark.parametrize("sent", ["Bearer x", "Bearer a.b.c", "Bearer om_x", "Basic eDp5", "Bearer", "x"])
async def test_credentials_that_are_none_are_a_401(shop: Shop, sent: str) -> None:
    answer = await shop.client.get("/users/me", headers={"Authorization": sent})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_tokens_survive_a_restart_and_hold_in_every_process(book_url: DatabaseUrl) -> None:
    """RELIABILITY.md C2."""
    async with open_shop(book_url) as one:
        await register(one)
        tokens = (await sign_in(one)).json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    async with open_shop(book_url) as other:
        assert (await other.client.get("/users/me", headers=headers)).status_code == 200
        assert (await refresh(other, tokens["refresh_token"])).status_code == 200


async def test_a_rotated_key_verifies_until_its_last_day(book_url: DatabaseUrl) -> None:
    """RELIABILITY.md C3."""
    clock = HandClock(datetime(2026, 12, 31, 23, 50, tzinfo=UTC))
    async with open_shop(book_url, clock=clock, secret_key="old" * 5 + "-0123456789abcdefghijklmnopqrstuvwxyz") as shop:
        await register(shop)
        headers = {"Authorization": f"Bearer {(await sign_in(shop)).json()['access_token']}"}
    both = "new" * 5 + "-0123456789abcdefghijklmnopqrstuvwxyz," + "old" * 5 + "-0123456789abcdefghijklmnopqrstuvwxyz@2026-12-31"
    async with open_shop(book_url, clock=clock, secret_key=both) as shop:
        assert (await shop.client.get("/users/me", headers=headers)).status_code == 200
        clock.goes(minutes=10)
        assert (await shop.client.get("/users/me", headers=headers)).status_code == 401
