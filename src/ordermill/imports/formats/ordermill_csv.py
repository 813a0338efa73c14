"""
Ordermill's own CSV: one row per item, an order's fields repeated on each, named as in `imports/columns.py`.

What `ordermill orders export` writes, and the plain form in which anyone may bring orders.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import polars as pl

from ordermill.imports import cells
from ordermill.imports import columns as columns_of
from ordermill.imports.formats import Sample

_KNOWN: Final = frozenset((*columns_of.ORDER, *columns_of.ITEM))


class OrdermillCsv:
    name = "ordermill-csv"
    title = "Ordermill CSV"
    kind: Literal["csv", "jsonl"] = "csv"
    channel = "ordermill"

    def recognises(self, sample: Sample) -> bool:
        return sample.kind == self.kind and not self.missing(sample.columns)

    def missing(self, columns: Sequence[str]) -> list[str]:
        """Return the columns without which a file is not of this format."""
        absent = [name for name in ("number", "sku", "quantity") if name not in columns]
        priced = "unit_price" in columns or "item_total" in columns
        return absent if priced else [*absent, "unit_price"]

    def key(self, columns: Sequence[str], *, channel: str) -> pl.Expr:
        number = cells.filled(pl.col("number"))
        if "channel" not in columns:
            return number
        return pl.concat_str([cells.filled(pl.col("channel")).fill_null(channel), number], separator="\x1f")

    def read(self, raw: pl.DataFrame) -> pl.DataFrame:
        guarded = _guarded(raw)
        cell = {name: cells.unguarded(pl.col(name)) if name in guarded else pl.col(name) for name in raw.columns}
        return raw.select(
            "_line", **{name: cells.nonempty(cell[source]) for name, source in self._sources(raw.columns).items()}
        )

    def advice(self) -> Mapping[str, str]:
        return {}

    def source_names(self, columns: Sequence[str]) -> dict[str, str]:
        return self._sources(columns)

    def _sources(self, present: Sequence[str]) -> dict[str, str]:
        sources = {name: name for name in present if name in _KNOWN}
        # An export always has `source_total`, and there an empty one means that the source gave none.
        # In other files of this form the order's `total` is the file's own.
        if "total" in present and "source_total" not in sources:
            sources["source_total"] = "total"
        return sources


def _guarded(raw: pl.DataFrame) -> set[str]:
    # Guards are rare and the check is twenty times cheaper than taking them off.
    found = raw.select(pl.selectors.string().str.starts_with("'").any())
    return {name for name in found.columns if found[name].item()}


FORMAT = OrdermillCsv()
