"""
Discounts of whole orders are shared over their items, a whole batch at once.

Largest remainder, earlier items first among equals: to the minor unit what `kit.money.split` gives.
"""

import polars as pl


def shares(amount: pl.Series, *, weights: pl.Series, order: pl.Series) -> pl.Series:
    """
    Share amounts in proportion to weights; the shares of an order sum to its amount exactly.

    Args:
        amount: what is to be shared, minor units, the same on all items of an order, and 0 where its weights are.
        weights: not negative; a share exceeds its weight only where the amount exceeds their sum.
        order: whose item it is; items of one order lie together.
    """
    frame = pl.DataFrame({"order": order, "amount": amount, "weight": weights})
    due = frame.with_row_index("item").filter(pl.col("amount") > 0)
    if not due.height:
        return pl.repeat(0, len(order), dtype=pl.Int64, eager=True)
    # Products of two amounts go beyond 64 bits.
    product = pl.col("amount").cast(pl.Int128) * pl.col("weight")
    whole = pl.col("weight").cast(pl.Int128).sum().over("order")
    floors = due.with_columns(share=product // whole, remainder=product % whole)
    left = pl.col("amount") - pl.col("share").sum().over("order")
    rank = pl.col("remainder").rank("ordinal", descending=True).over("order")
    shared = floors.select("item", share=pl.col("share") + (rank <= left).cast(pl.Int128))
    rest = pl.repeat(0, len(order), dtype=pl.Int64, eager=True)
    return rest.scatter(shared.get_column("item"), shared.get_column("share").cast(pl.Int64))
