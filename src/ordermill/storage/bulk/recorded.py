"""
What was recorded here of an order's money stands when a newer export changes the order. Pure: frames in, frames out.

A file's figure is the whole as the shop sees it, and what was recorded here is a part of it: the import's own payment
is what the file says beyond that, and an order is never less paid or refunded than was recorded here. So neither an export
of the book that comes back nor a payment that staff entered in both places counts twice. Where anything was recorded
here, the state of payment follows from the figures and not from the file's word.
"""

from typing import Final

import polars as pl

from ordermill.imports.batch import MOMENT
from ordermill.orders.status import payment_state

# Payments or refunds of the orders that a batch changes; `id` is the order's, `here` says that no import told of it.
MOVEMENTS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "id": pl.String,
    "at": MOMENT,
    "amount": pl.Int64,
    "here": pl.Boolean,
}


def with_recorded(orders: pl.DataFrame, *, payments: pl.DataFrame, refunds: pl.DataFrame) -> pl.DataFrame:
    """
    Return changed orders with `paid`, `refunded` and `payment` as they are to be.

    Adds `paid_here` and `refunded_here`, the part of it that was recorded here.

    Args:
        orders: rows of a batch with the `id` they have in the book.
        payments: `MOVEMENTS` of these orders.
        refunds: likewise.
    """
    sums = orders
    for movements, name in ((payments, "paid_here"), (refunds, "refunded_here")):
        here = movements.filter("here").group_by("id").agg(pl.col("amount").sum().alias(name))
        sums = sums.join(here, on="id", how="left", maintain_order="left").with_columns(pl.col(name).fill_null(0))
    # What was given back here had been received, whatever the file knows of it.
    least = pl.max_horizontal("paid_here", "refunded_here")
    whole = sums.with_columns(
        paid=pl.max_horizontal("paid", least), refunded=pl.max_horizontal("refunded", "refunded_here"), moved_here=least > 0
    )
    facts = whole.select("payment", "total", "paid", "refunded", "moved_here").iter_rows()
    states = [
        payment_state(total=total, paid=paid, refunded=refunded).value if moved else stated
        for stated, total, paid, refunded, moved in facts
    ]
    return whole.drop("moved_here").with_columns(payment=pl.Series(states, dtype=pl.String))


def beyond_recorded(orders: pl.DataFrame) -> pl.DataFrame:
    """Return orders with only that part of their money which the file alone tells of, for rows of payments and refunds."""
    return orders.with_columns(paid=pl.col("paid") - pl.col("paid_here"), refunded=pl.col("refunded") - pl.col("refunded_here"))


def refunds_after(orders: pl.DataFrame, refunds: pl.DataFrame, imported: pl.DataFrame) -> pl.DataFrame:
    """
    Return the refunds that stand behind the change, with `status` and `currency` of their orders, for the statistics.

    Args:
        refunds: `MOVEMENTS` before the change.
        imported: the refunds that the file brings, with `order_id`.
    """
    stand = pl.concat(
        [refunds.filter("here").select("id", "at", "amount"), imported.select(id="order_id", at="at", amount="amount")]
    )
    return stand.join(orders.select("id", "status", "currency"), on="id")
