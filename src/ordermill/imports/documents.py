"""
A JSONL file as blocks of documents: one per physical line, blank lines left out.

Each block has `_line` (physical line, from 1), `_raw` (the document's text) and `_defect`: null,
`malformed_json` or `not_an_object`. What is in the documents is for the format to read.
"""

from collections.abc import Iterator

import polars as pl

from ordermill.imports.records import BLOCK, ROWS, whole_lines
from ordermill.imports.source import Reading

_SPACE = " \t\r"


class Documents:
    """The documents of a file; it has no header, so there is nothing to know beforehand but its name."""

    def __init__(self, *, name: str) -> None:
        self.name = name

    def blocks(self, reading: Reading, *, block_bytes: int = BLOCK) -> Iterator[pl.DataFrame]:
        """Go through the documents of the file."""
        line = 1
        for text in whole_lines(reading.text(), name=self.name, block_bytes=block_bytes):
            raw = pl.read_lines(text, name="_raw").to_series()
            yield from _block(raw, line)
            line += len(raw)


def _block(raw: pl.Series, line: int) -> Iterator[pl.DataFrame]:
    document = pl.col("_raw").str.strip_chars(_SPACE)
    rows = pl.DataFrame({"_line": pl.int_range(line, line + len(raw), dtype=pl.UInt32, eager=True), "_raw": raw})
    defect = (
        pl.when(document.str.json_path_match("$").is_null() & (document != "null"))
        .then(pl.lit("malformed_json"))
        .when(~document.str.starts_with("{"))
        .then(pl.lit("not_an_object"))
    )
    rows = rows.filter(document != "").with_columns(defect.alias("_defect"))
    if len(rows):
        yield rows.select(list(ROWS))
