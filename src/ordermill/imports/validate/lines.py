"""
The lines of a batch, those of one order side by side, and what an order says where its lines differ.

    records   what stands in the file: `order`, `_line`, `_raw`, `_defect`; one row per record
    frame     what the format makes of it: `order`, `_line`, canonical columns; a JSON record gives a row per item
"""

from dataclasses import dataclass
from typing import Self

import polars as pl

from ordermill.imports.columns import ITEM, MISSHAPEN, ORDER, REFUSED
from ordermill.imports.formats import Format
from ordermill.imports.validate import texts


@dataclass(frozen=True, slots=True)
class Lines:
    """
    Orders are numbered from 0 in the order in which they begin in the file.

    `first` is the row each begins on, and `said` what each says in the columns of `columns.ORDER` that the file
    fills: what its first line with a value says. `controls`: whether some of that may not be stored.
    """

    records: pl.DataFrame
    frame: pl.DataFrame
    first: pl.Series
    said: pl.DataFrame
    controls: bool
    _rows: dict[str, pl.Series]  # where another line than the first says it

    @classmethod
    def of(cls, raw: pl.DataFrame, fmt: Format) -> Self:
        """Number the orders of `raw`, put their lines side by side and let the format name the columns."""
        ordered = _in_order(raw, alone=fmt.kind == "jsonl")
        records = ordered.select(pl.col("_order").alias("order"), "_line", "_raw", "_defect")
        read = fmt.read(ordered.drop("_order", "_defect", "_key"))
        canonical = read.select("_line", *_filled(read, (*ORDER, *ITEM, REFUSED, MISSHAPEN)))
        if canonical.get_column("_line").equals(records.get_column("_line")):
            frame = canonical.with_columns(records.get_column("order"))
        else:
            # Every record keeps at least one row, or an order without items would vanish.
            frame = records.select("order", "_line").join(canonical, on="_line", how="left", maintain_order="left_right")
        order = frame.get_column("order")
        first = order.ne_missing(order.shift(1)).arg_true().cast(pl.UInt32)
        said, rows = _said(frame, first)
        tidied, controls = texts.tidied(said)
        return cls(records, frame, first, tidied, controls, rows)

    @property
    def orders(self) -> int:
        return len(self.first)

    def said_in(self, column: str) -> pl.Series | None:
        """Return what orders say in one column; None when none says anything."""
        return self.said.get_column(column) if column in self.said.columns else None

    def rows(self, column: str) -> pl.Series:
        """Return the row of the line that says what each order says in a column; its first, where none does."""
        return self._rows.get(column, self.first)

    def column(self, name: str) -> pl.Series | None:
        """Return a canonical column of the lines, or None when nothing is in it."""
        return self.frame.get_column(name) if name in self.frame.columns else None

    def spread(self, per_order: pl.Series) -> pl.Series:
        """Give each line its order's value."""
        return per_order.gather(self.frame.get_column("order"))


def _filled(frame: pl.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Return those columns that the frame has and that are not empty throughout."""
    return [column for column in columns if column in frame.columns and frame.get_column(column).null_count() < frame.height]


def _said(frame: pl.DataFrame, first: pl.Series) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """Return what each order's first line with a value says, and the row of that line where it is not the first."""
    stated = _filled(frame, ORDER)
    heads = frame.select(pl.col(stated).gather(first))
    rows: dict[str, pl.Series] = {}
    ends = first.shift(-1, fill_value=frame.height)
    for column in stated:
        values = frame.get_column(column)
        if heads.get_column(column).count() == values.count():
            continue
        if not heads.get_column(column).null_count():
            continue
        # The next row with a value, if it still belongs to the order.
        row = pl.when(pl.col(column).is_not_null()).then(pl.int_range(pl.len(), dtype=pl.UInt32)).backward_fill()
        after = frame.select(row.gather(first)).to_series()
        rows[column] = first.zip_with((after >= ends).fill_null(value=True), after)
        heads.replace_column(heads.get_column_index(column), values.gather(rows[column]).alias(column))
    return heads, rows


def _in_order(raw: pl.DataFrame, *, alone: bool) -> pl.DataFrame:
    """Add `_order` and sort by it, the file's order kept within; `alone` makes each record an order of its own."""
    if alone:
        return raw.with_columns(_order=pl.int_range(pl.len(), dtype=pl.UInt32))
    key = raw.get_column("_key")
    begins = key.ne_missing(key.shift(1)) | key.is_null()
    heads = key.filter(begins).drop_nulls()
    if heads.n_unique() == len(heads):
        return raw.with_columns(_order=begins.cum_sum().cast(pl.UInt32) - 1)
    # Lines of one order lie apart: sort by the row on which each order begins.
    numbered = raw.with_row_index("_row")
    begin = pl.when(pl.col("_key").is_null()).then("_row").otherwise(pl.col("_row").min().over("_key"))
    together = numbered.with_columns(_order=begin).sort("_order", "_row").drop("_row")
    return together.with_columns(pl.col("_order").rle_id())
