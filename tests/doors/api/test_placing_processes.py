"""Placing orders in real server processes: two on PostgreSQL, one on SQLite (A1, E3, E4)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
import pytest
from serving import Served, serving
from shop import ADDRESS, open_shop

from ordermill.config import DatabaseUrl
from ordermill.orders.ports import OrderFilter

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

RESENT: Final = 20


@asynccontextmanager
async def clients(url: DatabaseUrl) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Start as many servers as the database may have, and return a client of each."""
    async with AsyncExitStack() as stack:
        servers: list[Served] = []
        for _ in range(1 if url.embedded else 2):
            server = serving(url)
            servers.append(await asyncio.to_thread(server.__enter__))
            stack.callback(server.__exit__, None, None, None)
        yield [await stack.enter_async_context(server.client()) for server in servers]


async def prepared(url: DatabaseUrl, *, stock: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Put a product in the book; return an order of one of it, and a storefront's header."""
    async with open_shop(url) as shop:
        product = await shop.product(stock=stock)
        line = {"product_id": product["id"], "quantity": 1, "unit_price": product["price"]}
        return {"items": [line], "shipping_address": ADDRESS}, await shop.api_key("storefront")


async def placed(url: DatabaseUrl, headers: dict[str, str], body: dict[str, Any], keys: list[str]) -> list[httpx.Response]:
    """Send one order for each key, all at once, to the servers in turn."""
    async with clients(url) as servers:

        async def send(number: int, key: str) -> httpx.Response:
            # As a client does: a server whose connections are all busy says so, and the same request may be sent again.
            for attempt in range(RESENT):
                server = servers[(number + attempt) % len(servers)]
                answer = await server.post("/orders", json=body, headers={**headers, "Idempotency-Key": key})
                if answer.status_code != 503:
                    break
                await asyncio.sleep(float(answer.headers["Retry-After"]))
            return answer

        return await asyncio.gather(*(send(number, key) for number, key in enumerate(keys)))


async def book(url: DatabaseUrl) -> tuple[int, int]:
    """Return how much stock is left and how many orders there are; nothing else may be wrong with the book."""
    async with open_shop(url) as shop:
        assert await shop.services.audit.run() == []
        assert await shop.services.statistics.verify() == []
        (product,) = (await shop.client.get("/products")).json()["data"]
        orders = [order async for order in shop.services.orders.every(OrderFilter())]
        return product["stock"], len(orders)


async def test_two_hundred_orders_for_fifty_items_sell_fifty(book_url: DatabaseUrl) -> None:
    body, headers = await prepared(book_url, stock=50)

    answers = await placed(book_url, headers, body, [f"k-{number}" for number in range(200)])

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), statuses.count(409)) == (50, 150)
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"out_of_stock"}
    assert await book(book_url) == (0, 50)


async def test_one_key_in_fifty_requests_places_one_order(book_url: DatabaseUrl) -> None:
    body, headers = await prepared(book_url, stock=50)

    answers = await placed(book_url, headers, body, ["k-1"] * 50)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await book(book_url) == (49, 1)
