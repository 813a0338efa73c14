"""Discounts: found by id and code, unique by code, exactly as they were told."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from builders import LATER, NOON, a_discount
from storages import Storage

from ordermill.catalogue.model import Discount, DiscountKind
from ordermill.catalogue.ports import DiscountFilter
from ordermill.kit.errors import Conflict, StaleVersion, Taken

pytestmark = pytest.mark.anyio


async def the_discount(storage: Storage) -> Discount:
    (discount,) = await storage.unit().discounts.get_all()
    return discount


async def update(storage: Storage, discount: Discount) -> None:
    async with storage.unit() as unit:
        await unit.discounts.update(discount)
        await unit.commit()


class TestAdd:
    @pytest.mark.parametrize(
        "discount",
        [
            a_discount("PERCENT", "0.01"),
            a_discount("WHOLE100", "100.00", max_uses=1, max_uses_per_customer=1, is_active=False, uses=3),
            a_discount("FIXED5", "5.000", kind=DiscountKind.FIXED, currency="BHD", minimum=Decimal("20.000"), version=4),
            a_discount("DATED1", starts_at=NOON, ends_at=NOON + timedelta(microseconds=1), minimum=Decimal(9), currency="JPY"),
        ],
        ids=lambda discount: discount.code,
    )
    async def test_keeps_every_field(self, storage: Storage, discount: Discount) -> None:
        discount.id = None

        await storage.keep(discount)

        stored = await the_discount(storage)
        assert (stored, type(stored.id), type(stored.is_active)) == (discount, int, bool)

    async def test_refuses_a_code_twice(self, storage: Storage) -> None:
        await storage.keep(a_discount())

        with pytest.raises(Taken) as caught:
            await storage.keep(a_discount())

        assert caught.value.constraint == "discounts_code"
        assert len(await storage.unit().discounts.get_all()) == 1

    @pytest.mark.parametrize(
        "said",
        [
            {"value": Decimal(0)},
            {"value": Decimal("100.01")},
            {"starts_at": LATER, "ends_at": LATER},
            {"minimum": Decimal(0), "currency": "EUR"},
            {"uses": -1},
        ],
    )
    async def test_refuses_what_cannot_be(self, storage: Storage, said: dict[str, Any]) -> None:
        with pytest.raises(Conflict):
            await storage.keep(a_discount(**{"value": "10", **said}))

        assert await storage.unit().discounts.get_all() == []


class TestUpdate:
    async def test_leaves_the_uses_alone(self, storage: Storage) -> None:
        await storage.keep(discount := a_discount(uses=3))

        discount.value, discount.uses = Decimal("12.50"), 0
        await update(storage, discount)

        stored = await the_discount(storage)
        assert (stored.value, stored.uses, stored.version) == (Decimal("12.50"), 3, 2)

    async def test_refuses_what_somebody_else_has_changed(self, storage: Storage) -> None:
        await storage.keep(a_discount())
        one, other = await the_discount(storage), await the_discount(storage)

        await update(storage, one)
        with pytest.raises(StaleVersion):
            await update(storage, other)

        assert (await the_discount(storage)).version == 2


class TestSearch:
    async def test_filters_and_pages(self, storage: Storage) -> None:
        await storage.keep(*(a_discount(f"SPRING{number}", is_active=number % 2 == 0) for number in range(6)))
        discounts = storage.unit().discounts

        page = await discounts.search(DiscountFilter(is_active=True), limit=2)
        rest = await discounts.search(DiscountFilter(is_active=True), limit=2, after=page[-1].id)

        assert [discount.code for discount in page] == ["SPRING0", "SPRING2"]
        assert [discount.code for discount in rest] == ["SPRING4"]
        assert [discount.code for discount in await discounts.search(DiscountFilter(code="SPRING3"), limit=9)] == ["SPRING3"]
        assert set(await discounts.by_codes(["SPRING1", "SPRING9"])) == {"SPRING1"}
        every = [discount.code async for discount in discounts.every(DiscountFilter(is_active=False))]
        assert every == ["SPRING1", "SPRING3", "SPRING5"]
