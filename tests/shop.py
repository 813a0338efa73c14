"""
A shop behind the HTTP door, for tests: the ASGI application with its lifespan, on SQLite and on PostgreSQL.

Everything a test needs first is made through the API itself, or by the services where the API has no word for it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI

from ordermill.accounts.drafts import UserCreate
from ordermill.api.app import create_app
from ordermill.bootstrap import Services
from ordermill.config import DatabaseUrl, load
from ordermill.kit.clock import Clock

SECRET: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
PASSWORD: Final = "a mill by the river"
ADDRESS: Final = {"name": "Ada", "line1": "1 Mill Lane", "city": "York", "postal_code": "YO1", "country": "GB"}

Headers = dict[str, str]


@dataclass
class Shop:
    """One running application, and shortcuts to what tests begin with."""

    app: FastAPI
    client: httpx.AsyncClient
    services: Services
    _numbers: Any = field(default_factory=lambda: count(1))
    _staff: Headers | None = None

    async def signed_in(self, *, email: str | None = None, staff: bool = False, verified: bool = False) -> Headers:
        """Register somebody and return the header of their requests."""
        email = email or f"buyer{next(self._numbers)}@example.com"
        draft = UserCreate(email=email, name="Ada", password=PASSWORD)
        await self.services.accounts.create(draft, actor="command", staff=staff)
        if verified:
            await self.verify(email)
        return await self.sign_in(email)

    async def sign_in(self, email: str) -> Headers:
        """Sign in somebody who is registered with `PASSWORD`."""
        answer = await self.client.post("/auth/token", data={"username": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def verify(self, email: str) -> None:
        """Let somebody have proved their address."""
        async with self.services._unit() as unit:
            user = await unit.users.by_email(email)
            assert user is not None
            await unit.users.update(replace(user, email_verified_at=self.services.clock.now()))
            await unit.commit()

    async def api_key(self, scope: str) -> Headers:
        """Make a key with the scope `staff`, `storefront` or `read` and return the header of its requests."""
        answer = await self.client.post("/api-keys", json={"name": scope, "scope": scope}, headers=await self.staff())
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['secret']}"}

    async def staff(self) -> Headers:
        """Return the header of a member of staff; the same one each time."""
        if self._staff is None:
            self._staff = await self.signed_in(email="staff@example.com", staff=True)
        return self._staff

    async def discount(self, **said: Any) -> dict[str, Any]:
        """Add a discount: ten percent off, where nothing else is said."""
        draft = {"code": f"TEN{next(self._numbers):05}", "kind": "percent", "value": "10", **said}
        answer = await self.client.post("/discounts", json=draft, headers=await self.staff())
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def product(self, **said: Any) -> dict[str, Any]:
        """Add a product: tea for 4.50 without tracked stock, where nothing else is said."""
        draft = {"sku": f"TEA-{next(self._numbers)}", "name": "Tea", "price": "4.50", **said}
        answer = await self.client.post("/products", json=draft, headers=await self.staff())
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def order(
        self, *, headers: Headers | None = None, product: dict[str, Any] | None = None, **said: Any
    ) -> dict[str, Any]:
        """Place an order of one product, by staff where nobody is named."""
        product = product or await self.product()
        item = {"product_id": product["id"], "quantity": 1, "unit_price": product["price"]}
        draft = {"items": [item], "shipping_address": ADDRESS, **said}
        answer = await self.client.post("/orders", json=draft, headers=headers or await self.staff())
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@asynccontextmanager
async def open_shop(url: DatabaseUrl, *, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Shop]:
    """Open an application over a book; `settings` are those of `config.Settings`."""
    chosen = load(**{"database_url": url.secret_url, "secret_key": SECRET, "rate_limit": 1_000_000, **settings})
    app = create_app(chosen, clock=clock)
    # Its own exceptions are answered, as a server would; one that came through here would be a bug of the middleware.
    transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=("127.0.0.1", 50000))
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield Shop(app, client, app.state.services)


@pytest.fixture
async def shop(book_url: DatabaseUrl, anyio_backend: str) -> AsyncIterator[Shop]:
    """A shop with an empty book, on each database."""
    async with open_shop(book_url) as opened:
        yield opened
