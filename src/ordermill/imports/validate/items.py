"""Judge what is one line's: product, quantity, price, the line's total and its own discount."""

from typing import Final

import polars as pl

from ordermill.imports.columns import ITEM
from ordermill.imports.validate import amounts, texts
from ordermill.imports.validate.lines import Lines
from ordermill.imports.validate.reasons import Faults

_TEXTS: Final = ("sku", "name")
_AMOUNTS: Final = ("unit_price", "item_total", "item_discount")


def read(lines: Lines, faults: Faults, *, scale: pl.Series) -> pl.DataFrame:
    """
    Judge every line's item.

    Args:
        scale: ten-thousandths in one minor unit of each order's currency.

    Returns:
        One row per line: `order`, the columns of `batch.ITEMS` but the position, and `given`: whether the file gives
        the line's total. What is at fault is null.
    """
    text = _texts(lines)
    labels = _labels(text.select(_TEXTS), faults)
    quantity = amounts.quantities(text.get_column("quantity"))
    without = _without_item(text.with_columns(labels.get_columns()), faults)
    if quantity.null_count():
        faults.in_rows("quantity", "quantity", quantity.is_null() & ~without)
    prices = _prices(text.select(_AMOUNTS), faults, without=without)
    read = labels.with_columns(
        pl.col("name").fill_null(pl.col("sku")),
        lines.frame.get_column("order"),
        quantity,
        *prices.get_columns(),
        price_scale=lines.spread(scale),
    )
    return _totalled(read, faults)


def _texts(lines: Lines) -> pl.DataFrame:
    """Return the canonical columns of items, null throughout where the file has none."""
    absent = [pl.lit(None, pl.String).alias(column) for column in ITEM if column not in lines.frame.columns]
    return lines.frame.with_columns(absent).select(ITEM)


def _labels(text: pl.DataFrame, faults: Faults) -> pl.DataFrame:
    """Bring SKU and name to the form in which they are kept."""
    labels, controls = texts.tidied(text)
    for column in labels.get_columns():
        faults.in_rows("text_too_long", column.name, texts.too_long(column, limit=texts.LIMITS[column.name]))
        if controls:
            faults.in_rows("control_character", column.name, column.str.contains(texts.CONTROLS))
    return labels.with_columns(texts.composed(labels.get_column("sku")))


def _without_item(text: pl.DataFrame, faults: Faults) -> pl.Series:
    """Mark lines that name nothing sold at all; where something is there, the SKU must be."""
    missing = text.get_column("sku").is_null()
    if not missing.any():
        return missing
    nothing = text.select(pl.all_horizontal(pl.all().is_null())).to_series()
    faults.in_rows("no_items", "sku", nothing)
    faults.in_rows("sku_missing", "sku", missing & ~nothing)
    return nothing


def _prices(text: pl.DataFrame, faults: Faults, *, without: pl.Series) -> pl.DataFrame:
    """Read the line's amounts in ten-thousandths."""
    units = amounts.units(text)
    for column in text.get_columns():
        for code, broken in amounts.faults(column, units.get_column(column.name)):
            faults.in_rows(code, column.name, broken)
    if text.get_column("unit_price").null_count() and text.get_column("item_total").null_count():
        priceless = text.get_column("unit_price").is_null() & text.get_column("item_total").is_null()
        faults.in_rows("unit_price_missing", "unit_price", priceless & ~without)
    return units


def _totalled(read: pl.DataFrame, faults: Faults) -> pl.DataFrame:
    """Bring each line's amounts to minor units: the given total is the fact, else quantity x unit price, half up."""
    quantity, price, scale = pl.col("quantity"), pl.col("unit_price"), pl.col("price_scale")
    # Looked at before they are multiplied, so that nothing overflows on the way.
    fits = price <= amounts.LIMIT_UNITS // quantity
    given = pl.col("item_total").is_not_null()
    fact, discount = pl.col("item_total"), pl.col("item_discount").fill_null(0)
    amounts_read = read.with_columns(
        fits=fits | given,
        given=given,
        exact_total=fact % scale == 0,
        exact_discount=discount % scale == 0,
        computed=amounts.half_up(pl.when(fits).then(quantity * price), scale),
        fact=fact // scale,
        discount=discount // scale,
    ).with_columns(total=pl.coalesce("fact", "computed"))
    faults.in_rows("amount_too_large", "unit_price", ~amounts_read.get_column("fits"))
    faults.in_rows("too_many_decimals", "item_total", ~amounts_read.get_column("exact_total"))
    faults.in_rows("too_many_decimals", "item_discount", ~amounts_read.get_column("exact_discount"))
    faults.in_rows(
        "item_discount_too_large", "item_discount", amounts_read.get_column("discount") > amounts_read.get_column("total")
    )
    return amounts_read.with_columns(unit_price=_unit_price()).select(
        "order", "sku", "name", "quantity", "unit_price", "price_scale", "total", "discount", "given"
    )


def _unit_price() -> pl.Expr:
    """Keep the given unit price where it makes the given total, else derive it from that."""
    derived = amounts.half_up(pl.col("total") * pl.col("price_scale"), pl.col("quantity"))
    kept = pl.col("computed").eq_missing(pl.col("total"))
    return pl.when(kept).then("unit_price").otherwise(derived)
