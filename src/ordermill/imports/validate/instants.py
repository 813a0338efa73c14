"""
Moments as files write them: ISO 8601 with its usual liberties, to aware UTC.

    2025-12-06T10:36:17+01:00   2025-12-06 10:36:17 -0500   2025-12-06T10:36:17.123Z   2025-12-06 10:36   2025-12-06

Without an offset a moment is a local time of the run's zone. One that a change of the clocks makes happen twice
is the first of the two; one that never was is moved forward by the length of the gap, and counted.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from ordermill.imports.batch import MOMENT

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)

# Polars' parser is lenient ("2025-1-6", second 60), so the form is looked at first.
_SHAPE = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?: ?(?:Z|UTC|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?))?)?$"
)
_TO_THE_SECOND: Final = 19  # length of "2025-12-06 10:36:17"
_DATE: Final = 10


@dataclass(frozen=True, slots=True)
class Moments:
    """`values` are null where a text is none or unreadable; `nonexistent` marks those that were moved forward."""

    values: pl.Series
    nonexistent: pl.Series


def read(texts: pl.Series, *, zone: str) -> Moments:
    """Read a column of moments; a text without an offset is a local time of `zone`."""
    nothing = pl.repeat(False, len(texts), dtype=pl.Boolean, eager=True)
    if texts.null_count() == len(texts):
        return Moments(texts.cast(MOMENT), nothing)
    shaped = texts.str.contains(_SHAPE)
    full = _to_the_second(texts if shaped.all() else texts.set(~shaped, None))
    clock = _clock(full.str.slice(0, _TO_THE_SECOND))
    ending = full.str.slice(_TO_THE_SECOND)
    if ending.str.starts_with(".").any():
        clock = clock + _fraction(ending)
        ending = ending.str.replace(r"^\.[0-9]+", "")
    offset = _offsets(ending)
    aware = (clock - offset).dt.replace_time_zone("UTC")
    naive = offset.is_null() & clock.is_not_null()
    if not naive.any():
        return Moments(aware, nothing)
    local = _localised(clock.set(~naive, None), zone)
    return Moments(aware.zip_with(~naive, local.values), local.nonexistent)


def out_of_range(moments: pl.Series) -> pl.Series:
    """Mark moments that no shop's order can have: they are slips of the pen or of a spreadsheet."""
    return (moments < EARLIEST) | (moments >= LATEST)


def _to_the_second(texts: pl.Series) -> pl.Series:
    """Fill in what a shortened moment leaves out: midnight, the full minute."""
    lengths = texts.str.len_bytes()
    short = (lengths < _TO_THE_SECOND) | (texts.str.slice(_TO_THE_SECOND - 3, 1) != ":")
    if not short.any():
        return texts
    minutes = texts.str.slice(0, 16) + ":00" + texts.str.slice(16)
    filled = texts.zip_with(lengths != _DATE, texts + "T00:00:00")
    return filled.zip_with(~(short & (lengths > _DATE)), minutes)


def _clock(texts: pl.Series) -> pl.Series:
    """Read "2025-12-06T10:36:17", with a T or a space, as it stands on the clock."""
    read = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    if read.null_count() > texts.null_count():
        read = read.fill_null(texts.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us"))
    return read


def _fraction(endings: pl.Series) -> pl.Series:
    digits = endings.str.extract(r"^\.([0-9]{1,6})").fill_null("0")
    return digits.str.pad_end(6, "0").cast(pl.Int64).cast(pl.Duration("us"))


def _offsets(endings: pl.Series) -> pl.Series:
    """Return offsets from UTC; null for a local time. A file has few different ones, so each is read once."""
    found = {ending: _offset(ending.strip()) for ending in endings.drop_nulls().unique().to_list()}
    return endings.replace_strict(found, default=None, return_dtype=pl.Int64).cast(pl.Duration("us"))


def _offset(text: str) -> int | None:
    if text in {"", "Z", "UTC"}:
        return None if not text else 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-minutes if text[0] == "-" else minutes) * 60_000_000


def _localised(clock: pl.Series, zone: str) -> Moments:
    """Place clock times in `zone`."""
    placed = clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    nonexistent = placed.is_null() & clock.is_not_null()
    if nonexistent.any():
        # fold=0 in a gap takes the offset from before it: the clock time moves forward by the gap's length.
        moved = {time: time.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for time in clock.filter(nonexistent).unique()}
        placed = placed.fill_null(clock.replace_strict(moved, default=None, return_dtype=MOMENT))
    return Moments(placed, nonexistent)
