"""What a change of one order does to the kept figures. Pure; storage/bulk/figures.py says the same for whole batches."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ordermill.kit.calendar import hour_of
from ordermill.statistics.model import NOTHING, Bucket, Figures

CANCELLED: Final = "cancelled"


@dataclass(frozen=True, slots=True)
class RefundFigures:
    """Money given back, in minor units, at a moment; an undated refund carries its order's moment."""

    at: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """What of an order the statistics look at; `total` in minor units."""

    status: str
    currency: str
    placed_at: datetime
    total: int
    refunds: tuple[RefundFigures, ...] = ()


def delta(before: OrderFigures | None, after: OrderFigures | None) -> dict[Bucket, Figures]:
    """
    Return what to add to the kept figures when an order goes from `before` to `after`.

    A cancelled order counts for nothing, and neither do its refunds: money that went back for
    an order that is not counted would make the month look worse than it was.

    Args:
        before: None for an order that was not there.
        after: None for an order that is removed.

    Returns:
        By hour, then currency: writers that touch the rows in this order never deadlock. What
        comes to nothing is left out.
    """
    moved = _contribution(after)
    for bucket, figures in _contribution(before).items():
        moved[bucket] = moved.get(bucket, NOTHING) - figures
    return {bucket: moved[bucket] for bucket in sorted(moved) if moved[bucket] != NOTHING}


def _contribution(order: OrderFigures | None) -> dict[Bucket, Figures]:
    """Return what an order counts for."""
    if order is None or order.status == CANCELLED:
        return {}
    counted = {Bucket(hour_of(order.placed_at), order.currency): Figures(count=1, total=order.total)}
    for refund in order.refunds:
        bucket = Bucket(hour_of(refund.at), order.currency)
        counted[bucket] = counted.get(bucket, NOTHING) + Figures(refunded=refund.amount)
    return counted
