"""Orders that several people change at once: one wins, nothing is lost, and every sum holds (RELIABILITY.md E5)."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product

import anyio
import pytest
from builders import LATER, NOON, a_movement, an_order
from storages import Storage

from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import Conflict, StaleVersion
from ordermill.orders.changes import MoneyDraft
from ordermill.orders.model import Order, PaymentState, Status
from ordermill.orders.service import Orders
from ordermill.orders.status import ALLOWED

pytestmark = pytest.mark.anyio


@pytest.fixture
def orders(storage: Storage) -> Orders:
    return Orders(storage.unit, clock=FixedClock(LATER))


async def the_paid_order(storage: Storage, status: Status = Status.PROCESSING) -> Order:
    """Put an order of EUR 9.00 in, paid in full."""
    order = an_order(status=status, paid=Decimal("9.00"), payment=PaymentState.PAID)
    async with storage.unit() as unit:
        await unit.orders.add(order)
        await unit.payments.append(a_movement(order.id, "9.00"))
        await unit.commit()
    return order


async def together(*changes: Awaitable[Order]) -> list[str]:
    """Make changes at the same time; return what became of each: "done", or the code of its refusal."""
    outcomes = [""] * len(changes)

    async def make(place: int, change: Awaitable[Order]) -> None:
        try:
            await change
            outcomes[place] = "done"
        except Conflict as refusal:
            outcomes[place] = refusal.code

    async with anyio.create_task_group() as group:
        for place, change in enumerate(changes):
            group.start_soon(make, place, change)
    return outcomes


class TestSetStatus:
    async def test_of_every_pair_does_what_is_documented(self, storage: Storage, orders: Orders) -> None:
        pairs = list(product(Status, Status))
        await storage.keep(*(an_order(f"{before}-{after}", status=before) for before, after in pairs))

        for before, after in pairs:
            number = f"{before}-{after}"
            if after in ALLOWED[before]:
                assert (await orders.set_status(number, after, actor="test")).status is after
                expected = [(1, "order.status_changed", {"from": before.value, "to": after.value})]
            else:
                with pytest.raises(Conflict) as caught:
                    await orders.set_status(number, after, actor="test")
                assert caught.value.details["allowed"] == [status.value for status in ALLOWED[before]]
                expected = []
            stored = await orders.get(number)
            story = await orders.events(stored.id)
            assert stored.status is (after if expected else before)
            assert [(event.sequence, event.type, event.data) for event in story] == expected
        assert await storage.statistics.differences() == []

    async def test_of_one_version_by_twenty_at_once_lets_one_win(self, storage: Storage, orders: Orders) -> None:
        order = await the_paid_order(storage)
        wanted = [Status.SHIPPED, Status.CANCELLED] * 10

        outcomes = await together(
            *(orders.set_status(order.id, status, version=1, actor=f"user:{n}") for n, status in enumerate(wanted))
        )

        stored = await storage.the_order()
        story = await orders.events(order.id)
        winner = outcomes.index("done")
        assert sorted(outcomes) == ["done", *["stale_version"] * 19]
        assert (stored.status, stored.version) == (wanted[winner], 2)
        assert [(event.sequence, event.actor, event.data["to"]) for event in story] == [(1, f"user:{winner}", wanted[winner])]
        assert await storage.faults() == []

    async def test_into_cancelled_takes_the_order_and_its_refunds_out_of_the_statistics(
        self, storage: Storage, orders: Orders
    ) -> None:
        await the_paid_order(storage)
        await orders.record_refund("1001", MoneyDraft(amount=Decimal("4.00")), actor="test")
        assert await storage.figures() == [(NOON, "EUR", 1, 900, 0), (LATER, "EUR", 0, 0, 400)]

        await orders.set_status("1001", "cancelled", actor="test")

        assert [figures[2:] for figures in await storage.figures()] == [(0, 0, 0), (0, 0, 0)]
        assert await storage.faults() == []

    async def test_is_decided_by_the_guard_where_the_order_changes_after_it_was_read(self, storage: Storage) -> None:
        """The version is compared once more where the change is written; whoever only looked before would overwrite."""
        order = await the_paid_order(storage)
        slow = storage.unit()
        read = await slow.orders.get(order.id)
        assert read is not None
        await Orders(storage.unit, clock=FixedClock(LATER)).set_status(order.id, "shipped", actor="fast")
        await slow.orders.update(replace(read, status=Status.CANCELLED))

        with pytest.raises(StaleVersion):
            await slow.commit()

        assert (await storage.the_order()).status is Status.SHIPPED


class TestRefunds:
    async def test_by_twenty_at_once_never_give_back_more_than_was_paid(self, storage: Storage, orders: Orders) -> None:
        order = await the_paid_order(storage)
        draft = MoneyDraft(amount=Decimal("4.00"))

        outcomes: list[str] = []
        for _ in range(3):  # whoever lost the race may try again
            outcomes += await together(*(orders.record_refund(order.id, draft, actor="test") for _ in range(20)))

        stored = await storage.the_order()
        _, refunds = await orders.money(order.id)
        assert outcomes.count("done") == len(refunds) == 2
        assert set(outcomes) <= {"done", "stale_version", "refund_too_large"}
        assert (stored.refunded, stored.payment, stored.version) == (Decimal("8.00"), PaymentState.PARTIALLY_REFUNDED, 3)
        assert [event.sequence for event in await orders.events(order.id)] == [1, 2]
        assert await storage.faults() == []

    async def test_count_in_the_hour_they_happened(self, storage: Storage, orders: Orders) -> None:
        await the_paid_order(storage)
        earlier = NOON - timedelta(days=40)

        await orders.record_refund("1001", MoneyDraft(amount=Decimal("1.00"), at=earlier), actor="test")
        await orders.record_refund("1001", MoneyDraft(amount=Decimal("2.00")), actor="test")

        assert await storage.figures() == [
            (earlier, "EUR", 0, 0, 100), (NOON, "EUR", 1, 900, 0), (LATER, "EUR", 0, 0, 200),
        ]  # fmt: skip
        assert await storage.faults() == []


class TestDifferentChangesAtOnce:
    async def test_of_one_version_lose_nothing(self, storage: Storage, orders: Orders) -> None:
        order = await the_paid_order(storage)
        one = MoneyDraft(amount=Decimal("1.00"))

        outcomes = await together(
            orders.set_status(order.id, "cancelled", version=1, actor="test"),
            orders.record_refund(order.id, one, version=1, actor="test"),
            orders.record_payment(order.id, one, version=1, actor="test"),
        )

        assert sorted(outcomes) == ["done", "stale_version", "stale_version"]
        assert len(await orders.events(order.id)) == 1
        assert await storage.faults() == []

    async def test_end_alike_whoever_comes_first(self, storage: Storage, orders: Orders) -> None:
        order = await the_paid_order(storage)
        waiting = {"cancel", "refund", "pay"}

        def change(name: str) -> Awaitable[Order]:
            one = MoneyDraft(amount=Decimal("1.00"))
            match name:
                case "cancel":
                    return orders.set_status(order.id, "cancelled", actor="test")
                case "refund":
                    return orders.record_refund(order.id, one, actor="test")
            return orders.record_payment(order.id, one, actor="test")

        while waiting:
            names = sorted(waiting)
            outcomes = await together(*map(change, names))
            assert set(outcomes) <= {"done", "stale_version"}
            waiting -= {name for name, outcome in zip(names, outcomes, strict=True) if outcome == "done"}

        stored = await storage.the_order()
        assert (stored.status, stored.paid, stored.refunded, stored.version) == (
            Status.CANCELLED, Decimal("10.00"), Decimal("1.00"), 4,
        )  # fmt: skip
        assert [event.sequence for event in await orders.events(order.id)] == [1, 2, 3]
        assert await storage.faults() == []
