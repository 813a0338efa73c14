"""
What an order comes to: repeated products merged, items summed, discounts shared, payments completed.

`orders` has a row per order and `items` a row per item, both sorted by `order`; amounts are minor units.
"""

import polars as pl

from ordermill.imports import discounts
from ordermill.imports.validate.amounts import LIMIT_QUANTITY, LIMIT_UNITS, half_up
from ordermill.imports.validate.reasons import Faults


def merged(items: pl.DataFrame) -> pl.DataFrame:
    """Make one item of lines that repeat a product at the same price within an order; the first names it."""
    items = items.with_columns(merged=pl.lit(False)).with_row_index("place")
    key = ("order", "sku", "unit_price")
    # Hashes first: most batches repeat nothing, and rows of a unique hash are unique.
    hashes = items.select(pl.struct(key).hash()).to_series()
    twice = hashes.is_duplicated()
    if not twice.any():
        return items.drop("place")
    ones = (
        items.filter(twice)
        .group_by(key, maintain_order=True)
        .agg(
            pl.col("place", "name", "price_scale").first(),
            pl.col("quantity", "discount").sum(),
            total=_total_of_merged(),
            given=pl.col("given").any(),
            merged=pl.len() > 1,
        )
    )
    apart = items.filter(~twice)
    ones = ones.with_columns(unit_price=_price_of_merged())
    return pl.concat([apart, ones.select(apart.columns)]).sort("place").drop("place")


def with_sums(orders: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Add up each order; `beyond` is the discount on top of the items' own."""
    sums = items.group_by("order", maintain_order=True).agg(
        pl.col("merged").any(),
        # Many large lines may go beyond 64 bits together; they are refused, not wrapped round.
        subtotal=pl.col("total").cast(pl.Int128).sum(),
        own=pl.col("discount").cast(pl.Int128).sum(),
        most=pl.col("quantity").max(),
    )
    nothing = pl.lit(0, pl.Int64)
    stated = pl.col("discount") - pl.col("own")
    summed = orders.hstack(sums.drop("order")).with_columns(
        pl.col("shipping", "tax", "tax_included").fill_null(nothing),
        beyond=pl.coalesce("discount_beyond_items", stated, nothing),
        disagrees=(stated != pl.col("discount_beyond_items")) | (stated < 0),
    )
    discount = pl.col("own") + pl.col("beyond")
    return summed.with_columns(discount=discount, total=pl.col("subtotal") - discount + pl.col("shipping") + pl.col("tax"))


def judge_sums(orders: pl.DataFrame, faults: Faults) -> None:
    """Refuse orders whose amounts contradict each other or, together, are more than an amount may be."""
    too_much = pl.col("discount") > pl.col("subtotal")
    beyond = pl.col("discount_beyond_items").is_not_null()
    largest = pl.max_horizontal("subtotal", "total") * pl.col("price_scale")
    for code, column, broken in (
        ("discount_mismatch", "discount", pl.col("disagrees")),
        ("discount_too_large", "discount_beyond_items", too_much & beyond),
        ("discount_too_large", "discount", too_much & ~beyond),
        ("total_too_large", "unit_price", largest >= LIMIT_UNITS),
        ("quantity", "quantity", pl.col("most") > LIMIT_QUANTITY),
    ):
        faults.of(code, column, orders.filter(broken).get_column("order"))


def paid(orders: pl.DataFrame) -> pl.DataFrame:
    """Fill in what the file does not say of the payment: its state from the amounts, or the amounts from its state."""
    paid, refunded, total = pl.col("paid"), pl.col("refunded"), pl.col("total")
    state = (
        pl.when(refunded >= pl.coalesce(paid, total), refunded > 0)
        .then(pl.lit("refunded"))
        .when(refunded > 0)
        .then(pl.lit("partially_refunded"))
        .when(paid >= total)
        .then(pl.lit("paid"))
        .when(paid > 0)
        .then(pl.lit("partially_paid"))
        .otherwise(pl.lit("unpaid"))
    )
    settled = pl.col("payment").is_in(["paid", "partially_refunded", "refunded"])
    whole = orders.with_columns(pl.col("subtotal", "discount", "total", "beyond").cast(pl.Int64))
    stated = whole.with_columns(pl.coalesce("payment", state))
    received = stated.with_columns(pl.coalesce("paid", pl.when(settled).then(total).otherwise(0)))
    return received.with_columns(pl.coalesce("refunded", pl.when(pl.col("payment") == "refunded").then(paid).otherwise(0)))


def discounted(orders: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Share what is taken off beyond the items' own discounts over what is left of them."""
    if not (orders.get_column("beyond") > 0).any():
        return items
    due = items.select("order", "total", "discount").join(
        orders.select("order", "beyond"), on="order", how="left", maintain_order="left"
    )
    own = due.get_column("discount")
    shares = discounts.shares(due.get_column("beyond"), weights=due.get_column("total") - own, order=due.get_column("order"))
    return items.with_columns((own + shares).alias("discount"))


def _total_of_merged() -> pl.Expr:
    """Round once for all pieces; where the file gives totals, they are facts and add up."""
    pieces = pl.col("quantity").sum().cast(pl.Int128) * pl.col("unit_price").first()
    computed = half_up(pieces, pl.col("price_scale").first())
    facts = pl.col("total").cast(pl.Int128).sum()
    total = pl.when(pl.col("given").any()).then(facts).otherwise(computed)
    # What is more than an amount may be is refused with the sums; until then it must fit 64 bits.
    return pl.min_horizontal(total, pl.lit(LIMIT_UNITS, pl.Int128)).cast(pl.Int64)


def _price_of_merged() -> pl.Expr:
    """Derive the unit price anew where roundings of given totals have added up beyond what one line may be off."""
    off = pl.col("quantity") * pl.col("unit_price") - pl.col("total") * pl.col("price_scale")
    within = 2 * off.abs() <= pl.max_horizontal("price_scale", "quantity")
    derived = half_up(pl.col("total") * pl.col("price_scale"), pl.col("quantity"))
    return pl.when(within).then("unit_price").otherwise(derived)
