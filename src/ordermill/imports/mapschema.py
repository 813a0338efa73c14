"""The tables and keys of a map file and the values they take; templates and field names are judged in `mapfile.py`."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

import polars as pl
from polars.exceptions import PolarsError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ordermill.imports import templates
from ordermill.kit.money import EXPONENTS

# No two parts of it are alike, so a pattern that mistakes one for another is found out.
_MOMENT: Final = datetime(2011, 10, 22, 13, 45, 56, tzinfo=UTC)


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError(f"there is no text encoding {name!r}; write one such as 'utf-8' or 'cp1252'") from None
    return name


def _delimiter(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text in '"\r\n':
        raise ValueError(f"{text!r} cannot separate fields; write one character such as ';' or '\\t'")
    return text


def _timezone(name: str) -> str:
    zones = available_timezones()
    if name not in zones:
        raise ValueError(
            f"there is no time zone {name!r}{templates.nearest(name, zones) or '; write one such as Europe/Paris'}"
        )
    return name


def _currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError(f"{code!r} is not an ISO 4217 currency; write a code such as 'EUR'")
    return code


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

    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = None
    decimal: Literal[".", ","] = "."
    date_format: Annotated[str, AfterValidator(_date_format)] | None = None
    timezone: Annotated[str, AfterValidator(_timezone)] | None = None
    currency: Annotated[str, AfterValidator(_currency)] | None = None
    channel: Said | None = None
    name: Said | None = None


class RejectTable(_Table):
    column: Said
    matches: Annotated[str, AfterValidator(_pattern)]
    reason: Said


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
