"""Orders that lie in a shop's book already, and what became of them: for tests of the HTTP door."""

from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from builders import an_event, an_order
from shop import Headers, Shop

from ordermill.orders.model import Order

MISSING: Final = UUID(int=7)


async def keep(shop: Shop, *orders: Order) -> None:
    """Put orders into the book as they are, with the event that they came by."""
    async with shop.services._unit() as unit:
        for order in orders:
            await unit.orders.add(order)
            await unit.events.append(an_event(order.id, sequence=1, type="order.imported", actor="command"))
        await unit.commit()


async def owned(shop: Shop, email: str = "ada@example.com", **said: Any) -> tuple[Order, Headers]:
    """Keep an order of somebody whose address is verified, and sign them in."""
    headers = await shop.signed_in(email=email, verified=True)
    me = (await shop.client.get("/users/me", headers=headers)).json()
    order = an_order(said.pop("number", "1001"), customer_id=me["id"], customer_email=email, **said)
    await keep(shop, order)
    return order, headers


async def kept(shop: Shop, order: Order) -> Order:
    found: Order = await shop.services.orders.get(order.id)
    return found


async def story(shop: Shop, order: Order) -> list[tuple[str, str, dict[str, Any]]]:
    return [(event.type, event.actor, event.data) for event in await shop.services.orders.events(order.id)]


def based_on(headers: Headers, version: int = 1) -> Headers:
    return {**headers, "If-Match": f'"{version}"'}


async def pages(shop: Shop, path: str, headers: Headers) -> AsyncIterator[dict[str, Any]]:
    """Follow a list by its links."""
    while path:
        answer = await shop.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        yield body
        path = answer.links["next"]["url"] if "next" in answer.links else ""
        assert bool(path) is body["has_more"] is (body["next_cursor"] is not None)
        assert not path or body["next_cursor"] in path
