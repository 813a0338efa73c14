"""Any table at all, read by a map file: a template for each canonical column. What the map may say is in `mapfile.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import polars as pl

from ordermill.imports import cells, templates
from ordermill.imports import columns as columns_of
from ordermill.imports.formats import Sample
from ordermill.kit.errors import Invalid

# Amounts may hold separators and signs, and so may quantities.
_NUMBERS: Final = cells.AMOUNTS | {"quantity"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Lines whose `column` matches the regular expression `matches` are no sales."""

    column: str
    matches: str
    reason: str


@dataclass(frozen=True, slots=True)
class Field:
    """One template of the map: its canonical column, and where it stands there, such as `[order] number`."""

    target: str
    place: str
    template: templates.Template


@dataclass(slots=True)
class Mapped:
    name: str
    title: str
    channel: str
    reading: templates.Reading
    fields: tuple[Field, ...]
    refusals: tuple[Refusal, ...] = ()
    kind: Literal["csv", "jsonl"] = "csv"

    def recognises(self, sample: Sample) -> bool:
        return sample.kind == self.kind and not self.missing(sample.columns)

    def missing(self, columns: Sequence[str]) -> list[str]:
        """Return the columns that the map reads and the file has not."""
        return list(dict.fromkeys(column for _, column in self._read() if column not in columns))

    def check(self, columns: Sequence[str]) -> None:
        """
        See that the file has every column the map reads.

        Raises:
            Invalid: `map_column_missing`, for the first that it has not, with the place in the map.
        """
        for place, column in self._read():
            if column not in columns:
                hint = templates.nearest(column, columns) or f"; the file has {', '.join(columns)}."
                message = f"{self.title}, {place}: the file has no column {column!r}{hint}"
                raise Invalid(message, code="map_column_missing", details={"map": self.title, "place": place, "column": column})

    def key(self, columns: Sequence[str], *, channel: str) -> pl.Expr:
        self.check(columns)
        by_target = {field.target: field.template.expression(self.reading) for field in self.fields}
        number = cells.filled(by_target["number"])
        if "channel" not in by_target:
            return number
        return pl.concat_str([cells.filled(by_target["channel"]).fill_null(channel), number], separator="\x1f")

    def read(self, raw: pl.DataFrame) -> pl.DataFrame:
        frame = raw.select("_line", **{field.target: self._value(field) for field in self.fields}, **self._refused())
        numbers = [cells.amount(frame[name], decimal=self.reading.decimal) for name in frame.columns if name in _NUMBERS]
        return frame.with_columns(numbers)

    def advice(self) -> Mapping[str, str]:
        said: dict[str, str] = {}
        if self.reading.decimal == ",":
            said["amount_malformed"] = "write it in digits with a comma, such as 12,30; leave out units and currency words."
            said["quantity"] = "write a whole number from 1, such as 2 or 2,0."
        if self.reading.date_format is not None:
            now = datetime(2026, 12, 31, 8, 2, tzinfo=UTC).strftime(self.reading.date_format)
            said["time_malformed"] = f"write it in the form {self.reading.date_format!r}, such as {now}."
        return said

    def source_names(self, columns: Sequence[str]) -> dict[str, str]:  # noqa: ARG002  # the map names its columns
        names = {field.target: ", ".join(dict.fromkeys(field.template.columns)) for field in self.fields}
        return {target: name for target, name in names.items() if name}

    def _read(self) -> list[tuple[str, str]]:
        by_fields = [(field.place, column) for field in self.fields for column in field.template.columns]
        return by_fields + [("[[reject]] column", refusal.column) for refusal in self.refusals]

    def _value(self, field: Field) -> pl.Expr:
        value = field.template.expression(self.reading)
        pattern = self.reading.date_format
        # "{Date} {Time}" is one moment in two columns: without a filter of its own the pattern is for the whole.
        if pattern is None or field.target not in cells.MOMENTS or field.template.has_date:
            return value
        return cells.moment(value, pattern=pattern)

    def _refused(self) -> dict[str, pl.Expr]:
        if not self.refusals:
            return {}
        refused = [pl.when(pl.col(rule.column).str.contains(rule.matches)).then(pl.lit(rule.reason)) for rule in self.refusals]
        return {columns_of.REFUSED: pl.coalesce(refused)}
