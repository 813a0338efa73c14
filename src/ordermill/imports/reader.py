"""
One file, recognised: its format, how it is cut into blocks, and the two passes over it.

Not here: what the lines mean (validate, assemble) and what becomes of them (process).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from ordermill.imports import scan as scanning
from ordermill.imports.apart import whole_orders
from ordermill.imports.documents import Documents
from ordermill.imports.formats import Format, Sample
from ordermill.imports.mapfile import MapFile
from ordermill.imports.recognise import recognise
from ordermill.imports.records import BLOCK, LINE_LIMIT
from ordermill.imports.scan import Keys, Scan
from ordermill.imports.source import Reading, Source
from ordermill.imports.tabular import Table, read_header
from ordermill.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class Reader:
    """A file that was recognised; `table` is None for JSONL."""

    source: Source
    format: Format
    table: Table | None
    block_bytes: int = BLOCK  # text of a batch, in the second pass

    def scan(self, progress: Callable[[int, int], None], *, channel: str) -> Scan:
        """
        Make the first pass; see `scan.scan`. `progress` is told the stored bytes and the records read so far.

        Args:
            channel: that of orders which name none.
        """
        key = self._key(channel)
        records = 0

        def counted(reading: Reading) -> Iterator[pl.DataFrame]:
            nonlocal records
            for block in self._key_blocks(reading, key):
                records += len(block)
                yield block

        return scanning.scan(
            self.source, counted, keys=self._keys(channel), progress=lambda position: progress(position, records)
        )

    def orders(self, found: Scan, *, channel: str) -> Iterator[pl.DataFrame]:
        """
        Make the second pass: frames of whole orders, with `_line`, `_raw`, `_defect`, `_key` and the file's columns.

        Raises:
            Unavailable: `file_changed`, when this is not the file of the first pass any more.
        """
        with self.source.reading() as reading:
            yield from whole_orders(self._blocks(reading), keys=self._keys(channel), scan=found)

    def _blocks(self, reading: Reading) -> Iterator[pl.DataFrame]:
        if self.table is None:
            return Documents(name=self.source.name).blocks(reading, block_bytes=self.block_bytes)
        return self.table.blocks(reading, block_bytes=self.block_bytes)

    def _key_blocks(self, reading: Reading, key: pl.Expr) -> Iterator[pl.DataFrame]:
        if self.table is None:
            return self._blocks(reading)
        return self.table.blocks(reading, only=key.meta.root_names())

    def _keys(self, channel: str) -> Keys:
        return Keys(self._key(channel), from_the_right=self.table.from_the_right if self.table else None)

    def _key(self, channel: str) -> pl.Expr:
        return self.format.key(self.table.columns if self.table else (), channel=channel)


def recognised(source: Source, *, wanted: str | None, mapping: MapFile | None, delimiter: str | None) -> Reader:
    """
    Look at the beginning of a file and tell which format it is of.

    Raises:
        Invalid: the file is empty or malformed at its head, of no known format, or of no use; the sentence says which.
    """
    first = source.sample().lstrip()[:1]
    if first == b"[":
        raise Invalid(
            f"{source.name!r} is one JSON array; write one object a line (JSONL) instead.",
            code="unrecognised",
            details={"file": source.name},
        )
    if first == b"{":
        sample = Sample("jsonl", _first_keys(source), source.name)
        return Reader(source, recognise(sample, wanted=wanted, mapping=mapping), None)
    table = read_header(source, delimiter=delimiter)
    sample = Sample("csv", table.columns, source.name)
    return Reader(source, recognise(sample, wanted=wanted, mapping=mapping), table)


def _first_keys(source: Source) -> tuple[str, ...]:
    """Return the keys of the first document that can be read; a malformed one above it is for validation to refuse."""
    # Line feeds alone end a line here: a document may hold what else Python takes for a line's end.
    for line in source.sample(line_limit=LINE_LIMIT).decode(errors="ignore").split("\n"):
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            return tuple(document)
    raise Invalid(
        f"{source.name!r} looks like JSON, but no line at its beginning is a whole object; write one object a line.",
        code="unrecognised",
        details={"file": source.name},
    )
