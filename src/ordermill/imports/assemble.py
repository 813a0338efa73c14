"""
Lines become orders: judged, totalled, fingerprinted, repeated orders set aside, and a batch made of the rest.

`build_batch` is the whole way from the records of whole orders to a batch that is ready to load.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from ordermill.imports import totals
from ordermill.imports.batch import ITEMS, LINES, ORDERS, Batch
from ordermill.imports.fingerprint import fingerprints
from ordermill.imports.formats import Format
from ordermill.imports.model import Defaults, Money, Reject, Tally
from ordermill.imports.validate import Judged, judge
from ordermill.imports.validate.lines import Lines
from ordermill.imports.validate.orders import ADJUSTMENTS
from ordermill.imports.validate.reasons import Faults, Words, count, rejects

DUPLICATE: Final = "duplicate"  # an order that says again what an earlier one of its identity said


@dataclass(frozen=True, slots=True)
class _Book:
    """Orders and their items, both sorted by `order`, the order's number in the file."""

    orders: pl.DataFrame
    items: pl.DataFrame

    def without(self, refused: pl.Series) -> "_Book":
        if not len(refused):
            return self
        stays = ~pl.col("order").is_in(refused.implode())
        return _Book(self.orders.filter(stays), self.items.filter(stays))


def build_batch(index: int, raw: pl.DataFrame, fmt: Format, *, defaults: Defaults, file: str) -> Batch:
    """
    Judge the records of whole orders and make a batch of them.

    Args:
        raw: `_line` (UInt32), `_raw`, `_defect` and `_key` (String; lines of an equal key are one order, wherever
            they stand; null: an order of its own; each JSON record is one), and the file's own columns for `fmt.read`.
        file: its name, for the examples of the reasons.
    """
    lines = Lines.of(raw, fmt)
    judged = judge(lines, defaults=defaults)
    book = _assembled(judged, merge=defaults.rules.merge)
    repeated = _repeated(book.orders, judged.faults)
    book = book.without(pl.concat([judged.faults.orders, repeated]))
    names = fmt.source_names([column for column in raw.columns if not column.startswith("_")])
    refused = rejects(judged.faults, words=Words(names, fmt.advice()))
    orders, items, records = _numbered(book, lines.records)
    tally = _tally(book.orders, lines, refused, file=file)
    if len(repeated):
        tally.orders["read"] -= len(repeated)
        tally.adjustments[DUPLICATE] = len(repeated)
    return Batch(index, orders, items, records, refused, tally)


def _assembled(judged: Judged, *, merge: bool) -> _Book:
    """Make orders of what has no fault so far; find what shows only in the sums."""
    faults = judged.faults
    book = _Book(judged.orders, judged.items).without(faults.orders)
    items = totals.merged(book.items) if merge else book.items.with_columns(merged=pl.lit(False))
    orders = totals.with_sums(book.orders, items)
    totals.judge_sums(orders, faults)
    book = _Book(orders, items).without(faults.orders)
    orders = totals.paid(book.orders)
    items = totals.discounted(orders, book.items)
    return _Book(orders.with_columns(fingerprints(orders, items)), items)


def _repeated(orders: pl.DataFrame, faults: Faults) -> pl.Series:
    """Return orders that say again what an earlier one of the same identity said; refuse those that say otherwise."""
    same = pl.Series("order", [], dtype=pl.UInt32)
    for identity in ("number", "external_id"):
        key = ("channel", identity)
        named = orders.filter(pl.col(identity).is_not_null())
        again = named.filter(~pl.struct(key).is_first_distinct())
        if not again.height:
            continue
        first = named.unique(key, keep="first").select(*key, first="fingerprint")
        compared = again.join(first, on=key, how="left")
        equal = pl.col("fingerprint") == pl.col("first")
        same = same.append(compared.filter(equal).get_column("order"))
        faults.of("duplicate_order", identity, compared.filter(~equal).get_column("order"))
    return same.unique()


def _numbered(book: _Book, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Bring orders, items and the records they come from to the columns of the model, numbered from 0 in this batch."""
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    number = book.orders.get_column("order")
    extent = records.group_by("order", maintain_order=True).agg(
        first_line=pl.col("_line").first(), line_count=pl.len().cast(pl.UInt32)
    )
    orders = book.orders.hstack(extent.drop("order")[number]).with_columns(row=row)
    rows = pl.repeat(None, len(extent), dtype=pl.UInt32, eager=True).scatter(number, orders.get_column("row"))
    first = pl.when(pl.col("order").ne_missing(pl.col("order").shift(1))).then(row).forward_fill()
    items = book.items.with_columns(position=row - first + 1)
    items = items.with_columns(rows.gather(items.get_column("order")).alias("order"))
    lines = records.select(rows.gather(records.get_column("order")).alias("order"), line="_line", raw="_raw")
    return _as(ORDERS, orders), _as(ITEMS, items), _as(LINES, lines.drop_nulls("order"))


def _as(schema: dict[str, pl.DataType | type[pl.DataType]], frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(column).cast(dtype) for column, dtype in schema.items())


def _tally(orders: pl.DataFrame, lines: Lines, refused: list[Reject], *, file: str) -> Tally:
    """Count what was read, refused, merged and adjusted, and sum the money; what is new or known only the store can say."""
    tally = Tally(money=_money(orders), reasons=count(refused, file=file))
    tally.orders |= {"read": lines.orders, "rejected": len(refused), "merged": int(orders.get_column("merged").sum())}
    rejected = sum(len(reject.lines) for reject in refused)
    tally.lines = {"read": lines.records.height, "accepted": lines.records.height - rejected, "rejected": rejected}
    tally.customers["guests"] = orders.get_column("customer_email").null_count()
    adjusted = {name: int(orders.get_column(name).sum()) for name in ADJUSTMENTS}
    tally.adjustments = {name: times for name, times in adjusted.items() if times}
    return tally


def _money(orders: pl.DataFrame) -> dict[str, Money]:
    difference = pl.col("total") - pl.col("source_total")
    sums = orders.group_by("currency").agg(
        total=pl.col("total").cast(pl.Int128).sum(),
        source_total=pl.col("source_total").cast(pl.Int128).sum(),
        difference=difference.cast(pl.Int128).sum(),
    )
    return {currency: Money(*amounts) for currency, *amounts in sums.sort("currency").iter_rows()}
