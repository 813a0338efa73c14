"""Payments and refunds: added with the unit, read in order, and refunds counted by the statistics."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from builders import LATER, NOON, a_movement, an_id, an_order
from storages import Storage, WholeUnit

from ordermill.kit.errors import Conflict
from ordermill.orders.model import Status
from ordermill.orders.ports import Movements

pytestmark = pytest.mark.anyio

Kind = Callable[[WholeUnit], Movements]


@pytest.fixture(params=["payments", "refunds"])
def kind(request: pytest.FixtureRequest) -> Kind:
    name: str = request.param

    def movements(unit: WholeUnit) -> Movements:
        found: Movements = getattr(unit, name)
        return found

    return movements


class TestAppend:
    async def test_keeps_every_field(self, storage: Storage, kind: Kind) -> None:
        order = an_order(currency="JPY")
        await storage.keep(order)
        movement = a_movement(
            order.id,
            "1250",
            currency="JPY",
            method="Überweisung",
            reference="TX '7'",
            at=datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC),
            import_id=an_id(),
        )

        async with storage.unit() as unit:
            await kind(unit).append(movement)
            await unit.commit()

        (stored,) = await kind(storage.unit()).of_order(order.id)
        assert stored == movement
        assert str(stored.amount) == "1250"

    async def test_is_seen_only_once_committed(self, storage: Storage, kind: Kind) -> None:
        order = an_order()
        await storage.keep(order)
        async with storage.unit() as unit:
            await kind(unit).append(a_movement(order.id))

        assert await kind(storage.unit()).of_order(order.id) == []

    @pytest.mark.parametrize("amount", ["0.00", "-1.00"])
    async def test_refuses_what_is_not_more_than_nothing(self, storage: Storage, kind: Kind, amount: str) -> None:
        order = an_order()
        await storage.keep(order)
        unit = storage.unit()
        await kind(unit).append(a_movement(order.id, amount))

        with pytest.raises(Conflict, match="amount_positive"):
            await unit.commit()

        assert await kind(storage.unit()).of_order(order.id) == []

    async def test_refuses_an_order_that_is_not_there(self, storage: Storage, kind: Kind) -> None:
        unit = storage.unit()
        await kind(unit).append(a_movement(an_id()))

        with pytest.raises(Conflict):
            await unit.commit()

        assert await storage.rows("payments", "amount") == await storage.rows("refunds", "amount") == []

    async def test_takes_an_order_that_the_same_unit_adds(self, storage: Storage, kind: Kind) -> None:
        order = an_order()
        async with storage.unit() as unit:
            await unit.orders.add(order)
            await kind(unit).append(a_movement(order.id))
            await unit.commit()

        assert len(await kind(storage.unit()).of_order(order.id)) == 1


class TestOfOrder:
    async def test_returns_the_movements_of_one_order_as_they_happened(self, storage: Storage, kind: Kind) -> None:
        order, other = an_order("1"), an_order("2")
        await storage.keep(order, other)
        async with storage.unit() as unit:
            for owner, amount, at in ((order, "2.00", LATER), (other, "3.00", NOON), (order, "1.00", NOON)):
                await kind(unit).append(a_movement(owner.id, amount, at=at))
            await unit.commit()

        assert [each.amount for each in await kind(storage.unit()).of_order(order.id)] == [Decimal("1.00"), Decimal("2.00")]


class TestStatistics:
    async def test_count_a_refund_in_the_hour_it_happened(self, storage: Storage) -> None:
        order = an_order()
        await storage.keep(order)
        async with storage.unit() as unit:
            await unit.payments.append(a_movement(order.id, "9.00"))
            await unit.refunds.append(a_movement(order.id, "4.00", at=LATER))
            await unit.commit()

        assert await storage.figures() == [(NOON, "EUR", 1, 900, 0), (LATER, "EUR", 0, 0, 400)]
        assert await storage.statistics.differences() == []

    async def test_leave_out_what_a_cancelled_order_gave_back(self, storage: Storage) -> None:
        order = an_order(status=Status.CANCELLED)
        await storage.keep(order)
        async with storage.unit() as unit:
            await unit.refunds.append(a_movement(order.id, "4.00", at=LATER))
            await unit.commit()

        assert await storage.figures() == []
        assert await storage.statistics.differences() == []
