"""What became of a batch, in numbers. Pure."""

from ordermill.imports.batch import Batch, Loaded
from ordermill.imports.model import Tally
from ordermill.imports.refusals import refused_by_book
from ordermill.privacy.model import ADJUSTMENT
from ordermill.storage.bulk.plan import Plan


def outcome(batch: Batch, decided: Plan, *, customers: int, file: str) -> Loaded:
    """
    Count a plan's orders, and reject those that it refuses.

    Args:
        customers: how many accounts the batch brought.
    """
    tally = Tally()
    tally.orders |= {
        "new": decided.new.height,
        "updated": decided.changed.height,
        "unchanged": decided.unchanged.height,
        "kept": decided.kept,
    }
    tally.customers["new"] = customers
    guests, kept = decided.forgotten
    if guests or kept:
        tally.customers["guests"] += guests
        tally.adjustments[ADJUSTMENT] = guests + kept
    if decided.refused.is_empty():
        return Loaded(tally)
    rejects, correction = refused_by_book(batch, decided.refused, file=file)
    tally.add(correction)
    return Loaded(tally, rejects)
