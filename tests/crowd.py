"""
A shop with everybody in it who may ask for something, and one of everything that can be asked for.

    crowd = await gather(shop)
    crowd.headers["owner"]                     how somebody sends a request; `ROLES` are all of them
    await crowd.ask("PATCH /orders/{id}", "owner")      a request of a route that is as it should be

Requests come from elsewhere, each from an address of its own: nothing is open to them because they are on this machine,
and nobody's attempts are counted against somebody else's.
"""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from builders import a_batch, a_reject, sold
from people import Letterbox
from servers import Postgres
from shop import ADDRESS, PASSWORD, Shop, open_shop
from storages import Storage, in_sql

from ordermill.accounts.drafts import UserCreate
from ordermill.accounts.post import Post
from ordermill.config import DatabaseUrl

ROLES: Final = (
    "nobody", "garbage", "revoked", "demoted", "deactivated", "buyer", "unverified", "owner", "storefront", "read",
    "staff_key", "staff",
)  # fmt: skip
NO_USER: Final = "999999999"
NO_ENTITY: Final = "0192f1c4-7a1e-7000-8000-00000000dead"
CSV: Final = (
    "number,placed_at,currency,customer_email,sku,quantity,unit_price\n"
    "{number},2026-11-22T10:00:00Z,EUR,ada@example.com,TEA-1,2,4.50\n"
    "{number}-x,2026-11-22T10:00:00Z,EUR,ada@example.com,TEA-1,0,4.50\n"
)
WHOLE_ADDRESS: Final = {
    **ADDRESS, "company": "Mill & Co", "line2": "Upper floor", "region": "Yorkshire", "phone": "+44 1904 000000"
}  # fmt: skip


@dataclass
class Crowd:
    """
    Everybody's headers, and ids of what there is.

    Args:
        ids: what stands for `{id}` in a path, by its first word.
        emails: the addresses of those who sign in.
    """

    shop: Shop
    client: httpx.AsyncClient
    headers: dict[str, Any] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    product: dict[str, Any] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def number(self) -> int:
        return next(self._numbers)

    async def ask(self, route: str, role: str, *, id: str | None = None, **said: Any) -> httpx.Response:
        """
        Send a request of a route, as it should be where nothing else is said.

        Args:
            id: what to ask for; one of ours where none is named.
            said: replaces parts of the request: `json`, `data`, `files`, `content`, `params`; `headers` are added.
        """
        method, _, path = route.partition(" ")
        if "{id}" in path:
            path = path.replace("{id}", id or self.ids[path.split("/")[1]])
        parts: dict[str, Any] = BODIES[route](self) if route in BODIES and not {"content", "json", "data"} & set(said) else {}
        headers = {**parts.pop("headers", {}), **said.pop("headers", {}), **self.headers[role]}
        return await self.client.request(method, path.replace("{name}", "docs.css"), headers=headers, **{**parts, **said})

    async def account(self, role: str, *, staff: bool = False, verified: bool = False) -> None:
        self.emails[role] = f"{role}@example.com"
        self.headers[role] = await self.shop.signed_in(email=self.emails[role], staff=staff, verified=verified)

    async def extra_user(self) -> str:
        """Return the id of somebody who is not needed."""
        draft = UserCreate(email=f"extra{self.number()}@example.com", name="Extra", password=PASSWORD)
        return str((await self.shop.services.accounts.create(draft, actor="command")).id)

    async def extra_product(self) -> str:
        """Return the id of a product that nobody bought."""
        return str((await self.shop.product())["id"])

    async def extra_key(self) -> str:
        """Return the id of an API key that nobody uses."""
        return str((await self.ask("POST /api-keys", "staff")).json()["id"])

    async def extra_import(self) -> str:
        """Return the id of an import of one order, with one reject."""
        name = f"extra-{self.number()}"
        run = await self.storage.begun(sha256=f"{self.number():064}", channel=name)
        await self.storage.load(a_batch(sold(name, channel=name), rejects=[a_reject()]), sha256=run.file.sha256, channel=name)
        return str(run.id)

    async def hidden_product(self) -> str:
        """Return the id of a product that is not for sale."""
        return str((await self.shop.product(is_active=False))["id"])

    @property
    def storage(self) -> Storage:
        """What stands in the book."""
        return in_sql(self.shop.services._database)

    def email(self) -> str:
        return f"new{self.number()}@example.com"

    def order(self) -> dict[str, Any]:
        """Return an order to be placed, with everything that a buyer may say."""
        item = {"product_id": self.product["id"], "quantity": 1, "unit_price": self.product["price"]}
        return {"items": [item], "shipping_address": WHOLE_ADDRESS, "billing_address": WHOLE_ADDRESS, "note": "Ring twice."}

    def imported(self) -> dict[str, Any]:
        return {"files": {"file": ("orders.csv", CSV.format(number=self.number()))}, "data": {"dry_run": "true"}}


def _json(make: Callable[[Crowd], dict[str, Any]], **headers: str) -> Callable[[Crowd], dict[str, Any]]:
    return lambda crowd: {"json": make(crowd), "headers": headers}


def _product(crowd: Crowd) -> dict[str, Any]:
    return {"sku": f"SKU-{crowd.number()}", "name": "Cup", "price": "3.00", "currency": "EUR", "stock": 5, "is_active": True}


def _discount(crowd: Crowd) -> dict[str, Any]:
    return {
        "code": f"CODE{crowd.number():05}", "kind": "percent", "value": "10.00", "currency": "EUR",
        "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z", "minimum": "1.00", "max_uses": 5,
        "max_uses_per_customer": 1, "is_active": True,
    }  # fmt: skip


def _account(crowd: Crowd) -> dict[str, Any]:
    return {"email": crowd.email(), "name": "Ada", "password": PASSWORD}


def _movement(_: Crowd) -> dict[str, Any]:
    return {"amount": "0.01", "method": "card", "reference": "ch_3MmlLr", "at": "2026-11-22T10:00:00Z"}


# What a route takes, as it should be, with every field that somebody who may use it may send.
BODIES: Final[dict[str, Callable[[Crowd], dict[str, Any]]]] = {
    "POST /auth/token": lambda crowd: {"data": {"username": crowd.emails["owner"], "password": PASSWORD}},
    "POST /auth/refresh": _json(lambda _: {"refresh_token": "omr_nobody_has_this"}),
    "POST /auth/logout": _json(lambda _: {"refresh_token": "omr_nobody_has_this"}),
    "POST /auth/verify-email/request": _json(lambda crowd: {"email": crowd.email()}),
    "POST /auth/verify-email": _json(lambda _: {"token": "nobody-has-this"}),
    "POST /auth/password-reset/request": _json(lambda crowd: {"email": crowd.email()}),
    "POST /auth/password-reset": _json(lambda _: {"token": "nobody-has-this", "password": PASSWORD}),
    "POST /setup": _json(lambda crowd: {**_account(crowd), "token": "nobody-has-this"}),
    "POST /api-keys": _json(lambda _: {"name": "Till", "scope": "read"}),
    "POST /users": _json(_account),
    "PATCH /users/me": _json(lambda _: {"name": "Ada"}),
    "DELETE /users/me": _json(lambda _: {"current_password": "this is not it"}),
    "PATCH /users/{id}": _json(lambda _: {"is_active": True}),
    "POST /products": _json(_product),
    "PATCH /products/{id}": _json(lambda crowd: {**_product(crowd), "sku": "TEA-1", "price": "4.50", "stock": 9999}),
    "POST /discounts": _json(_discount),
    "PATCH /discounts/{id}": _json(_discount),
    "POST /orders": lambda crowd: {"json": crowd.order(), "headers": {"Idempotency-Key": f"key-{crowd.number()}"}},
    "POST /orders/quote": _json(Crowd.order),
    "PATCH /orders/{id}": lambda _: {
        "json": {"shipping_address": WHOLE_ADDRESS, "billing_address": WHOLE_ADDRESS},
        "headers": {"If-Match": "*"},
    },
    "POST /orders/{id}/payments": _json(_movement),
    "POST /orders/{id}/refunds": _json(_movement),
    "POST /imports": Crowd.imported,
}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The same as everywhere, for fixtures that a whole module shares."""
    return "asyncio"


@pytest.fixture(scope="module")
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Uploads to a server database lie in the data directory: here, in one of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def crowd_on_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> DatabaseUrl:
    return DatabaseUrl(f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('crowd') / 'book.db')}")


@pytest.fixture(scope="module")
def crowd_on_postgres(postgres: Postgres, postgres_template: str) -> Iterator[DatabaseUrl]:
    name = f"crowd_{uuid4().hex}"
    yield DatabaseUrl(postgres.create_database(name, template=postgres_template))
    postgres.drop_database(name)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def crowd_url(request: pytest.FixtureRequest) -> DatabaseUrl:
    found: DatabaseUrl = request.getfixturevalue(f"crowd_on_{request.param}")
    return found


@pytest.fixture(scope="module")
async def crowd(crowd_url: DatabaseUrl, data_home: None, anyio_backend: str) -> AsyncIterator[Crowd]:
    """One shop with everybody in it for all tests of a module, on each database: what a test adds stays."""
    async with gathered(crowd_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def crowds(
    crowd_on_sqlite: DatabaseUrl, crowd_on_postgres: DatabaseUrl, data_home: None, anyio_backend: str
) -> AsyncIterator[tuple[Crowd, Crowd]]:
    """The same shop on both databases, whose answers are compared."""
    async with gathered(crowd_on_sqlite) as one, gathered(crowd_on_postgres) as other:
        yield one, other


@asynccontextmanager
async def gathered(url: DatabaseUrl, **settings: Any) -> AsyncIterator[Crowd]:
    """Open a shop over a book and bring everybody into it; no mail goes anywhere."""
    async with open_shop(url, **settings) as shop, _from_elsewhere(shop) as client:
        shop.services.__dict__["post"] = Post(Letterbox())
        yield await _crowd(shop, client)


@asynccontextmanager
async def _from_elsewhere(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    numbers = count(1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        number = next(numbers)
        await shop.app({**scope, "client": (f"192.0.{number // 256 % 256}.{number % 256}", 50000)}, receive, send)

    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client


async def _crowd(shop: Shop, client: httpx.AsyncClient) -> Crowd:
    crowd = Crowd(shop, client)
    crowd.headers["nobody"] = {}
    crowd.headers["garbage"] = {"Authorization": "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.AAAA"}
    for role in ("demoted", "staff"):
        await crowd.account(role, staff=True)
    shop._staff = crowd.headers["staff"]
    for role in ("deactivated", "buyer", "unverified", "owner"):
        await crowd.account(role, verified=role != "unverified")
    for role in ("storefront", "read"):
        crowd.headers[role] = await shop.api_key(role)
    crowd.headers["staff_key"] = await shop.api_key("staff")
    crowd.headers["revoked"] = await shop.api_key("staff")
    crowd.product = await shop.product(sku="TEA-1", price="4.50")
    await _fill(crowd)
    await _close_out(crowd)
    return crowd


async def _fill(crowd: Crowd) -> None:
    """Let there be one of everything: an order of the owner's, which staff placed, paid for in part."""
    order = await crowd.shop.order(product=crowd.product, customer_email=crowd.emails["owner"])
    crowd.ids["orders"] = order["id"]
    paid = await crowd.ask("POST /orders/{id}/payments", "staff", json={"amount": "4.00"})
    assert paid.status_code == 201, paid.text
    discount = await crowd.ask("POST /discounts", "staff")
    crowd.ids |= {"products": str(crowd.product["id"]), "discounts": str(discount.json()["id"])}
    crowd.ids["users"] = str((await crowd.ask("GET /users/me", "owner")).json()["id"])
    crowd.ids["imports"] = await crowd.extra_import()


async def _close_out(crowd: Crowd) -> None:
    keys = (await crowd.ask("GET /api-keys", "staff")).json()["data"]
    assert (await crowd.ask("DELETE /api-keys/{id}", "staff", id=keys[-1]["id"])).status_code == 204
    crowd.ids["api-keys"] = await crowd.extra_key()
    ids = {role: (await crowd.ask("GET /users/me", role)).json()["id"] for role in ("deactivated", "demoted")}
    await crowd.shop.services.accounts.set_active(ids["deactivated"], active=False, actor="command")
    await crowd.shop.services.accounts.set_staff(ids["demoted"], staff=False, actor="command")
