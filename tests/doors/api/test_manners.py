"""What holds for every request, whatever it asks for: how it is refused, named, logged and measured."""

import re
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest
from fastapi import APIRouter, Response
from fastapi.routing import APIRoute
from shop import SECRET, Shop, open_shop
from structlog.testing import capture_logs

from ordermill.api.deps import SignedIn
from ordermill.api.guard import gates_of, guard
from ordermill.config import DatabaseUrl
from ordermill.kit.rates import Quota

pytestmark = pytest.mark.anyio

PROBLEM = "application/problem+json"


def add(shop: Shop, router: APIRouter) -> None:
    """Add routes of a test's own."""
    quota = Quota("default", count=1_000_000, window_s=60)
    shop.app.router.routes[:0] = [guard(route, quota=quota) for route in router.routes]


def is_problem(answer: httpx.Response, status: int, code: str) -> bool:
    body = answer.json()
    assert answer.headers["content-type"] == PROBLEM
    assert {"type", "title", "status", "detail", "instance", "code", "request_id"} <= set(body)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["instance"].endswith(body["request_id"])
    assert body["detail"].endswith((".", "`")), body["detail"]
    return (answer.status_code, body["status"], body["code"]) == (status, status, code)


class TestRefusals:
    async def test_a_path_that_is_not_there(self, shop: Shop) -> None:
        assert is_problem(await shop.client.get("/nowhere"), 404, "not_found")

    async def test_a_slash_too_many_is_another_path(self, shop: Shop) -> None:
        assert is_problem(await shop.client.post("/users/", json={}), 404, "not_found")

    async def test_a_method_that_the_path_does_not_know(self, shop: Shop) -> None:
        answer = await shop.client.put("/users")
        assert is_problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"

    async def test_trace_is_off(self, shop: Shop) -> None:
        answer = await shop.client.request("TRACE", "/users", headers={"X-Canary": "canary"})
        assert is_problem(answer, 405, "method_not_allowed")
        assert "canary" not in answer.text

    async def test_an_id_that_cannot_be_one_is_a_thing_that_is_not_there(self, shop: Shop) -> None:
        staff = await shop.staff()
        for wrong in ("0", "-1", "7.0", "+7", "007", "seven", str(2**63), str(2**70), "1" * 5000, "%00", "%ED%A0%80"):
            answer = await shop.client.get(f"/users/{wrong}", headers=staff)
            assert is_problem(answer, 404, "not_found"), wrong
            assert len(answer.text) < 400

    async def test_a_bug_is_a_500_that_says_nothing_of_it(self, shop: Shop) -> None:
        router = APIRouter()

        @router.get("/bug")
        async def bug() -> None:
            raise RuntimeError("canary")

        add(shop, router)
        with capture_logs() as log:
            answer = await shop.client.get("/bug")
        assert is_problem(answer, 500, "internal_error")
        assert "canary" not in answer.text
        (entry,) = [entry for entry in log if entry["event"] == "bug"]
        assert entry["request_id"] == answer.headers["x-request-id"]
        assert entry["error"] == "RuntimeError"
        assert entry["at"][-1].endswith(" bug")
        assert "canary" not in str(log)


class TestWhoComesFirst:
    """Whoever may not come in is told so, and nothing about what they sent."""

    @pytest.mark.parametrize("content", ["", "{", '{"wrong": 1}', "x" * 2_000_000])
    async def test_before_the_body_is_looked_at(self, shop: Shop, content: str) -> None:
        answer = await shop.client.post("/api-keys", content=content, headers={"Content-Type": "text/plain"})
        assert is_problem(answer, 401, "unauthenticated")

    async def test_before_a_byte_of_the_body_is_read(self, shop: Shop) -> None:
        read = []

        async def body() -> AsyncIterator[bytes]:
            read.append(1)
            yield b"{}"

        answer = await shop.client.post("/api-keys", content=body())
        assert answer.status_code == 401
        assert read == []

    async def test_somebody_else_is_a_403(self, shop: Shop) -> None:
        buyer = await shop.signed_in()
        answer = await shop.client.post("/api-keys", content="{", headers={**buyer, "Content-Type": "application/json"})
        assert is_problem(answer, 403, "forbidden")

    @pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "om_123", "Bearer x y", "Bearer canary"])
    async def test_credentials_that_are_not_valid_are_a_401(self, shop: Shop, header: str) -> None:
        answer = await shop.client.get("/users/me", headers={"Authorization": header})
        assert is_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert "canary" not in answer.text

    async def test_no_credentials_are_asked_for(self, shop: Shop) -> None:
        answer = await shop.client.get("/users/me")
        assert answer.headers["www-authenticate"] == "Bearer"

    async def test_two_authorization_headers_are_none(self, shop: Shop) -> None:
        (value,) = (await shop.signed_in()).values()
        answer = await shop.client.get("/users/me", headers=[("Authorization", value), ("Authorization", value)])
        assert is_problem(answer, 401, "unauthenticated")


class TestMethods:
    async def test_head_is_get_without_a_body(self, shop: Shop) -> None:
        got, head = await shop.client.get("/livez"), await shop.client.head("/livez")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == got.headers["content-length"]

    async def test_head_asks_the_same_gates(self, shop: Shop) -> None:
        assert (await shop.client.head("/users")).status_code == 401
        assert (await shop.client.head("/users", headers=await shop.signed_in())).status_code == 403

    async def test_options_tells_the_methods_of_a_path(self, shop: Shop) -> None:
        answer = await shop.client.options("/users/me")
        assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH")
        assert is_problem(await shop.client.options("/nowhere"), 404, "not_found")


class TestHeaders:
    async def test_every_answer_is_closed_to_browsers(self, shop: Shop) -> None:
        for path in ("/livez", "/nowhere", "/users"):
            headers = (await shop.client.get(path)).headers
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "no-referrer"
            assert "server" not in headers
            assert "strict-transport-security" not in headers

    async def test_https_is_kept_where_the_world_uses_it(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, public_url="https://orders.example.com") as shop:
            assert (await shop.client.get("/livez")).headers["strict-transport-security"] == "max-age=31536000"

    async def test_a_request_id_is_taken_over(self, shop: Shop) -> None:
        answer = await shop.client.get("/nowhere", headers={"X-Request-ID": "from-the-proxy.1"})
        assert answer.headers.get_list("x-request-id") == ["from-the-proxy.1"]
        assert answer.json()["request_id"] == "from-the-proxy.1"

    @pytest.mark.parametrize("given", ["short", "x" * 129, "with space", "line\tfeed", "<script>", '"quoted"'])
    async def test_any_other_is_replaced(self, shop: Shop, given: str) -> None:
        answer = await shop.client.get("/livez", headers={"X-Request-ID": given})
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", answer.headers["x-request-id"])


class TestCors:
    ORIGIN: Final = "https://shop.example.com"
    ASKED: Final = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }

    async def test_is_off_where_nobody_is_named(self, shop: Shop) -> None:
        answer = await shop.client.options("/users", headers=self.ASKED)
        assert not [name for name in answer.headers if name.startswith("access-control")]

    async def test_lets_in_whom_it_names(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, cors_origins=self.ORIGIN) as shop:
            asked = await shop.client.options("/users", headers=self.ASKED)
            refused = await shop.client.get("/users", headers={"Origin": self.ORIGIN})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, self.ORIGIN)
        assert "access-control-allow-credentials" not in asked.headers
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, self.ORIGIN)
        assert "RateLimit" in refused.headers["access-control-expose-headers"]

    async def test_and_nobody_else(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, cors_origins=self.ORIGIN) as shop:
            answer = await shop.client.options("/users", headers={**self.ASKED, "Origin": "https://evil.example.com"})
        assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
        assert "access-control-allow-origin" not in answer.headers


class TestLog:
    async def test_says_who_asked_for_what_and_how_it_went(self, shop: Shop) -> None:
        buyer = await shop.signed_in()
        me = (await shop.client.get("/users/me", headers=buyer)).json()
        with capture_logs() as log:
            answer = await shop.client.get("/products?q=canary", headers=buyer)
        (entry,) = [entry for entry in log if entry["event"] == "request"]
        assert entry["ms"] > 0
        assert {**entry, "ms": 0} == {
            "event": "request",
            "log_level": "info",
            "method": "GET",
            "path": "/products",
            "status": 200,
            "ms": 0,
            "address": "127.0.0.1",
            "actor": f"user:{me['id']}",
            "request_id": answer.headers["x-request-id"],
        }

    async def test_holds_no_secret_whatever_is_sent_wherever(self, shop: Shop) -> None:
        with capture_logs() as log:
            await shop.client.get("/users/canary@example.com", headers=await shop.staff())
            await shop.client.get("/canary@example.com?password=canary")
            await shop.client.post("/users", json={"email": "canary@example.com", "name": "canary", "password": "canary"})
            await shop.client.get("/users/me", headers={"Authorization": "Bearer canary", "Cookie": "canary"})
            await shop.client.get("/orders", headers=await shop.staff(), params={"customer": "canary@example.com"})
        assert "canary" not in str(log)
        assert SECRET not in str(log)

    async def test_leaves_out_what_machines_ask_all_the_time(self, shop: Shop) -> None:
        with capture_logs() as log:
            for path in ("/livez", "/readyz", "/metrics"):
                await shop.client.get(path)
        assert log == []


class TestEveryRoute:
    async def test_asks_who_is_there_or_is_open_on_purpose(self, shop: Shop) -> None:
        """A route that forgets its gate is open to everybody: each of these is meant to be."""
        routes = [route for route in shop.app.router.routes if isinstance(route, APIRoute) and not gates_of(route)]
        opened = {f"{method} {route.path_format}" for route in routes for method in route.methods or ()}
        assert opened == {
            "GET /",
            "GET /docs",
            "GET /docs/{name}",
            "GET /livez",
            "GET /readyz",
            "POST /auth/logout",
            "POST /auth/password-reset",
            "POST /auth/password-reset/request",
            "POST /auth/refresh",
            "POST /auth/token",
            "POST /auth/verify-email",
            "POST /setup",
            "POST /users",
        }

    async def test_a_gate_is_found_wherever_it_hangs(self, shop: Shop) -> None:
        router = APIRouter()

        @router.get("/mine")
        async def mine(principal: SignedIn) -> Response:
            return Response(principal.actor)

        add(shop, router)
        assert (await shop.client.get("/mine")).status_code == 401
        assert (await shop.client.get("/mine", headers=await shop.signed_in())).status_code == 200
