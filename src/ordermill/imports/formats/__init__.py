"""
The formats Ordermill reads; a further one joins by adding a module here with a `FORMAT` in it.

A format renames and cleans, and judges nothing: `read` gives text columns named as in
`imports/columns.py`, and the rules are applied to those, alike for every format.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import polars as pl


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a file: what recognition looks at."""

    kind: Literal["csv", "jsonl"]
    columns: tuple[str, ...]  # the header, or the keys of the first object
    name: str  # the file's name, for messages


class Format(Protocol):
    """How one kind of export is turned into canonical lines."""

    name: str  # the word for --format, such as "shopify"
    title: str  # for people, such as "Shopify orders CSV"
    kind: Literal["csv", "jsonl"]
    channel: str  # the channel's default name

    def recognises(self, sample: Sample) -> bool:
        """Whether the header is this format's; column order never matters, missing optional columns are fine."""
        ...

    def missing(self, columns: Sequence[str]) -> list[str]:
        """Return the columns without which a file is not of this format; none in a file that is."""
        ...

    def key(self, columns: Sequence[str], *, channel: str) -> pl.Expr:
        """
        Return the expression over the file's own columns that is equal for all lines of one order.

        What the book takes for the same order must have the same key: `channel` stands in where a line names none.
        """
        ...

    def read(self, raw: pl.DataFrame) -> pl.DataFrame:
        """
        Return canonical text columns for records of the file.

        Args:
            raw: records of whole orders, those of one order side by side: one String column per column of the file, ""
                where the field is empty, beside `_line` (UInt32) and `_raw` (the record's text, all there is in JSONL).

        Returns:
            A row for each record in the same order, with `_line` and any of the columns of `imports/columns.py`; a
            document of JSONL becomes a row per item.
        """
        ...

    def advice(self) -> Mapping[str, str]:
        """Return, by the code of a reason, what to write instead where that differs from what holds for most files."""
        ...

    def source_names(self, columns: Sequence[str]) -> dict[str, str]:
        """Return, for canonical columns, the name of the file's column a person would look at."""
        ...
