"""Buyers and baskets for tests of placing: a shop over one storage, and what stands in its book afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from builders import NOON, a_discount, a_product, a_user
from storages import Storage

from ordermill.accounts.model import User
from ordermill.accounts.principal import Principal, Scope
from ordermill.catalogue.model import Discount, Product
from ordermill.kit.clock import Clock, FixedClock
from ordermill.orders.draft import BasketCreate, OrderCreate
from ordermill.orders.idempotency import Once
from ordermill.orders.placement import Placed
from ordermill.orders.placing import Placing, Terms
from ordermill.orders.service import Orders

ADDRESS: Final = {"name": "Ada Byron", "line1": "1 Mill Lane", "city": "York", "country": "GB"}
STOREFRONT: Final = Principal(actor="key:0192f1c4-7a1e-7000-8000-000000000001", scope=Scope.STOREFRONT)
STAFF: Final = Principal(actor="user:1", user_id=1, is_staff=True)
READER: Final = Principal(actor="key:0192f1c4-7a1e-7000-8000-000000000002", scope=Scope.READ)


def a_line(product: Product, quantity: int = 2, **said: Any) -> dict[str, Any]:
    return {"product_id": product.id, "quantity": quantity, "unit_price": f"{product.price:f}", **said}


def a_draft(*lines: dict[str, Any], **said: Any) -> OrderCreate:
    return OrderCreate.model_validate({"items": lines, "shipping_address": ADDRESS, **said})


def a_basket(*lines: dict[str, Any], **said: Any) -> BasketCreate:
    return BasketCreate.model_validate({"items": lines, **said})


def once(draft: OrderCreate, key: str = "k-1", *, by: Principal = STOREFRONT) -> Once:
    return Once.of(by, "POST /orders", key, content=draft.model_dump_json())


def signed_in(user: User) -> Principal:
    return Principal(actor=f"user:{user.id}", user_id=user.id)


@dataclass
class Shop:
    """A shop over one storage; every order that a storefront places gets a key of its own."""

    storage: Storage
    terms: Terms = field(default_factory=Terms)
    clock: Clock = field(default_factory=lambda: FixedClock(NOON))
    _keys: Iterator[int] = field(default_factory=count)

    @property
    def placing(self) -> Placing:
        return Placing(self.storage.placing, clock=self.clock, terms=self.terms)

    @property
    def orders(self) -> Orders:
        return Orders(self.storage.unit, clock=self.clock)

    async def product(self, sku: str = "TEA-1", *, stock: int | None = 10, **said: Any) -> Product:
        product = a_product(sku, stock=stock, **said)
        await self.storage.keep(product)
        return product

    async def discount(self, code: str = "SPRING10", **said: Any) -> Discount:
        discount = a_discount(code, **said)
        await self.storage.keep(discount)
        return discount

    async def user(self, email: str = "ada@example.com", **said: Any) -> User:
        user = a_user(email, **said)
        await self.storage.keep(user)
        return user

    async def place(self, draft: OrderCreate, *, by: Principal = STOREFRONT) -> Placed:
        return await self.placing.place(draft, by=by, once=once(draft, f"shop-{next(self._keys)}", by=by))

    async def stock(self, product: Product) -> int | None:
        found = await self.storage.unit().products.get(product.id or 0)
        assert found is not None
        return found.stock

    async def uses(self, discount: Discount) -> int:
        found = await self.storage.unit().discounts.get(discount.id or 0)
        assert found is not None
        return found.uses

    async def movements(self) -> list[tuple[Any, ...]]:
        """Return the movements that orders made: product, change, kind."""
        rows = await self.storage.rows("stock_movements", "product_id", "change", "kind")
        return [row for row in rows if row[2] != "set"]

    async def everything_is(self) -> dict[str, int]:
        """Return how many rows there are of what placing writes."""
        tables = ("orders", "events", "stock_movements", "discount_uses", "idempotency_keys", "users", "statistics_hours")
        return {table: len(await self.storage.rows(table)) for table in tables}
