"""
The first, cheap pass over a file: what it is, how long it is, and which orders have lines that lie apart.

It sees to it that a file is readable to its end before anything of it is loaded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from ordermill.imports.source import Reading, Source
from ordermill.kit.errors import Invalid

ORDER_LIMIT: Final = 100_000  # lines; an order is held in memory whole, and the longest of a real shop had 1,114

_SEED: Final = 0  # both passes must give a key the same hash
_RUNS: Final = {"hash": pl.UInt64, "lines": pl.UInt32}

Blocks = Callable[[Reading], Iterator[pl.DataFrame]]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Scan:
    """
    What the first pass found.

    `apart` holds the sorted hashes of the keys whose lines lie apart, and `apart_lines` counts their lines.
    Now and then another key has the same hash: its lines are then held aside as well, which does no harm.
    """

    sha256: str  # of the bytes as stored
    size: int  # bytes as stored
    records: int
    lines: int
    apart: pl.Series
    apart_lines: int


class Keys:
    """
    The keys of a file's records, block by block and in order.

    A record without a key is an order of its own, and its key is null. A defective record is given the key that its
    neighbours make likely: no order may be loaded without it. Counted from the left and from the right it may name
    two orders; it belongs to the one beside it, else to the one told from the left, and where none can be told to
    the record before it.

    Args:
        from_the_right: the columns of records counted from their ends, `Table.from_the_right`.
    """

    def __init__(self, key: pl.Expr | None, *, from_the_right: Callable[[pl.Series], pl.DataFrame] | None = None) -> None:
        self.known = key is not None
        self._key = pl.lit(None, pl.String) if key is None else key.cast(pl.String)
        self._from_the_right = from_the_right
        self._last: str | None = None

    def of(self, block: pl.DataFrame) -> pl.Series:
        """Return the keys of the next block."""
        own = pl.col("_key")
        # "" stands for "surely no key" here, and null for "as the record before".
        told = pl.when(own != "").then(own).when(pl.col("_defect").is_null()).then(pl.lit(""))
        keys = _composed(block.select("_defect", self._key.alias("_key")).select(told).to_series())
        if self.known and self._from_the_right is not None and block["_defect"].null_count() < len(block):
            keys = self._by_neighbours(block, keys, self._from_the_right)
        if keys.null_count():
            before = pl.Series("_key", [self._last or ""])
            keys = pl.concat([before, keys]).fill_null(strategy="forward").slice(1)
        if len(keys):
            self._last = keys[-1]
        return keys.to_frame().select(pl.when(own != "").then(own).alias("_key")).to_series()

    def _by_neighbours(
        self, block: pl.DataFrame, left: pl.Series, from_the_right: Callable[[pl.Series], pl.DataFrame]
    ) -> pl.Series:
        rows = block["_defect"].is_not_null().arg_true()
        realigned = from_the_right(block["_raw"].gather(rows))
        right = _composed(realigned.select(self._key.alias("_key")).to_series())
        sound = left.clone().scatter(rows, None)  # in place, and the left ones are needed yet
        before = pl.concat([pl.Series("_key", [self._last], dtype=pl.String), sound]).fill_null(strategy="forward")
        after = sound.fill_null(strategy="backward")
        chosen = [
            _likely(left[row], other, neighbours=(before[row], after[row])) for row, other in zip(rows, right, strict=True)
        ]
        return left.clone().scatter(rows, pl.Series(chosen, dtype=pl.String))


def _likely(left: str | None, right: str | None, *, neighbours: tuple[str | None, str | None]) -> str | None:
    """Return which of two readings of a defective record's key to believe."""
    told = {key.strip('" ') for key in (left, right) if key}
    return next((key for key in neighbours if key in told), left)


def _composed(keys: pl.Series) -> pl.Series:
    """Return keys in the normal form that the book compares numbers in; in most files they are that already."""
    if (keys.str.len_bytes() == keys.str.len_chars()).all():
        return keys
    return keys.str.normalize("NFC")


def hashed(keys: pl.Series) -> pl.Series:
    """Return one UInt64 for each key, the same in every pass."""
    return keys.hash(_SEED)


def scan(source: Source, blocks: Blocks, *, keys: Keys, progress: Progress = lambda _: None) -> Scan:
    """
    Read a file once to its end.

    `blocks` is `Table.blocks`, asked for the key's columns only, or `Documents.blocks`; `progress` is told the
    number of stored bytes read so far.

    Raises:
        Invalid: the text cannot be read, or a single order is longer than `ORDER_LIMIT` (`order_too_long`).
        Unavailable: the file cannot be read, or was changed meanwhile.
    """
    runs = _Runs()
    records = 0
    with source.reading() as reading:
        for block in blocks(reading):
            records += len(block)
            if keys.known:
                runs.add(keys.of(block))
            progress(reading.position)
        apart, apart_lines, longest = runs.apart()
        if longest > ORDER_LIMIT:
            raise Invalid(
                f"More than {ORDER_LIMIT:,} records of {source.name!r} belong to one order or cannot be told apart from it; "
                "is the order's number really in the column it is read from?",
                code="order_too_long",
                details={"file": source.name, "records": longest},
            )
        return Scan(reading.sha256, source.size, records, reading.lines, apart, apart_lines)


class _Runs:
    """Stretches of equal keys: twelve bytes are kept of each, so that memory hardly grows with the file."""

    def __init__(self) -> None:
        self._ended: list[pl.DataFrame] = []
        self._open: tuple[str, int] | None = None  # the last key, and how many lines it has so far

    def add(self, keys: pl.Series) -> None:
        runs = keys.rle().struct.unnest()
        if self._open is not None:
            key, lines = self._open
            before = pl.DataFrame({"len": [lines], "value": [key]}, schema=runs.schema)
            if runs["value"][0] == key:
                before = before.with_columns(len=pl.lit(lines + runs["len"][0], runs.schema["len"]))
                runs = runs.slice(1)
            runs = pl.concat([before, runs])
        lines, key = runs.row(-1)
        self._open = None if key is None else (key, lines)
        self._end(runs.head(-1))

    def _end(self, runs: pl.DataFrame) -> None:
        runs = runs.filter(pl.col("value").is_not_null())
        self._ended.append(pl.DataFrame({"hash": hashed(runs["value"]), "lines": runs["len"]}, schema=_RUNS))

    def apart(self) -> tuple[pl.Series, int, int]:
        """Return the sorted hashes that more than one run has, the lines of those, and the lines of the longest order."""
        if self._open is not None:
            key, lines = self._open
            self._end(pl.DataFrame({"len": [lines], "value": [key]}))
        runs = pl.concat([pl.DataFrame(schema=_RUNS), *self._ended]).sort("hash")
        self._ended.clear()
        hashes = runs["hash"]
        # Sums by differences of running totals, since grouping millions of keys would take several times their memory.
        first = hashes.ne_missing(hashes.shift(1)).arg_true()
        runs_of = _between(first, len(runs))
        before = pl.concat([pl.Series([0]), runs["lines"].cast(pl.Int64).cum_sum()])
        lines_of = _between(before.gather(first), before[-1])
        split = runs_of > 1
        return hashes.gather(first).filter(split), int(lines_of.filter(split).sum()), max(lines_of.top_k(1), default=0)


def _between(starts: pl.Series, end: int) -> pl.Series:
    """Return the distances from each start to the next, and from the last to the end."""
    return pl.concat([starts.cast(pl.Int64), pl.Series([end])]).diff().slice(1)


def among(hashes: pl.Series, chosen: pl.Series) -> pl.Series:
    """Say of each hash whether it is in `chosen`, which is sorted: by bisection, as `is_in` would hash all of it each time."""
    if chosen.is_empty():
        return pl.repeat(False, len(hashes), eager=True)
    at = chosen.search_sorted(hashes).clip(upper_bound=len(chosen) - 1)
    return chosen.gather(at) == hashes
