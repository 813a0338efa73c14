"""Addresses: nine parts in columns become the JSON object of PRODUCT.md section 4, or null where all parts are empty."""

import polars as pl

from ordermill.imports.columns import ADDRESS


def as_json(parts: pl.DataFrame, *, prefix: str) -> pl.Series:
    """Return one compact JSON object per row, its keys in the order of `columns.ADDRESS`."""
    columns = [f"{prefix}_{part}" for part in ADDRESS]
    if all(parts.get_column(column).null_count() == parts.height for column in columns):
        return pl.repeat(None, parts.height, dtype=pl.String, eager=True)
    address = pl.struct(pl.col(column).alias(part) for column, part in zip(columns, ADDRESS, strict=True))
    some = pl.any_horizontal(pl.col(column).is_not_null() for column in columns)
    return parts.select(pl.when(some).then(address.struct.json_encode())).to_series()
