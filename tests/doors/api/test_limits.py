"""How often, how long, how large, and whose address it is that is counted."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from http_sfv.list import List
from servers import Redis
from shop import Shop, open_shop

from ordermill.api.guard import guard
from ordermill.config import DatabaseUrl
from ordermill.kit.rates import Quota

pytestmark = pytest.mark.anyio


def add(shop: Shop, router: APIRouter) -> None:
    quota = Quota("default", count=1_000_000, window_s=60)
    shop.app.router.routes[:0] = [guard(route, quota=quota) for route in router.routes]


def fields(answer: httpx.Response, name: str) -> dict[str, object]:
    """Return the parameters of the field's only member, as a parser of structured fields reads them."""
    found = List()
    found.parse(answer.headers[name].encode())
    (member,) = found
    assert member.value == "default"
    return dict(member.params)


class TestRates:
    async def test_counts_down_and_says_when_there_is_more(self, book_url: DatabaseUrl) -> None:
        async with open_shop(book_url, rate_limit=3) as shop:
            answers = [await shop.client.get("/users/me") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert [fields(answer, "ratelimit")["r"] for answer in answers] == [2, 1, 0, 0, 0]
        assert fields(answers[0], "ratelimit-policy") == {"q": 3, "w": 60}
        refused = answers[-1]
        assert refused.json()["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
        assert refused.json()["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) == fields(refused, "ratelimit")["t"] == 20

    async def test_after_that_time_there_is_one(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, rate_limit=60) as shop:
            while (answer := await shop.client.get("/users/me")).status_code == 401:
                pass
            assert answer.headers["retry-after"] == "1"
            await asyncio.sleep(1.05)
            assert (await shop.client.get("/users/me")).status_code == 401

    async def test_each_who_is_signed_in_has_a_quota_of_their_own(self, book_url: DatabaseUrl) -> None:
        """Many may share an address: what one of them, or nobody real, uses up is not taken from the others."""
        async with open_shop(book_url, rate_limit=4) as shop:
            ada, bob = await shop.signed_in(), await shop.signed_in()
            while (await shop.client.get("/users/me", headers=ada)).status_code == 200:
                pass
            assert (await shop.client.get("/users/me", headers=bob)).status_code == 200
            while (await shop.client.get("/users/me", headers={"Authorization": "Bearer wrong"})).status_code == 401:
                pass
            assert (await shop.client.get("/users/me", headers=bob)).status_code == 200

    async def test_guessing_credentials_costs_the_address(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, rate_limit=2) as shop:
            statuses = [
                (await shop.client.get("/users/me", headers={"Authorization": f"Bearer om_{n}"})).status_code for n in range(3)
            ]
        assert statuses == [401, 401, 429]

    async def test_health_is_asked_for_as_often_as_one_likes(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, rate_limit=1) as shop:
            for path in ("/livez", "/readyz", "/metrics") * 3:
                assert (await shop.client.get(path)).status_code == 200

    async def test_two_servers_count_together_where_there_is_a_redis(self, postgres_book: DatabaseUrl, redis_url: str) -> None:
        one, other = (open_shop(postgres_book, rate_limit=2, redis_url=redis_url) for _ in range(2))
        async with one as first, other as second:
            statuses = [(await shop.client.get("/users/me")).status_code for shop in (first, second, first)]
        assert statuses == [401, 401, 429]

    async def test_a_silent_redis_costs_a_moment_and_the_limit_holds(
        self, sqlite_book: DatabaseUrl, redis: Redis, redis_url: str
    ) -> None:
        async with open_shop(sqlite_book, rate_limit=5, redis_url=redis_url) as shop:
            await shop.client.get("/users/me")
            redis.pause()
            try:
                seconds, statuses = [], []
                for _ in range(8):
                    began = time.perf_counter()
                    statuses.append((await shop.client.get("/users/me")).status_code)
                    seconds.append(time.perf_counter() - began)
            finally:
                redis.resume()
        assert statuses == [401] * 5 + [429] * 3
        assert max(seconds) < 0.2
        assert sum(seconds) < 0.6


class TestAddresses:
    async def asked(self, url: DatabaseUrl, peer: str, forwarded: str | None, *, trusted: str) -> str:
        router = APIRouter()

        @router.get("/address")
        async def address(request: Request) -> Response:
            from ordermill.api.visit import visit_of  # noqa: PLC0415  # beside what it is for

            return Response(visit_of(request.scope).address)

        async with open_shop(url, trusted_proxies=trusted) as shop:
            add(shop, router)
            transport = httpx.ASGITransport(shop.app, client=(peer, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
                headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
                return (await client.get("/address", headers=headers)).text

    @pytest.mark.parametrize(
        ("peer", "forwarded", "found"),
        [
            ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # no proxy of ours: anybody can write that header
            ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
            ("10.0.0.1", "192.0.2.1, 203.0.113.9", "203.0.113.9"),  # what the client wrote itself stands to the left
            ("10.0.0.1", "192.0.2.1, 203.0.113.9, 10.9.9.9", "203.0.113.9"),  # through two of ours
            ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
            ("10.0.0.1", None, "10.0.0.1"),
            ("::ffff:10.0.0.1", "2001:db8::7", "2001:db8::7"),
            ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ],
    )
    async def test_proxies_are_believed_as_far_as_they_are_trusted(
        self, sqlite_book: DatabaseUrl, peer: str, forwarded: str | None, found: str
    ) -> None:
        assert await self.asked(sqlite_book, peer, forwarded, trusted="10.0.0.0/8") == found

    async def test_a_network_of_ipv6_counts_as_one(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, rate_limit=2) as shop:
            statuses = []
            for last in range(3):
                transport = httpx.ASGITransport(shop.app, client=(f"2001:db8::{last}", 1))
                async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
                    statuses.append((await client.get("/users/me")).status_code)
        assert statuses == [401, 401, 429]


class TestSize:
    BIG = b'{"name": "' + b"x" * 3000 + b'"}'

    async def test_a_body_that_says_it_is_too_large(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, body_limit=2048) as shop:
            answer = await shop.client.post("/users", content=self.BIG, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert answer.json()["detail"] == "The body is larger than 2,048 bytes."

    async def test_one_that_does_not_say_it(self, sqlite_book: DatabaseUrl) -> None:
        sent = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(100):
                sent += 1
                yield b" " * 1000

        async with open_shop(sqlite_book, body_limit=2048) as shop:
            answer = await shop.client.post("/users", content=body(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert sent < 100  # the rest was never asked for

    async def test_as_large_as_is_allowed(self, sqlite_book: DatabaseUrl) -> None:
        padded = b'{"email": "ada@example.com", "name": "Ada", "password": "a mill by the river"}'.ljust(2048)
        async with open_shop(sqlite_book, body_limit=2048) as shop:
            answer = await shop.client.post("/users", content=padded, headers={"Content-Type": "application/json"})
            assert answer.status_code == 201
            answer = await shop.client.post("/users", content=padded + b" ", headers={"Content-Type": "application/json"})
            assert answer.status_code == 413


class TestTime:
    async def test_what_takes_too_long_is_given_up(self, sqlite_book: DatabaseUrl) -> None:
        cancelled = asyncio.Event()
        router = APIRouter()

        @router.get("/slow")
        async def slow() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                cancelled.set()

        async with open_shop(sqlite_book, request_timeout=1) as shop:
            add(shop, router)
            answer = await shop.client.get("/slow")
        assert (answer.status_code, answer.json()["code"]) == (503, "timed_out")
        assert int(answer.headers["retry-after"]) >= 1
        assert cancelled.is_set()

    async def test_a_body_that_dribbles_in(self, sqlite_book: DatabaseUrl) -> None:
        async def body() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b" "
                await asyncio.sleep(0.1)

        async with open_shop(sqlite_book, request_timeout=1) as shop:
            answer = await shop.client.post("/users", content=body(), headers={"Content-Type": "application/json"})
        assert answer.json()["code"] == "timed_out"

    async def test_an_answer_that_goes_on_may_take_as_long_as_it_needs(self, sqlite_book: DatabaseUrl) -> None:
        router = APIRouter()

        @router.get("/long")
        async def long() -> StreamingResponse:
            async def pieces() -> AsyncIterator[bytes]:
                for _ in range(4):
                    await asyncio.sleep(0.5)
                    yield b"x"

            return StreamingResponse(pieces())

        async with open_shop(sqlite_book, request_timeout=1) as shop:
            add(shop, router)
            assert (await shop.client.get("/long")).content == b"xxxx"
