"""
What may be done to an order that is there. Each step takes an open unit and never commits.

A step tells the order's own change first: its version is the guard that everybody else who changes this order meets,
so that what follows in the unit (a movement of money, the next place in the ledger) is decided on what still holds.

Not here: what a door may do for whom.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ordermill.kit.calendar import YEARS
from ordermill.kit.errors import Conflict, Invalid
from ordermill.kit.events import By, Event
from ordermill.kit.ids import new_id
from ordermill.kit.money import Currency
from ordermill.kit.text import defect, shortened
from ordermill.orders.model import Movement, Order, Status
from ordermill.orders.ports import OrdersUnit
from ordermill.orders.status import payment_state, require_move

METHOD_LIMIT: Final = 100
REFERENCE_LIMIT: Final = 255
CARRIER_LIMIT: Final = 100
TRACKING_LIMIT: Final = 100
# What the clocks of two machines may differ by, as for the doctor.
SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """With whom the goods travel, and under which number."""

    carrier: str | None = None
    tracking_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyDraft:
    """Money to be recorded as received or given back; without a moment it happens now."""

    amount: Decimal
    method: str | None = None
    reference: str | None = None
    at: datetime | None = None


class Recorded(NamedTuple):
    """Money that was recorded, and the order as it is by that."""

    movement: Movement
    order: Order


NOTHING_SAID: Final = Shipment()


class RefundTooLarge(Conflict):
    """Never more is given back than was received."""

    default_code = "refund_too_large"

    def __init__(self, order: Order) -> None:
        left = f"{max(order.paid - order.refunded, Decimal(0)):f}"
        super().__init__(
            f"Of the order {shortened(order.number)!r} no more than {order.currency} {left} can be given back: "
            f"{order.currency} {order.paid:f} was paid, and {order.currency} {order.refunded:f} went back.",
            details={"currency": order.currency, "refundable": left},
        )


async def set_status_in(unit: OrdersUnit, order: Order, wanted: Status, *, shipment: Shipment, by: By) -> Order:
    """
    Move the goods.

    Raises:
        StatusNotAllowed: the order cannot go there from where it is.
        Invalid: a shipment is named and the order is not being shipped, or its words cannot be kept.
    """
    carrier = _text(shipment.carrier, "/carrier", limit=CARRIER_LIMIT)
    tracking_number = _text(shipment.tracking_number, "/tracking_number", limit=TRACKING_LIMIT)
    if (carrier or tracking_number) and wanted is not Status.SHIPPED:
        pointer = "/carrier" if carrier else "/tracking_number"
        raise Invalid.field(pointer, "Carrier and tracking number go with the status shipped.", code="not_shipping")
    require_move(order, wanted)
    changed = replace(
        order,
        status=wanted,
        carrier=carrier or order.carrier,
        tracking_number=tracking_number or order.tracking_number,
        updated_at=by.at,
    )
    if wanted is Status.CANCELLED:
        # Before the order's own change, unlike all else: `Holdings.release` says why. Who loses the race leaves nothing.
        await unit.holdings.release(order.id, actor=by.actor, at=by.at)
    await unit.orders.update(changed)
    # Without the tracking number: it leads to a person's address.
    await _tell(unit, changed, "order.status_changed", {"from": order.status.value, "to": wanted.value}, by=by)
    return changed


async def amend_in(unit: OrdersUnit, order: Order, said: Mapping[str, Any], *, status: Status | None, by: By) -> Order:
    """
    Change what is written on an order, and move its goods where a status is named, in one step of its version.

    Where all of it is so already, nothing is done and the order itself comes back.

    Args:
        said: fields of `Order` and their new values.

    Raises:
        StatusNotAllowed: the order cannot go there from where it is.
    """
    changed = replace(order, **said)
    names = [name for name in said if getattr(changed, name) != getattr(order, name)]
    if status is not None:
        changed = await set_status_in(unit, changed, status, shipment=NOTHING_SAID, by=by)
    elif names:
        changed.updated_at = by.at
        await unit.orders.update(changed)
    else:
        return order
    if names:
        # What is in the fields now is for the order to tell, not for a ledger that is kept for ever.
        await _tell(unit, changed, "order.updated", {"fields": names}, by=by, ahead=0 if status is None else 1)
    return changed


async def record_payment_in(unit: OrdersUnit, order: Order, draft: MoneyDraft, *, by: By) -> Recorded:
    """
    Record money that was received, also where it is more than the order's total.

    Raises:
        Invalid: the amount, the moment or a text is not acceptable.
    """
    movement = _movement(order, draft, by=by)
    changed = _with_money(order, paid=order.paid + movement.amount, refunded=order.refunded, by=by)
    await unit.orders.update(changed)
    await unit.payments.append(movement)
    await _tell(unit, changed, "order.paid", _facts(movement, changed), by=by)
    return Recorded(movement, changed)


async def record_refund_in(unit: OrdersUnit, order: Order, draft: MoneyDraft, *, by: By) -> Recorded:
    """
    Record money that was given back; it counts in the hour in which that happened.

    Raises:
        RefundTooLarge: it is more than what was received and not given back yet.
        Invalid: the amount, the moment or a text is not acceptable.
    """
    movement = _movement(order, draft, by=by)
    if movement.amount > order.paid - order.refunded:
        raise RefundTooLarge(order)
    changed = _with_money(order, paid=order.paid, refunded=order.refunded + movement.amount, by=by)
    await unit.orders.update(changed)
    await unit.refunds.append(movement)
    await _tell(unit, changed, "order.refunded", _facts(movement, changed), by=by)
    return Recorded(movement, changed)


def _movement(order: Order, draft: MoneyDraft, *, by: By) -> Movement:
    money = Currency.of(order.currency)
    try:
        minor = money.minor(draft.amount)
    except Invalid as error:
        raise money.unfit(error, "/amount") from None
    if minor <= 0:
        raise Invalid.field("/amount", "The amount must be more than 0.", code="amount_not_positive")
    at = draft.at or by.at
    if at.year not in YEARS or at > by.at + SKEW:
        raise Invalid.field("/at", "Money is recorded when it has moved: from 1970 until now.", code="time_out_of_range")
    return Movement(
        id=new_id(by.at),
        order_id=order.id,
        currency=order.currency,
        amount=money.decimal(minor),
        at=at,
        method=_text(draft.method, "/method", limit=METHOD_LIMIT),
        reference=_text(draft.reference, "/reference", limit=REFERENCE_LIMIT),
    )


def _with_money(order: Order, *, paid: Decimal, refunded: Decimal, by: By) -> Order:
    Currency.of(order.currency).minor(paid)  # refuses a sum beyond what can be kept
    state = payment_state(total=order.total, paid=paid, refunded=refunded)
    return replace(order, paid=paid, refunded=refunded, payment=state, updated_at=by.at)


def _facts(movement: Movement, order: Order) -> dict[str, Any]:
    # Without method and reference: people write names there.
    amount = {"amount": f"{movement.amount:f}", "currency": movement.currency}
    return {"id": str(movement.id), **amount, "payment": order.payment.value}


async def _tell(  # noqa: PLR0913  # an event says all of this
    unit: OrdersUnit, order: Order, type: str, facts: dict[str, Any], *, by: By, ahead: int = 0
) -> None:
    """Tell the ledger, behind what it holds of the order and behind `ahead` events that this unit was told of before."""
    story = await unit.events.of_order(order.id)
    last = max((event.sequence or 0 for event in story), default=0)
    event = Event(
        id=new_id(by.at), type=type, at=by.at, actor=by.actor, order_id=order.id, sequence=last + 1 + ahead, data=facts
    )
    await unit.events.append(event)


def _text(said: str | None, pointer: str, *, limit: int) -> str | None:
    text = (said or "").strip()
    if problem := defect(text):
        raise Invalid.field(pointer, f"No database keeps a {problem}.", code="text_not_storable")
    if len(text) > limit:
        raise Invalid.field(pointer, f"Use at most {limit} characters.", code="text_too_long")
    return text or None
