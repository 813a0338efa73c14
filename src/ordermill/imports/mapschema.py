"""The tables and keys of a map file and the values they take; templates and field names are judged in `mapfile.py`."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import polars as pl
from polars.exceptions import PolarsError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ordermill.imports import words
from ordermill.imports.decode import known_encoding
from ordermill.imports.grammar import declared_delimiter
from ordermill.kit.calendar import zone
from ordermill.kit.errors import Invalid

# No two parts of it are alike, so a pattern that mistakes one for another is found out.
_MOMENT: Final = datetime(2011, 10, 22, 13, 45, 56, tzinfo=UTC)


def _judged(judge: Callable[[str], str]) -> AfterValidator:
    """Let a word be judged as it is where the command says it."""

    def judged(word: str) -> str:
        try:
            return judge(word)
        except Invalid as refusal:
            raise ValueError(refusal.message) from None

    return AfterValidator(judged)


def _date_format(pattern: str) -> str:
    try:
        # An aware moment, since a pattern with an offset can only write such.
        written = pl.Series([_MOMENT]).dt.strftime(pattern)
        read = written.str.to_datetime(pattern, strict=False).item()
    except PolarsError:
        read = None
    if read is None or read.date() != _MOMENT.date():
        raise ValueError(f"{pattern!r} does not read a date; write a strptime pattern such as '%d.%m.%Y %H:%M'")
    return pattern


def _pattern(expression: str) -> str:
    try:
        pl.Series([""]).str.contains(expression)
    except PolarsError as error:
        # Polars quotes the expression over several lines; the last but one of its own says what is wrong.
        reason = re.search(r"^error: (.+)$", str(error), re.MULTILINE)
        why = f": {reason[1]}" if reason else ""
        raise ValueError(f"{expression!r} is not a regular expression{why}") from None
    return expression


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("this must not be empty")
    return text.strip()


Said = Annotated[str, AfterValidator(_said)]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class FileTable(_Table):
    """How the table is written, and what holds where it does not say; None is the command's or the setting's word."""

    encoding: Annotated[str, _judged(known_encoding)] | None = None
    delimiter: Annotated[str, _judged(declared_delimiter)] | None = None
    decimal: Literal[".", ","] = "."
    date_format: Annotated[str, AfterValidator(_date_format)] | None = None
    timezone: Annotated[str, _judged(lambda name: zone(name).key)] | None = None
    currency: Annotated[str, _judged(words.currency)] | None = None
    channel: Annotated[str, _judged(words.channel)] | None = None
    name: Annotated[str, _judged(words.name)] | None = None


class RejectTable(_Table):
    column: Said
    matches: Annotated[str, AfterValidator(_pattern)]
    reason: Annotated[str, _judged(words.reason)]


class RulesTable(_Table):
    guests: bool = True
    merge: bool = True
    unknown_country: Literal["null", "reject"] = "null"


class Document(_Table):
    file: FileTable = FileTable()
    order: dict[str, str]
    item: dict[str, str]
    reject: list[RejectTable] = Field(default_factory=list)
    rules: RulesTable = RulesTable()


def names(table: str | None) -> list[str]:
    """Return the keys of a table of the map, or the names of the tables."""
    tables: dict[str | None, type[_Table]] = {None: Document, "file": FileTable, "reject": RejectTable, "rules": RulesTable}
    return list(tables[table].model_fields)
