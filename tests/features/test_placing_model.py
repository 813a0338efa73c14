"""Stock, discounts and keys against a model of them: whatever buyers and staff do, in whatever order (E3, E4)."""

from collections.abc import Coroutine
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import hypothesis.strategies as st
import pytest
from builders import NOON, a_discount, a_product
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from shopping import STOREFRONT, Shop, a_draft, a_line, once
from storages import in_memory

from ordermill.catalogue.model import Discount, Product
from ordermill.kit.errors import Conflict
from ordermill.kit.events import By
from ordermill.storage.memory import MemoryStorage

T = TypeVar("T")

STAFF: Final = By(actor="user:1", at=NOON)
BUYERS: Final = ("ada@example.com", "bob@example.com", None)
MAX_USES: Final = 3
EACH: Final = 2


class ShopModel(RuleBasedStateMachine):
    """What is left of two products and one discount, by counting along."""

    @initialize(first=st.integers(0, 8), second=st.none() | st.integers(0, 8))
    def open(self, first: int, second: int | None) -> None:
        self.shop = Shop(in_memory(MemoryStorage()))
        self.products: list[Product] = [a_product("TEA-1", stock=first), a_product("TEA-2", stock=second)]
        self.discount: Discount = a_discount(max_uses=MAX_USES, max_uses_per_customer=EACH)
        done(self.shop.storage.keep(*self.products, self.discount))
        self.stock: list[int | None] = [first, second]
        self.orders: dict[UUID, tuple[list[int], str | None]] = {}  # not cancelled: what it took, and who used the discount
        self.bodies: dict[str, tuple[str, Any]] = {}

    @rule(
        quantities=st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any),
        buyer=st.sampled_from(BUYERS),
        discounted=st.booleans(),
        turned=st.booleans(),
    )
    def place(self, quantities: tuple[int, int], buyer: str | None, *, discounted: bool, turned: bool) -> None:
        lines = [a_line(product, quantity) for product, quantity in zip(self.products, quantities, strict=True) if quantity]
        said = {"customer_email": buyer} | ({"discount_code": "SPRING10"} if discounted else {})
        draft = a_draft(*(reversed(lines) if turned else lines), **said)
        key = f"k-{len(self.bodies)}"
        placing = self.shop.placing.place(draft, by=STOREFRONT, once=once(draft, key))
        refusal = self._refusal(quantities, buyer, discounted=discounted)
        if refusal is not None:
            with pytest.raises(Conflict) as caught:
                done(placing)
            assert caught.value.code == refusal
            return
        placed = done(placing)
        taken = [0 if there is None else wanted for there, wanted in zip(self.stock, quantities, strict=True)]
        self.orders[placed.id] = taken, buyer if discounted else None
        self._move([-quantity for quantity in taken])
        self.bodies[key] = placed.body, draft

    @precondition(lambda self: self.bodies)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(list(self.bodies)))
        body, draft = self.bodies[key]

        again = done(self.shop.placing.place(draft, by=STOREFRONT, once=once(draft, key)))

        assert (again.body, again.replayed) == (body, True)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(list(self.orders)))
        done(self.shop.orders.set_status(id, "cancelled", actor="user:1"))
        taken, _ = self.orders.pop(id)
        self._move(taken)

    @rule(position=st.integers(0, 1), stock=st.none() | st.integers(0, 8))
    def count(self, position: int, stock: int | None) -> None:
        """Staff say how much there is, or that nobody counts it any more."""

        async def say() -> None:
            async with self.shop.storage.unit() as unit:
                await unit.products.set_stock(self.products[position], stock, by=STAFF)
                await unit.commit()

        done(say())
        self.stock[position] = stock

    @invariant()
    def the_book_says_the_same(self) -> None:
        if hasattr(self, "shop"):
            assert [done(self.shop.stock(product)) for product in self.products] == self.stock
            assert done(self.shop.uses(self.discount)) == sum(buyer is not None for _, buyer in self.orders.values())
            assert self._moved() == [stock or 0 for stock in self.stock]
            assert done(self.shop.storage.faults()) == []

    def _refusal(self, quantities: tuple[int, int], buyer: str | None, *, discounted: bool) -> str | None:
        users = [used for _, used in self.orders.values() if used is not None]
        if discounted and (buyer is None or users.count(buyer) >= EACH or len(users) >= MAX_USES):
            return "discount_not_applicable"
        short = any(there is not None and there < wanted for there, wanted in zip(self.stock, quantities, strict=True))
        return "out_of_stock" if short else None

    def _move(self, changes: list[int]) -> None:
        self.stock = [None if there is None else there + change for there, change in zip(self.stock, changes, strict=True)]

    def _moved(self) -> list[int]:
        moved = done(self.shop.storage.rows("stock_movements", "product_id", "change"))
        return [sum(change for id, change in moved if id == product.id) for product in self.products]


def done(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what waits for nothing: the memory answers at once, and a loop for each question would take most of the time."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise AssertionError("The memory does not wait.")


ShopModel.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestShop = ShopModel.TestCase
