"""Where an order can go, and where its money is: the two state machines, alone."""

from decimal import Decimal
from itertools import product

import pytest
from order_books import an_order

from ordermill.kit.errors import Conflict
from ordermill.orders.model import PaymentState, Status
from ordermill.orders.status import payment_state, require_move

MOVES = {
    ("pending", "processing"),
    ("pending", "cancelled"),
    ("processing", "shipped"),
    ("processing", "cancelled"),
    ("shipped", "delivered"),
}


class TestRequireMove:
    @pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
    def test_lets_the_documented_moves_pass_and_no_other(self, before: Status, after: Status) -> None:
        order = an_order(status=before)

        if (before.value, after.value) in MOVES:
            require_move(order, after)
            return
        with pytest.raises(Conflict) as caught:
            require_move(order, after)

        assert caught.value.code == "status_not_allowed"
        assert caught.value.details == {
            "order_status": before.value,
            "wanted": after.value,
            "allowed": [wanted.value for wanted in Status if (before.value, wanted.value) in MOVES],
        }

    @pytest.mark.parametrize(
        ("before", "after", "sentence"),
        [
            (Status.PENDING, Status.SHIPPED, "is pending and cannot become shipped; it may become processing or cancelled."),
            (Status.SHIPPED, Status.CANCELLED, "is shipped and cannot become cancelled; it may become delivered."),
            (Status.CANCELLED, Status.PENDING, "is cancelled and cannot become pending; nothing follows on that."),
            (Status.PROCESSING, Status.PROCESSING, "is processing already; it may become shipped or cancelled."),
            (Status.DELIVERED, Status.DELIVERED, "is delivered already; nothing follows on that."),
        ],
    )
    def test_says_what_is_allowed(self, before: Status, after: Status, sentence: str) -> None:
        with pytest.raises(Conflict) as caught:
            require_move(an_order(status=before), after)

        assert str(caught.value) == f"The order '1001' {sentence}"


class TestPaymentState:
    @pytest.mark.parametrize(
        ("total", "paid", "refunded", "state"),
        [
            ("9.00", "0.00", "0.00", PaymentState.UNPAID),
            ("9.00", "0.01", "0.00", PaymentState.PARTIALLY_PAID),
            ("9.00", "8.99", "0.00", PaymentState.PARTIALLY_PAID),
            ("9.00", "9.00", "0.00", PaymentState.PAID),
            ("9.00", "9.01", "0.00", PaymentState.PAID),
            ("9.00", "9.00", "0.01", PaymentState.PARTIALLY_REFUNDED),
            ("9.00", "9.00", "9.00", PaymentState.REFUNDED),
            ("9.00", "4.00", "1.00", PaymentState.PARTIALLY_REFUNDED),
            ("9.00", "4.00", "4.00", PaymentState.REFUNDED),
            ("9.00", "10.00", "1.00", PaymentState.PARTIALLY_REFUNDED),
            ("0.00", "0.00", "0.00", PaymentState.PAID),
            ("0.00", "1.00", "1.00", PaymentState.REFUNDED),
            ("9.00", "0.00", "9.00", PaymentState.REFUNDED),  # a file that knows of the refund only
        ],
    )
    def test_follows_from_the_figures(self, total: str, paid: str, refunded: str, state: PaymentState) -> None:
        assert payment_state(total=Decimal(total), paid=Decimal(paid), refunded=Decimal(refunded)) is state
