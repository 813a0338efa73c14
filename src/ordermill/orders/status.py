"""
The two states of an order: where the goods are, which somebody moves, and where the money is, which follows from it. Pure.

    pending ──> processing ──> shipped ──> delivered
       └────────────┴──> cancelled
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeVar

from ordermill.kit.errors import Conflict
from ordermill.kit.text import shortened
from ordermill.orders.model import Order, PaymentState, Status

Amount = TypeVar("Amount", int, Decimal)

# In the order in which a person would think of them.
ALLOWED: Final[Mapping[Status, tuple[Status, ...]]] = MappingProxyType(
    {
        Status.PENDING: (Status.PROCESSING, Status.CANCELLED),
        Status.PROCESSING: (Status.SHIPPED, Status.CANCELLED),
        Status.SHIPPED: (Status.DELIVERED,),
        Status.DELIVERED: (),
        Status.CANCELLED: (),
    }
)


class StatusNotAllowed(Conflict):
    """The order cannot go from where it is to there; `details` names where it can go."""

    default_code = "status_not_allowed"

    def __init__(self, order: Order, wanted: Status, *, allowed: Sequence[Status] | None = None) -> None:
        words = [status.value for status in (ALLOWED[order.status] if allowed is None else allowed)]
        is_there = "already" if wanted is order.status else f"and cannot become {wanted.value}"
        may_go = f"it may become {' or '.join(words)}" if words else "nothing follows on that"
        super().__init__(
            f"The order {shortened(order.number)!r} is {order.status.value} {is_there}; {may_go}.",
            details={"order_status": order.status.value, "wanted": wanted.value, "allowed": words},
        )


def require_move(order: Order, wanted: Status) -> None:
    """
    Refuse a move that is not of the picture above; to stay where one is, is none.

    Raises:
        StatusNotAllowed: as said.
    """
    if wanted not in ALLOWED[order.status]:
        raise StatusNotAllowed(order, wanted)


def payment_state(*, total: Amount, paid: Amount, refunded: Amount) -> PaymentState:
    """
    Return where the money of an order is, from what was received and what was given back of it.

    An order that costs nothing is paid from the start. More than the total may have been received (a transfer of too
    much is a fact too): that is paid, and giving the difference back makes it partially refunded.
    """
    if refunded > 0:
        return PaymentState.REFUNDED if refunded >= paid else PaymentState.PARTIALLY_REFUNDED
    if paid >= total:
        return PaymentState.PAID
    return PaymentState.PARTIALLY_PAID if paid > 0 else PaymentState.UNPAID
