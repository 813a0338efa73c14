"""Builders for tests of imports: a format whose columns are the canonical ones, and batches of a few lines."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from ordermill.imports.assemble import build_batch
from ordermill.imports.batch import Batch
from ordermill.imports.formats import Sample
from ordermill.imports.model import Defaults, Reject, Rules

# One good line; tests say only what matters to them.
LINE: Mapping[str, str] = {
    "number": "1001",
    "currency": "EUR",
    "customer_email": "ada@example.com",
    "placed_at": "2026-11-22T10:00:00Z",
    "sku": "TEA-1",
    "name": "Tea",
    "quantity": "2",
    "unit_price": "4.50",
}


class Plain:
    """A format whose files have canonical columns; an empty field says nothing."""

    name = "plain"
    title = "Canonical columns"
    kind: Literal["csv", "jsonl"] = "csv"
    channel = "plain"

    def recognises(self, sample: Sample) -> bool:
        return sample.kind == "csv"

    def missing(self, columns: Sequence[str]) -> list[str]:
        return [name for name in ("number",) if name not in columns]

    def key(self, columns: Sequence[str], *, channel: str) -> pl.Expr:
        return pl.col("number")

    def read(self, raw: pl.DataFrame) -> pl.DataFrame:
        said = [pl.when(pl.col(name) != "").then(name).alias(name) for name in raw.columns if name not in {"_line", "_raw"}]
        return raw.select("_line", *said)

    def advice(self) -> Mapping[str, str]:
        return {}

    def source_names(self, columns: Sequence[str]) -> dict[str, str]:
        return {column: column.replace("_", " ").title() for column in columns}


class PlainDocuments(Plain):
    """Its like for JSON lines: a record has one item for each SKU of its `skus`, none where that is empty."""

    kind: Literal["csv", "jsonl"] = "jsonl"

    def read(self, raw: pl.DataFrame) -> pl.DataFrame:
        skus = pl.col("skus").str.split(" ")
        return super().read(raw.with_columns(sku=skus).explode("sku").drop("skus")).filter(pl.col("sku").is_not_null())


def line(**differences: str | None) -> dict[str, str]:
    """Return the good line with some columns changed; None leaves a column empty."""
    return {**LINE, **{column: value or "" for column, value in differences.items()}}


def batch(
    *lines: Mapping[str, str],
    fmt: Plain | None = None,
    defects: Mapping[int, str] | None = None,
    timezone: str = "UTC",
    currency: str = "EUR",
    **rules: Any,
) -> Batch:
    """
    Make a batch of lines, the first of them being line 2 of its file.

    Args:
        defects: codes by position in `lines`, for records that are malformed.
    """
    columns = list(dict.fromkeys(column for row in lines for column in row))
    values = {column: [row.get(column, "") for row in lines] for column in columns}
    raw = pl.DataFrame(values, schema=dict.fromkeys(columns, pl.String)).with_columns(
        _line=pl.int_range(2, pl.len() + 2, dtype=pl.UInt32),
        _raw=pl.Series([",".join(row.values()) for row in lines], dtype=pl.String),
        _defect=pl.Series([(defects or {}).get(index) for index in range(len(lines))], dtype=pl.String),
        _key=pl.when(pl.col("number") != "").then("number") if "number" in columns else pl.lit(None, pl.String),
    )
    defaults = Defaults(channel="plain", currency=currency, timezone=timezone, rules=Rules(**rules))
    return build_batch(0, raw, fmt or Plain(), defaults=defaults, file="orders.csv")


def refusal(made: Batch) -> Reject:
    """Return the only refusal, having seen that nothing was accepted."""
    assert (made.orders.height, made.items.height, made.lines.height) == (0, 0, 0)
    (reject,) = made.rejects
    return reject
