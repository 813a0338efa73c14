"""An order that is there: its goods move, money is recorded, and the ledger tells of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from order_books import PLACED, an_order, book_of, tea

from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import Conflict, Invalid, NotFound, StaleVersion
from ordermill.orders.changes import MoneyDraft, Shipment
from ordermill.orders.model import Order, PaymentState, Status
from ordermill.orders.service import Orders
from ordermill.storage.memory import MemoryStorage

pytestmark = pytest.mark.anyio

NOW = PLACED + timedelta(days=3)
PAID = {"paid": Decimal("9.00"), "payment": PaymentState.PAID}


class Shop:
    """A book in memory with one order."""

    def __init__(self, storage: MemoryStorage, order: Order) -> None:
        self.storage = storage
        self.orders = Orders(storage.unit, clock=FixedClock(NOW))
        self.order = order

    async def stored(self) -> Order:
        return await self.orders.get(self.order.id)

    async def story(self) -> list[tuple[int | None, str, str, dict[str, Any]]]:
        """Return the ledger of the order, without the ids of movements."""
        events = await self.orders.events(self.order.id)
        return [
            (event.sequence, event.type, event.actor, {name: said for name, said in event.data.items() if name != "id"})
            for event in events
        ]


async def shop(**said: Any) -> Shop:
    order = an_order(**said)
    return Shop(await book_of(order), order)


def money(amount: str, **said: Any) -> MoneyDraft:
    return MoneyDraft(amount=Decimal(amount), **said)


class TestSetStatus:
    async def test_moves_the_order_and_tells_the_ledger(self) -> None:
        here = await shop()

        moved = await here.orders.set_status("1001", "processing", actor="user:1")
        await here.orders.set_status(here.order.id, "cancelled", actor="command")

        stored = await here.stored()
        assert (moved.status, moved.version, moved.updated_at) == (Status.PROCESSING, 2, NOW)
        assert (stored.status, stored.version, stored.updated_at) == (Status.CANCELLED, 3, NOW)
        assert await here.story() == [
            (1, "order.status_changed", "user:1", {"from": "pending", "to": "processing"}),
            (2, "order.status_changed", "command", {"from": "processing", "to": "cancelled"}),
        ]

    async def test_leaves_everything_else_as_it_was(self) -> None:
        here = await shop(note="By the door", **PAID)

        moved = await here.orders.set_status("1001", "processing", actor="user:1")

        assert replace(moved, status=Status.PENDING, version=1, updated_at=PLACED) == here.order

    async def test_keeps_with_whom_the_goods_travel_but_does_not_tell_the_ledger(self) -> None:
        here = await shop(status=Status.PROCESSING)

        await here.orders.set_status(
            "1001", "shipped", shipment=Shipment(carrier=" Post ", tracking_number="1Z 999"), actor="user:1"
        )

        stored = await here.stored()
        assert (stored.carrier, stored.tracking_number) == ("Post", "1Z 999")
        assert await here.story() == [(1, "order.status_changed", "user:1", {"from": "processing", "to": "shipped"})]

    async def test_is_refused_where_it_is_not_allowed_and_nothing_happens(self) -> None:
        here = await shop(status=Status.SHIPPED)

        with pytest.raises(Conflict) as caught:
            await here.orders.set_status("1001", "cancelled", actor="user:1")

        assert (caught.value.code, caught.value.details["allowed"]) == ("status_not_allowed", ["delivered"])
        assert (await here.stored(), await here.story()) == (here.order, [])

    async def test_is_refused_on_another_version_than_the_one_that_was_seen(self) -> None:
        here = await shop()

        with pytest.raises(StaleVersion):
            await here.orders.set_status("1001", "processing", version=7, actor="user:1")

        assert (await here.stored(), await here.story()) == (here.order, [])
        assert (await here.orders.set_status("1001", "processing", version=1, actor="user:1")).version == 2

    @pytest.mark.parametrize(
        ("status", "shipment", "code"),
        [
            ("lost", Shipment(), "unknown_status"),
            ("cancelled", Shipment(carrier="Post"), "not_shipping"),
            ("cancelled", Shipment(tracking_number="1"), "not_shipping"),
            ("shipped", Shipment(carrier="x" * 101), "text_too_long"),
            ("shipped", Shipment(tracking_number="a\0"), "text_not_storable"),
        ],
    )
    async def test_is_refused_what_cannot_be_kept(self, status: str, shipment: Shipment, code: str) -> None:
        here = await shop(status=Status.PROCESSING)

        with pytest.raises(Invalid) as caught:
            await here.orders.set_status("1001", status, shipment=shipment, actor="user:1")

        assert caught.value.code == code
        assert (await here.stored(), await here.story()) == (here.order, [])

    async def test_of_an_order_that_is_not_there_is_refused(self) -> None:
        here = await shop()

        for reference, channel in (("1002", None), ("1001", "shop"), ("\0", None)):
            with pytest.raises(NotFound):
                await here.orders.set_status(reference, "processing", channel=channel, actor="user:1")


class TestRecordPayment:
    async def test_adds_to_what_was_paid_until_all_is(self) -> None:
        here = await shop()

        first = await here.orders.record_payment("1001", money("4.00"), actor="user:1")
        second = await here.orders.record_payment("1001", money("5.00", method="transfer", reference="TX 7"), actor="user:1")

        assert (first.paid, first.payment, second.paid, second.payment) == (
            Decimal("4.00"), PaymentState.PARTIALLY_PAID, Decimal("9.00"), PaymentState.PAID,
        )  # fmt: skip
        assert await here.stored() == second
        assert await here.story() == [
            (1, "order.paid", "user:1", {"amount": "4.00", "currency": "EUR", "payment": "partially_paid"}),
            (2, "order.paid", "user:1", {"amount": "5.00", "currency": "EUR", "payment": "paid"}),
        ]

    async def test_is_kept_with_how_and_when(self) -> None:
        here = await shop()

        await here.orders.record_payment(
            "1001", money("4", method=" transfer ", reference="TX 7", at=PLACED - timedelta(days=1)), actor="user:1"
        )
        await here.orders.record_payment("1001", money("5.00", reference=" "), actor="user:1")

        payments, refunds = await here.orders.money(here.order.id)
        assert [(each.amount, each.method, each.reference, each.at, each.import_id) for each in payments] == [
            (Decimal("4.00"), "transfer", "TX 7", PLACED - timedelta(days=1), None),
            (Decimal("5.00"), None, None, NOW, None),
        ]
        assert refunds == []

    async def test_of_too_much_is_a_fact_too(self) -> None:
        here = await shop()

        paid = await here.orders.record_payment("1001", money("10.00"), actor="user:1")
        back = await here.orders.record_refund("1001", money("1.00"), actor="user:1")

        assert (paid.paid, paid.payment) == (Decimal("10.00"), PaymentState.PAID)
        assert (back.refunded, back.payment) == (Decimal("1.00"), PaymentState.PARTIALLY_REFUNDED)

    @pytest.mark.parametrize(
        ("currency", "draft", "code"),
        [
            ("EUR", money("0"), "amount_not_positive"),
            ("EUR", money("-1"), "amount_not_positive"),
            ("EUR", money("0.001"), "too_many_decimals"),
            ("JPY", money("0.5"), "too_many_decimals"),
            ("EUR", money("90071992547409.92"), "amount_too_large"),
            ("EUR", money("90071992547409.91"), "amount_too_large"),  # with what was paid already
            ("EUR", money("1", method="x" * 101), "text_too_long"),
            ("EUR", money("1", reference="\ud800"), "text_not_storable"),
            ("EUR", money("1", at=NOW + timedelta(minutes=6)), "time_out_of_range"),
            ("EUR", money("1", at=datetime(1969, 12, 31, tzinfo=UTC)), "time_out_of_range"),
        ],
    )
    async def test_is_refused_what_is_no_payment(self, currency: str, draft: MoneyDraft, code: str) -> None:
        items = [tea(unit_price=Decimal(4), total=Decimal(8))]
        sums = {"items": items, "subtotal": Decimal(8), "total": Decimal(8), "paid": Decimal(1)}
        here = await shop(currency=currency, **sums)
        before = await here.stored()

        for record in (here.orders.record_payment, here.orders.record_refund):
            if code == "amount_too_large" and record == here.orders.record_refund:
                continue  # there it is more than was paid
            with pytest.raises(Invalid) as caught:
                await record("1001", draft, actor="user:1")
            assert caught.value.code == code

        assert (await here.stored(), await here.story(), await here.orders.money(here.order.id)) == (before, [], ([], []))


class TestRecordRefund:
    async def test_adds_to_what_was_given_back(self) -> None:
        here = await shop(**PAID)

        first = await here.orders.record_refund("1001", money("4.00", method="card", at=PLACED), actor="user:1")
        second = await here.orders.record_refund("1001", money("5.00"), actor="user:1")

        assert (first.refunded, first.payment) == (Decimal("4.00"), PaymentState.PARTIALLY_REFUNDED)
        assert (second.refunded, second.payment, second.paid) == (Decimal("9.00"), PaymentState.REFUNDED, Decimal("9.00"))
        assert await here.story() == [
            (1, "order.refunded", "user:1", {"amount": "4.00", "currency": "EUR", "payment": "partially_refunded"}),
            (2, "order.refunded", "user:1", {"amount": "5.00", "currency": "EUR", "payment": "refunded"}),
        ]
        _, refunds = await here.orders.money(here.order.id)
        assert [(each.amount, each.method, each.at) for each in refunds] == [
            (Decimal("4.00"), "card", PLACED),
            (Decimal("5.00"), None, NOW),
        ]

    async def test_is_never_more_than_was_paid(self) -> None:
        here = await shop(paid=Decimal("5.00"), payment=PaymentState.PARTIALLY_PAID)
        await here.orders.record_refund("1001", money("4.00"), actor="user:1")
        before, story = await here.stored(), await here.story()

        with pytest.raises(Conflict) as caught:
            await here.orders.record_refund("1001", money("1.01"), actor="user:1")

        assert (caught.value.code, caught.value.details) == ("refund_too_large", {"currency": "EUR", "refundable": "1.00"})
        assert str(caught.value) == (
            "Of the order '1001' no more than EUR 1.00 can be given back: EUR 5.00 was paid, and EUR 4.00 went back."
        )
        assert (await here.stored(), await here.story()) == (before, story)

    async def test_of_a_cancelled_order_is_possible(self) -> None:
        here = await shop(status=Status.CANCELLED, **PAID)

        assert (await here.orders.record_refund("1001", money("9.00"), actor="user:1")).payment is PaymentState.REFUNDED
