"""
A CSV file as blocks of columns: the header is understood, records become rows, defective ones stay among them.

Each block has `_line` (physical line, the header's being 1), `_raw` (the record's text), `_defect` (null,
or a code of `records.Defect`) and one String column per column of the file, "" where a field is empty.
A defective row holds what its delimiters suggest, from the left, so that its order can be told and refused
as a whole; where they do not reach, "".

The columns `_line` and `_reason`, which a rejects file puts before each record, are left out of everything.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from ordermill.imports.columns import ANNOTATIONS
from ordermill.imports.grammar import Grammar, declared_delimiter, delimiter_of, header_end
from ordermill.imports.records import BLOCK, FIELD_LIMIT, Cut, Cutter, whole_lines
from ordermill.imports.source import SAMPLE, Reading, Source
from ordermill.kit.errors import Invalid

# Names that the reading of a file gives to columns of its own; one in the file goes by its position.
RESERVED: Final = frozenset({"_raw", "_defect", "_key", "_order", "_row", "_file"})

_MARK: Final = "\ufeff".encode()


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file whose header has been read; `header` is its text, to be repeated above records handed back."""

    name: str
    columns: tuple[str, ...]
    header: str
    delimiter: str
    _names: tuple[str, ...]  # of all the file's columns, annotations too
    _begins: int  # bytes of text before the first record
    _line: int  # physical line on which the first record starts

    def blocks(
        self, reading: Reading, *, only: Sequence[str] | None = None, block_bytes: int = BLOCK
    ) -> Iterator[pl.DataFrame]:
        """Go through the records of the file, with all columns or `only` those wanted: the fewer, the faster."""
        grammar = Grammar(self.delimiter)
        wanted = [index for index, name in enumerate(self._names) if name in (self.columns if only is None else only)]
        cutter = Cutter(grammar, width=len(self._names), line=self._line)
        lines = whole_lines(_beyond(reading.text(), self._begins), name=self.name, block_bytes=block_bytes)
        annotated = self._names[: len(ANNOTATIONS)] == ANNOTATIONS
        for cut in cutter.cut(lines):
            frame = self._columns(cut, wanted, grammar)
            if annotated:
                raw = pl.col("_raw").str.replace(grammar.after(len(ANNOTATIONS)), "")
                frame = frame.with_columns(raw)
            if len(frame):
                yield frame

    def from_the_right(self, raw: pl.Series) -> pl.DataFrame:
        """
        Return what records hold when their fields are counted from the end, "" where they do not reach.

        A record with a delimiter too many or too few says one thing from either end; which is right, `scan.Keys` tells.
        """
        names = [name for name in self._names if name not in ANNOTATIONS]
        grammar = Grammar(self.delimiter)
        records = [grammar.fields(record) for record in raw]
        values = {name: [_nth_last(fields, len(names) - place) for fields in records] for place, name in enumerate(names)}
        return pl.DataFrame(values, schema=dict.fromkeys(names, pl.String))

    def _columns(self, cut: Cut, wanted: list[int], grammar: Grammar) -> pl.DataFrame:
        sound = cut.rows["_defect"].is_null()
        if sound.all():
            return cut.rows.hstack(self._parsed(cut.clean, wanted, rows=len(cut.rows)))
        clean = cut.rows.filter(sound)
        defective = cut.rows.filter(~sound)
        frames = [defective.hstack(self._guessed(defective["_raw"], wanted, grammar))]
        if len(clean):
            frames.append(clean.hstack(self._parsed(cut.clean, wanted, rows=len(clean))))
        return pl.concat(frames).sort("_line")

    def _parsed(self, text: bytes, wanted: list[int], *, rows: int) -> pl.DataFrame:
        names = [self._names[index] for index in wanted]
        if not rows or not wanted:
            return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        frame = pl.read_csv(
            # The reader takes a byte order mark off its text, also where a block happens to begin with one as data.
            _MARK + text if text.startswith(_MARK) else text,
            has_header=False,
            separator=self.delimiter,
            infer_schema=False,
            columns=wanted,
        )
        if len(frame) != rows:
            # Values beside the wrong line would be worse than a stop.
            raise AssertionError(f"{rows} records were read as {len(frame)}")
        frame.columns = names
        return frame.with_columns(pl.all().fill_null(""))

    def _guessed(self, raw: pl.Series, wanted: list[int], grammar: Grammar) -> pl.DataFrame:
        records = [grammar.fields(record) for record in raw]
        return pl.DataFrame(
            {
                self._names[index]: [
                    fields[index] if index < len(fields) and len(fields[index]) <= FIELD_LIMIT else "" for fields in records
                ]
                for index in wanted
            },
            schema={self._names[index]: pl.String for index in wanted},
        )


def read_header(source: Source, *, delimiter: str | None = None) -> Table:
    """
    Read the header of a CSV file.

    Without a declared delimiter the one of comma, semicolon, tab and bar that the header holds most is taken.
    A column without a name, or with one of `RESERVED`, is called by its position, as `column_3`.

    Raises:
        Invalid: the file is empty (`empty_file`), its header cannot be read (`malformed_header`), or
            it names a column twice (`duplicate_column`).
    """
    sample = source.sample()
    begins = len(sample) - len(sample.lstrip(b"\r\n"))
    if begins == len(sample):
        raise Invalid(f"{source.name!r} is empty.", code="empty_file", details={"file": source.name})
    text = sample[begins:]
    complete = len(sample) < SAMPLE  # then a header without a line end is all there is
    length = header_end(text) or (header_end(text + b"\n") if complete else None)
    if length is None:
        raise _malformed_header(source.name)
    header = text[:length].decode().removesuffix("\n").removesuffix("\r")
    delimiter = declared_delimiter(delimiter) if delimiter is not None else delimiter_of(header)
    grammar = Grammar(delimiter)
    if not grammar.record.fullmatch(f"{header}\n".encode()):
        raise _malformed_header(source.name)
    names = _named(grammar.fields(header), file=source.name)
    end = begins + length
    return Table(
        name=source.name,
        columns=tuple(name for name in names if name not in ANNOTATIONS),
        header=_unannotated(header, names, grammar),
        delimiter=delimiter,
        _names=names,
        _begins=end,
        _line=sample.count(b"\n", 0, end) + 1,
    )


def _nth_last(fields: list[str], place: int) -> str:
    found = fields[-place] if place <= len(fields) else ""
    return found if len(found) <= FIELD_LIMIT else ""


def _named(header: list[str], *, file: str) -> tuple[str, ...]:
    names = [name.strip() for name in header]
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name and name not in ANNOTATIONS and seen.setdefault(name, position) != position:
            raise Invalid(
                f"The header of {file!r} names the column {name!r} twice, at positions {seen[name]} and {position}.",
                code="duplicate_column",
                details={"file": file, "column": name, "positions": [seen[name], position]},
            )
    return tuple(
        _positional(position, seen) if not name or name in RESERVED else name for position, name in enumerate(names, start=1)
    )


def _positional(position: int, taken: dict[str, int]) -> str:
    name = f"column_{position}"
    while name in taken:
        name += "_"
    return name


def _unannotated(header: str, names: tuple[str, ...], grammar: Grammar) -> str:
    if names[: len(ANNOTATIONS)] != ANNOTATIONS:
        return header
    return str(pl.select(pl.lit(header).str.replace(grammar.after(len(ANNOTATIONS)), "")).item())


def _malformed_header(file: str) -> Invalid:
    return Invalid(
        f"The header of {file!r} cannot be read: a quote in its first line is not closed or not where it may be.",
        code="malformed_header",
        details={"file": file},
    )


def _beyond(chunks: Iterable[bytes], start: int) -> Iterator[bytes]:
    """Leave out the first `start` bytes."""
    for chunk in chunks:
        skipped = min(start, len(chunk))
        start -= skipped
        if skipped < len(chunk):
            yield chunk[skipped:]
