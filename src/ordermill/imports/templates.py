"""
The templates of a map file: text with `{Column}` and `{Column|filter|filter}` in it, made into column expressions.

A template one of whose columns is empty gives null, and so does one that gives nothing. `{{` and `}}` are braces.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from ordermill.imports import cells

FILTERS: Final = ("int", "lower", "strip", "date")

# A doubled brace, a placeholder, a stray brace; what lies between is literal.
_PIECES: Final = re.compile(r"(\{\{|\}\}|\{[^{}]*\}|[{}])")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the file writes numbers and dates; `date_format` is a strptime pattern."""

    decimal: cells.DecimalMark
    date_format: str | None


@dataclass(frozen=True, slots=True)
class Placeholder:
    column: str
    filters: tuple[str, ...]

    def expression(self, reading: Reading) -> pl.Expr:
        value = cells.filled(pl.col(self.column))
        for name in self.filters:
            value = _filtered(value, name, reading)
        return value


@dataclass(frozen=True, slots=True)
class Template:
    parts: tuple[str | Placeholder, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file it reads, in their order."""
        return tuple(part.column for part in self.parts if isinstance(part, Placeholder))

    @property
    def has_date(self) -> bool:
        """Whether it says itself which of its columns is a date."""
        return any("date" in part.filters for part in self.parts if isinstance(part, Placeholder))

    def expression(self, reading: Reading) -> pl.Expr:
        pieces = [pl.lit(part) if isinstance(part, str) else part.expression(reading) for part in self.parts]
        return pieces[0] if len(pieces) == 1 else pl.concat_str(pieces)


def parse(text: str) -> Template:
    """
    Read a template.

    Raises:
        ValueError: it is empty, has a brace without its pair, an empty placeholder or an unknown filter; the
            message is a clause for a person.
    """
    parts: list[str | Placeholder] = []
    for piece in filter(None, _PIECES.split(text)):
        if piece in {"{", "}"}:
            raise ValueError(f'a {piece!r} has no pair in {text!r} (write "{piece * 2}" for the brace itself)')
        literal = piece in {"{{", "}}"} or piece[0] != "{"
        parts.append(piece.replace("{{", "{").replace("}}", "}") if literal else _placeholder(piece))
    if not parts:
        raise ValueError("the template is empty; leave the line out when the file does not say")
    return Template(tuple(parts))


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a clause that offers the name probably meant, or nothing."""
    by_lower = {other.lower(): other for other in names}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[found[0]]!r}?" if found else ""


def _placeholder(text: str) -> Placeholder:
    column, *filters = (word.strip() for word in text[1:-1].split("|"))
    if not column:
        raise ValueError(f"the placeholder {text!r} names no column")
    for name in filters:
        if name not in FILTERS:
            hint = nearest(name, FILTERS) or f"; there are {', '.join(FILTERS)}"
            raise ValueError(f"there is no filter {name!r}{hint}")
    return Placeholder(column, tuple(filters))


def _filtered(value: pl.Expr, name: str, reading: Reading) -> pl.Expr:
    if name == "int":
        return cells.whole(value, decimal=reading.decimal)
    if name == "lower":
        return value.str.to_lowercase()
    if name == "date" and reading.date_format is not None:
        return cells.moment(value, pattern=reading.date_format)
    return cells.filled(value)
