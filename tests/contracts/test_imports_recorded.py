"""What was recorded here of an order outlasts a newer export of it, and every sum holds (docs/decisions/0007)."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import anyio
import pytest
from builders import LATER, NOON, a_batch, sold
from storages import Storage

from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import StaleVersion
from ordermill.orders.changes import MoneyDraft, Shipment
from ordermill.orders.model import Order, PaymentState, Status
from ordermill.orders.service import Orders

pytestmark = pytest.mark.anyio


@pytest.fixture
def orders(storage: Storage) -> Orders:
    return Orders(storage.unit, clock=FixedClock(LATER))


def money(amount: str) -> MoneyDraft:
    return MoneyDraft(amount=Decimal(amount))


class TestPayments:
    @pytest.mark.parametrize(
        ("file", "figures", "rows"),
        [
            ({}, ("4.00", "partially_paid"), [(400, False)]),  # the shop does not know of it
            ({"paid": 100}, ("4.00", "partially_paid"), [(400, False)]),
            ({"paid": 400}, ("4.00", "partially_paid"), [(400, False)]),  # as an export of the book says
            ({"paid": 900, "payment": "paid"}, ("9.00", "paid"), [(400, False), (500, True)]),
        ],
    )
    async def test_recorded_here_are_a_part_of_what_the_file_says(
        self, storage: Storage, orders: Orders, file: dict[str, Any], figures: tuple[str, str], rows: list[Any]
    ) -> None:
        await storage.load(a_batch(sold("1001"), sold("1002")))
        await orders.record_payment("1001", money("4.00"), actor="test")

        await storage.load(a_batch(sold("1001", note="new", **file), sold("1002", note="new")))

        order = (await storage.numbered())["1001"]
        stored = [(amount, run is not None) for amount, run in await storage.rows("payments", "amount", "import_id")]
        assert order.note == "new"
        assert (str(order.paid), order.payment) == figures
        assert stored == rows
        assert await storage.faults() == []

    async def test_do_not_add_up_over_several_exports(self, storage: Storage, orders: Orders) -> None:
        await storage.load(a_batch(sold("1001", paid=300, payment="partially_paid")))
        await orders.record_payment("1001", money("4.00"), actor="test")

        for note in ("a", "b"):
            await storage.load(a_batch(sold("1001", note=note, paid=700, payment="partially_paid")))

        assert (await storage.the_order()).paid == Decimal("7.00")
        assert await storage.rows("payments", "amount") == [(300,), (400,)]
        assert await storage.faults() == []

    async def test_leave_the_file_s_word_for_the_state_where_nothing_was_recorded_here(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001")))

        await storage.load(a_batch(sold("1001", payment="paid")))

        assert (await storage.the_order()).payment is PaymentState.PAID


class TestRefunds:
    @pytest.mark.parametrize(
        ("file", "figures", "rows"),
        [
            ({"paid": 900}, ("9.00", "4.00", "partially_refunded"), [(400, False)]),
            ({"paid": 900, "refunded": 400}, ("9.00", "4.00", "partially_refunded"), [(400, False)]),
            ({"paid": 900, "refunded": 900}, ("9.00", "9.00", "refunded"), [(400, False), (500, True)]),
            # What was given back had been received, whatever the file now says.
            ({"paid": 0}, ("4.00", "4.00", "refunded"), [(400, False)]),
        ],
    )
    async def test_recorded_here_are_a_part_of_what_the_file_says(
        self, storage: Storage, orders: Orders, file: dict[str, Any], figures: tuple[str, str, str], rows: list[Any]
    ) -> None:
        await storage.load(a_batch(sold("1001", paid=900, payment="paid"), sold("1002")))
        await orders.record_refund("1001", money("4.00"), actor="test")

        await storage.load(a_batch(sold("1001", note="new", **{"payment": "paid", **file}), sold("1002", note="new")))

        order = (await storage.numbered())["1001"]
        stored = [(amount, run is not None) for amount, run in await storage.rows("refunds", "amount", "import_id")]
        assert (str(order.paid), str(order.refunded), order.payment) == figures
        assert stored == rows
        assert await storage.faults() == []

    async def test_leave_the_statistics_with_an_order_that_the_file_cancels_and_return_with_it(
        self, storage: Storage, orders: Orders
    ) -> None:
        plain = a_batch(sold("1001", paid=900, payment="paid", refunded=100))
        await storage.load(plain)
        await orders.record_refund("1001", money("4.00"), actor="test")
        assert await storage.figures() == [(NOON, "EUR", 1, 900, 100), (LATER, "EUR", 0, 0, 400)]

        await storage.load(a_batch(sold("1001", paid=900, status="cancelled")))
        cancelled = [figures[2:] for figures in await storage.figures()]
        assert await storage.faults() == []
        await storage.load(a_batch(sold("1001", paid=900, refunded=500)))

        assert cancelled == [(0, 0, 0), (0, 0, 0)]
        assert await storage.figures() == [(NOON, "EUR", 1, 900, 100), (LATER, "EUR", 0, 0, 400)]
        assert await storage.faults() == []

    async def test_recorded_here_stay_when_the_file_s_own_change(self, storage: Storage, orders: Orders) -> None:
        await storage.load(a_batch(sold("1001", paid=900, payment="paid")))
        await orders.record_refund("1001", money("4.00"), actor="test")

        await storage.load(a_batch(sold("1001", paid=900, refunded=600)))
        await storage.load(a_batch(sold("1001", paid=900, refunded=500)))

        assert await storage.rows("refunds", "amount") == [(100,), (400,)]
        assert await storage.figures() == [(NOON, "EUR", 1, 900, 100), (LATER, "EUR", 0, 0, 400)]
        assert await storage.faults() == []


class TestAtTheSameTime:
    async def test_an_import_and_refunds_of_its_order_lose_nothing(self, storage: Storage, orders: Orders) -> None:
        await storage.load(a_batch(sold("1001", paid=900, payment="paid")))
        given_back: list[Order] = []

        async def refund() -> None:
            for _ in range(3):
                with suppress(StaleVersion):
                    given_back.append(await orders.record_refund("1001", money("1.00"), actor="test"))

        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(refund)
                await storage.load(a_batch(sold("1001", paid=900, payment="paid", note=f"{number}")), sha256=f"{number}")

        order = await storage.the_order()
        assert (order.note, order.paid, order.refunded) == ("2", Decimal("9.00"), Decimal(len(given_back)))
        assert len(given_back) > 0
        assert len(await orders.events(order.id)) == 4 + len(given_back) == order.version
        assert await storage.faults() == []


class TestShipments:
    async def test_of_a_status_that_was_set_here_stay_where_the_file_says_nothing(
        self, storage: Storage, orders: Orders
    ) -> None:
        await storage.load(a_batch(sold("1001")))
        await orders.set_status("1001", "shipped", shipment=Shipment(carrier="Post", tracking_number="1Z"), actor="test")

        await storage.load(a_batch(sold("1001", note="new")))

        order = await storage.the_order()
        assert (order.status, order.carrier, order.tracking_number, order.note) == (Status.SHIPPED, "Post", "1Z", "new")

    async def test_are_the_file_s_where_it_says_something(self, storage: Storage, orders: Orders) -> None:
        await storage.load(a_batch(sold("1001")))
        await orders.set_status("1001", "shipped", shipment=Shipment(carrier="Post", tracking_number="1Z"), actor="test")

        await storage.load(a_batch(sold("1001", carrier="Rail")))

        order = await storage.the_order()
        assert (order.carrier, order.tracking_number) == ("Rail", "1Z")

    async def test_are_the_file_s_alone_where_no_status_was_set_here(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", carrier="Post")))

        await storage.load(a_batch(sold("1001")))

        assert (await storage.the_order()).carrier is None
