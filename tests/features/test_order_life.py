"""Whatever is done to an order, in whatever order: it is where the model says, and no sum is off by a cent."""

import asyncio
from collections.abc import Awaitable, Sequence
from decimal import Decimal
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from order_books import CLOCK, an_order, book_of, tea

from ordermill.kit.errors import Conflict, ServiceError
from ordermill.orders.changes import MoneyDraft
from ordermill.orders.model import Movement, Order, PaymentState, Status
from ordermill.orders.service import Orders
from ordermill.storage.memory.statistics import MemoryStatistics

T = TypeVar("T")

CENTS = st.integers(min_value=1, max_value=1200)
FOLLOWS = {"pending": {"processing", "cancelled"}, "processing": {"shipped", "cancelled"}, "shipped": {"delivered"}}


class OrderLife(RuleBasedStateMachine):
    """An order over a book in memory, beside a model of it in whole cents."""

    @initialize(total=st.integers(min_value=0, max_value=1000))
    def place(self, total: int) -> None:
        self.total, self.paid, self.refunded, self.status, self.version = total, 0, 0, "pending", 1
        price = Decimal(total) / 100
        state = PaymentState.UNPAID if total else PaymentState.PAID
        items = [tea(quantity=1, unit_price=price, total=price)]
        self.order = an_order(items=items, subtotal=price, total=price, payment=state)
        self.storage = self.wait(book_of(self.order))
        self.orders = Orders(self.storage.unit, clock=CLOCK)

    @rule(status=st.sampled_from(list(Status)))
    def move(self, status: Status) -> None:
        allowed = FOLLOWS.get(self.status, set())
        code = self.attempt(self.orders.set_status(self.order.id, status, actor="test"))
        assert code == (None if status in allowed else "status_not_allowed")
        self.status = status.value if code is None else self.status

    @rule(cents=CENTS)
    def pay(self, cents: int) -> None:
        assert self.attempt(self.orders.record_payment(self.order.id, self.draft(cents), actor="test")) is None
        self.paid += cents

    @rule(cents=CENTS)
    def give_back(self, cents: int) -> None:
        fits = cents <= self.paid - self.refunded
        code = self.attempt(self.orders.record_refund(self.order.id, self.draft(cents), actor="test"))
        assert code == (None if fits else "refund_too_large")
        self.refunded += cents if fits else 0

    @rule(behind=st.integers(min_value=1, max_value=3), cents=CENTS)
    def change_what_was_seen_earlier(self, behind: int, cents: int) -> None:
        seen = self.version - behind
        for change in (
            self.orders.set_status(self.order.id, "processing", version=seen, actor="test"),
            self.orders.record_payment(self.order.id, self.draft(cents), version=seen, actor="test"),
            self.orders.record_refund(self.order.id, self.draft(cents), version=seen, actor="test"),
        ):
            assert self.attempt(change) == "stale_version"

    @invariant()
    def the_order_is_as_the_model_says(self) -> None:
        stored = self.wait(self.orders.get(self.order.id))
        figures = (int(stored.total * 100), int(stored.paid * 100), int(stored.refunded * 100))
        assert (stored.status, stored.version, *figures) == (
            self.status, self.version, self.total, self.paid, self.refunded,
        )  # fmt: skip
        assert stored.payment == self.payment()
        payments, refunds = self.wait(self.orders.money(self.order.id))
        assert (self.cents(payments), self.cents(refunds)) == (self.paid, self.refunded)
        assert self.refunded <= self.paid
        story = self.wait(self.orders.events(self.order.id))
        assert [event.sequence for event in story] == list(range(1, self.version))
        assert self.wait(MemoryStatistics(self.storage).differences()) == []

    def payment(self) -> str:
        if self.refunded:
            return "refunded" if self.refunded == self.paid else "partially_refunded"
        if self.paid >= self.total:
            return "paid"
        return "partially_paid" if self.paid else "unpaid"

    def attempt(self, change: Awaitable[Order]) -> str | None:
        """Make a change; return the code of its refusal, None where it was made."""
        try:
            self.wait(change)
        except Conflict as refusal:
            return refusal.code
        except ServiceError as refusal:
            raise AssertionError(refusal.code) from refusal
        self.version += 1
        return None

    @staticmethod
    def wait(work: Awaitable[T]) -> T:
        async def whole() -> T:
            return await work

        return asyncio.run(whole())

    @staticmethod
    def draft(cents: int) -> MoneyDraft:
        return MoneyDraft(amount=Decimal(cents) / 100)

    @staticmethod
    def cents(movements: Sequence[Movement]) -> int:
        return sum(int(movement.amount * 100) for movement in movements)


TestOrderLife = OrderLife.TestCase
TestOrderLife.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
