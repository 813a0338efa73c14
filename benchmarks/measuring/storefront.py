"""The shop that the HTTP benchmark asks: products with plenty of stock, one customer, and what is in a basket."""

import asyncio
import json
import secrets
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from ordermill.bootstrap import connect, open_services
from ordermill.config import DatabaseUrl, load
from ordermill.kit.clock import SystemClock
from ordermill.storage.tables import MovementRow, ProductRow

PRODUCTS: Final = 2_000
PLENTY: Final = 10**9
ORDERS: Final = 500
ADDRESS: Final = {"name": "Ada Example", "line1": "1 Mill Lane", "city": "York", "postal_code": "YO1", "country": "GB"}


@dataclass(frozen=True, slots=True)
class Ware:
    """A product as a storefront shows it; the price in minor units."""

    id: int
    price: int


@dataclass(slots=True)
class Customer:
    """Somebody with an account, signed in."""

    id: int
    token: str
    orders: list[str] = field(default_factory=list)


def stock_up(url: str) -> list[Ware]:
    """Put products on the shelf, each with the movement that says where its stock is from."""
    now = SystemClock().now()
    rows = [
        {
            "sku": f"SHOP-{number}", "name": f"Ware no. {number}", "name_key": f"ware no. {number}",
            "price": 95 + number * 7919 % 9_900, "currency": "EUR", "stock": PLENTY, "is_active": True, "created_at": now,
            "version": 1,
        }
        for number in range(PRODUCTS)
    ]  # fmt: skip

    def work(connection: Connection) -> list[Ware]:
        connection.execute(insert(ProductRow), rows)
        found = connection.execute(select(ProductRow.id, ProductRow.price)).all()
        moved = [{"product_id": id, "change": PLENTY, "kind": "set", "actor": "benchmark", "at": now} for id, _ in found]
        connection.execute(insert(MovementRow), moved)
        return [Ware(id, price) for id, price in found]

    return asyncio.run(_write(url, work))


async def _write(url: str, work: Any) -> Any:
    database = connect(DatabaseUrl(url))
    try:
        return await database.write(work)
    finally:
        await database.close()


def open_account(base: str) -> Customer:
    """Register and sign in."""
    who = {"email": "ada@example.com", "name": "Ada Example", "password": secrets.token_urlsafe(16)}
    made = _ask(f"{base}/users", who)
    form = {"grant_type": "password", "username": who["email"], "password": who["password"]}
    signed_in = _ask(f"{base}/auth/token", urllib.parse.urlencode(form))
    return Customer(made["id"], signed_in["access_token"])


def place_some(base: str, token: str, products: Sequence[Ware]) -> list[str]:
    """Place the orders that are read afterwards; return their ids."""
    baskets = (basket([products[(number * 3 + place) % PRODUCTS] for place in range(3)]) for number in range(ORDERS))
    return [_ask(f"{base}/orders", order, {"Authorization": f"Bearer {token}"})["id"] for order in baskets]


def basket(wares: Sequence[Ware]) -> dict[str, Any]:
    """Return an order of some wares, two of each."""
    items = [
        {"product_id": ware.id, "quantity": 2, "unit_price": f"{ware.price // 100}.{ware.price % 100:02}"} for ware in wares
    ]
    return {"items": items, "shipping_address": ADDRESS}


def require_sound(url: str) -> None:
    """
    Prove the book after all that was done to it.

    Raises:
        AssertionError: a total, the stock or a statistic is not what the rows add up to.
    """

    async def work() -> list[Any]:
        async with open_services(load(database_url=url)) as services:
            return [*await services.audit.run(), *await services.statistics.verify()]

    if found := asyncio.run(work()):
        raise AssertionError(f"The book does not add up: {found[:5]}")


def _ask(url: str, body: Mapping[str, Any] | str, headers: Mapping[str, str] | None = None) -> Any:
    form = isinstance(body, str)
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(url, data, {"Content-Type": kind, **(headers or {})})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
