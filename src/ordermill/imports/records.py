"""
Where each record of a CSV text ends, which physical line it starts on, and what is malformed.

Physical lines that are whole records are recognised a block at a time; only lines with doubtful quotes
are looked at one by one. What they give depends on the text alone, never on where its blocks end:

- Quotes may hold line feeds, so a record may go over several physical lines.
- A malformed record is a defect of its own physical line, and reading goes on with the next line:
  a quote that is never closed costs one line and not the rest of the file.
- So does a quote whose closing would give a record with the wrong number of columns, or too long a field,
  and swallow a line that is a good record by itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from ordermill.imports.grammar import Grammar
from ordermill.kit.errors import Invalid

BLOCK: Final = 3 << 20  # bytes of text; per line, validation costs a fifth less than at 2 MiB, and 4 MiB need 400 MB of memory
FIELD_LIMIT: Final = 131_072  # characters; the csv module's limit, so that what is exported here is read elsewhere
RECORD_LIMIT: Final = 1 << 20  # bytes in which a record that goes over several lines must end
LINE_LIMIT: Final = 16 << 20  # bytes of one physical line; the largest order as one JSON document is far below

Defect = Literal["unterminated_quote", "malformed_quote", "wrong_column_count", "field_too_long"]

ROWS: Final = {"_line": pl.UInt32, "_raw": pl.String, "_defect": pl.String}


@dataclass(frozen=True, slots=True)
class Cut:
    """
    The records of one block.

    `rows` has `_line`, `_raw` (without its line end) and `_defect` (null: none). `clean` is the text of
    the records without a defect, in the same order, each with a line end: fit for any CSV reader.
    """

    rows: pl.DataFrame
    clean: bytes


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a doubtful physical line turned out to be."""

    index: int  # in its block
    lines: int  # how many physical lines are one record
    raw: str
    defect: Defect | None


def whole_lines(chunks: Iterable[bytes], *, name: str, block_bytes: int = BLOCK) -> Iterator[bytes]:
    """
    Gather text into blocks of whole physical lines, of about `block_bytes`; the last line is given a line end.

    Raises:
        Invalid: `line_too_long`, for a file that is not made of lines.
    """
    held = b""
    for chunk in chunks:
        held += chunk
        while len(held) >= block_bytes:
            end = held.rfind(b"\n", 0, block_bytes) + 1 or held.find(b"\n", block_bytes) + 1
            if not end:
                break
            yield held[:end]
            held = held[end:]
        if len(held) > max(LINE_LIMIT, block_bytes):
            raise Invalid(
                f"{name!r} has a line of more than {LINE_LIMIT >> 20} MiB; it is not a file of orders.",
                code="line_too_long",
                details={"file": name},
            )
    if held:
        yield held if held.endswith(b"\n") else held + b"\n"


class Cutter:
    """Cuts one CSV text into records of `width` columns; `line` is the number of its first physical line, from 1."""

    def __init__(self, grammar: Grammar, *, width: int, line: int) -> None:
        self._grammar = grammar
        self._width = width
        self._good = grammar.good(width)
        self._good_within = grammar.good_within(width)
        self._line = line
        self._held = b""

    def cut(self, blocks: Iterable[bytes]) -> Iterator[Cut]:
        """Cut blocks of whole physical lines; a record that goes over a block's end belongs to the next block."""
        ahead = b""
        for block in blocks:
            if ahead:
                yield self._cut(self._held + ahead, last=False)
            ahead = block
        if ahead:
            yield self._cut(self._held + ahead, last=True)

    def _cut(self, text: bytes, *, last: bool) -> Cut:
        raw = pl.read_lines(text, name="_raw").to_series()
        fits, doubtful = self._looked_over(raw, quotes=b'"' in text)
        verdicts, taken, end = self._judged(text, raw, doubtful, last=last)
        line = pl.int_range(self._line, self._line + len(raw), dtype=pl.UInt32, eager=True)
        defect = pl.select(pl.when(~fits).then(pl.lit("wrong_column_count"))).to_series()
        rows = _with_verdicts(pl.DataFrame({"_line": line, "_raw": raw, "_defect": defect}, schema=ROWS).head(taken), verdicts)
        text, self._held = text[:end], text[end:]
        self._line += taken
        records = rows.filter(pl.col("_raw") != "")
        if len(records) == len(rows) and not records["_defect"].count():
            return Cut(records, text)
        clean = records.filter(pl.col("_defect").is_null())["_raw"]
        return Cut(records, "".join(f"{record}\n" for record in clean).encode())

    def _looked_over(self, raw: pl.Series, *, quotes: bool) -> tuple[pl.Series, list[int]]:
        """Say of each line whether it is a record of the right width, and which lines must be judged one by one."""
        doubtful = raw.str.len_bytes() > FIELD_LIMIT
        if quotes:
            fits = raw.str.contains(self._good)
            others = (~fits).arg_true()
            unsound = ~raw.gather(others).str.contains(self._grammar.sound)
            doubtful = doubtful.scatter(others.filter(unsound), True)
        else:
            fits = raw.str.count_matches(self._grammar.delimiter, literal=True) == self._width - 1
        return fits, doubtful.arg_true().to_list()

    def _judged(self, text: bytes, raw: pl.Series, doubtful: list[int], *, last: bool) -> tuple[list[_Verdict], int, int]:
        """Return the verdicts, and where the block's last complete record ends: in lines and in bytes."""
        verdicts: list[_Verdict] = []
        if not doubtful:
            return verdicts, len(raw), len(text)
        following = 0
        for index, start in zip(doubtful, _starts(text, raw, doubtful), strict=True):
            if index < following:
                continue  # within the quotes of the record before
            verdict = self._judge(text, index, start, last=last)
            if verdict is None:
                return verdicts, index, start
            verdicts.append(verdict)
            following = index + verdict.lines
        return verdicts, len(raw), len(text)

    def _judge(self, text: bytes, index: int, start: int, *, last: bool) -> _Verdict | None:
        """Judge the physical line that starts there; None when only the text that follows can tell."""
        next_line = text.index(b"\n", start) + 1
        bound = max(next_line, min(len(text), start + RECORD_LIMIT))
        one_line = _without_line_end(text[start:next_line].decode())
        record = self._grammar.record.match(text, start, bound)
        if record is None:
            if not self._grammar.open_quote.match(text, start, bound):
                return _Verdict(index, 1, one_line, "malformed_quote")
            if bound == len(text) and not last:
                return None
            return _Verdict(index, 1, one_line, "unterminated_quote")
        raw = _without_line_end(record[0].decode())
        lines = text.count(b"\n", start, record.end())
        defect = self._defect(raw)
        if defect and lines > 1 and self._good_within.search(text, next_line, record.end()):
            return _Verdict(index, 1, one_line, "unterminated_quote")
        return _Verdict(index, lines, raw, defect)

    def _defect(self, record: str) -> Defect | None:
        fields = self._grammar.fields(record)
        if len(fields) != self._width:
            return "wrong_column_count"
        return "field_too_long" if max(map(len, fields)) > FIELD_LIMIT else None


def _starts(text: bytes, raw: pl.Series, at: list[int]) -> list[int]:
    """Return the byte offsets of some of the physical lines."""
    # Where a line had a CR, `raw` has lost it.
    length = pl.Series(list(map(len, text.split(b"\n")))) if b"\r" in text else raw.str.len_bytes()
    taken = length.cast(pl.Int64) + 1
    return (taken.cum_sum() - taken).gather(at).to_list()


def _with_verdicts(rows: pl.DataFrame, verdicts: list[_Verdict]) -> pl.DataFrame:
    if not verdicts:
        return rows
    at = [verdict.index for verdict in verdicts]
    raw = rows["_raw"].scatter(at, [verdict.raw for verdict in verdicts])
    defect = rows["_defect"].scatter(at, pl.Series([verdict.defect for verdict in verdicts], dtype=pl.String))
    own = pl.repeat(True, len(rows), eager=True)  # the line begins a record
    within = [line for verdict in verdicts for line in range(verdict.index + 1, verdict.index + verdict.lines)]
    own = own.scatter(within, False)
    return rows.with_columns(raw, defect).filter(own)


def _without_line_end(record: str) -> str:
    return record.removesuffix("\n").removesuffix("\r")
