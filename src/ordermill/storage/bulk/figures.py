"""What a batch does to the kept statistics: `statistics.delta`, on columns. Pure."""

from typing import Final

import polars as pl

from ordermill.imports.batch import MOMENT

# One row per UTC hour and currency: what to add, which may be negative.
FIGURES: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "hour": MOMENT,
    "currency": pl.String,
    "count": pl.Int64,
    "total": pl.Int64,
    "refunded": pl.Int64,
}


def placed(orders: pl.DataFrame, *, sign: int = 1) -> pl.DataFrame:
    """Count orders that are not cancelled; needs `status`, `currency`, `placed_at` and `total`."""
    return orders.filter(pl.col("status") != "cancelled").select(
        pl.col("placed_at").dt.truncate("1h").alias("hour"),
        "currency",
        count=pl.lit(sign, pl.Int64),
        total=pl.col("total") * sign,
        refunded=pl.lit(0, pl.Int64),
    )


def refunded(refunds: pl.DataFrame, *, sign: int = 1) -> pl.DataFrame:
    """Count refunds in the hour they happened; needs `status` and `currency` of the order, `at` and `amount`."""
    return refunds.filter(pl.col("status") != "cancelled").select(
        pl.col("at").dt.truncate("1h").alias("hour"),
        "currency",
        count=pl.lit(0, pl.Int64),
        total=pl.lit(0, pl.Int64),
        refunded=pl.col("amount") * sign,
    )


def before(orders: pl.DataFrame, refunds: pl.DataFrame) -> pl.DataFrame:
    """
    Return what changed orders counted for until now, negated.

    Args:
        orders: with `id` and the stored `old_status`, `old_currency`, `old_placed_at` and `old_total`.
        refunds: all that the book has of these orders: `id`, which is the order's, `at` and `amount`.
    """
    old = orders.select("id", **{name: f"old_{name}" for name in ("status", "currency", "placed_at", "total")})
    with_order = refunds.join(old.select("id", "status", "currency"), on="id")
    return summed(placed(old, sign=-1), refunded(with_order, sign=-1))


def summed(*parts: pl.DataFrame) -> pl.DataFrame:
    """Add up, leave out what comes to nothing, and sort: writers that touch rows in one order never deadlock."""
    together = pl.concat([part.cast(FIGURES) for part in parts])  # type: ignore[arg-type]  # Polars' stubs want DataType classes
    added = together.group_by("hour", "currency").agg(pl.col("count", "total", "refunded").sum())
    moved = (pl.col("count") != 0) | (pl.col("total") != 0) | (pl.col("refunded") != 0)
    return added.filter(moved).sort("hour", "currency")
