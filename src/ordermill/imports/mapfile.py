"""
The map file of `process --map MAP.toml`: how the columns of a table that Ordermill does not know make up orders.

    [file]      encoding, delimiter, decimal, date_format, timezone, currency, channel, name
    [order]     a template for each field of the order, such as `number = "{InvoiceNo}"`
    [item]      the same for the item
    [[reject]]  column, matches, reason: lines that are not sales
    [rules]     guests, merge, unknown_country

Every mistake is refused before the table is read, in a sentence that names the map, the table and the key.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pydantic
from pydantic_core import ErrorDetails

from ordermill.imports import columns, mapschema, templates, words
from ordermill.imports.formats.mapped import Field, Mapped, Refusal
from ordermill.imports.model import Rules
from ordermill.imports.source import NAME_LIMIT
from ordermill.kit.errors import Invalid
from ordermill.kit.text import printable, shortened

# A shape's name for a field, where the flattened column has another.
_SHAPE_NAMES: Final = {
    "order": {"total": "source_total"},
    "item": {"discount": "item_discount", "total": "item_total"},
}
_FIELDS: Final = {"order": columns.ORDER, "item": columns.ITEM}
_REQUIRED: Final = (("order", "number"), ("order", "placed_at"), ("item", "sku"), ("item", "quantity"))


@dataclass(frozen=True, slots=True)
class MapFile:
    """A map without mistakes; `file` says how the table is written, `rules` which switches it sets."""

    title: str  # the map file's name, for messages
    name: str  # the mapping's name, for reports
    file: mapschema.FileTable
    rules: Rules
    fields: tuple[Field, ...]
    refusals: tuple[Refusal, ...]

    def format(self) -> Mapped:
        return Mapped(
            name=self.name,
            title=self.title,
            channel=self.file.channel or self.name,
            reading=templates.Reading(self.file.decimal, self.file.date_format),
            fields=self.fields,
            refusals=self.refusals,
        )


def load(path: Path) -> MapFile:
    """
    Read a map file.

    Raises:
        Invalid: `invalid_map`; the sentence names the map, the table and the key.
        OSError: the file cannot be read.
    """
    # A name may be anything but text, and this one goes into messages, reports and the book.
    title = shortened(printable(path.name), limit=NAME_LIMIT)
    try:
        return parse(path.read_text(encoding="utf-8-sig"), title=title)
    except UnicodeDecodeError as error:
        raise _mistake(title, None, f"the file is not UTF-8 at byte {error.start + 1}") from error


def parse(text: str, *, title: str) -> MapFile:
    """
    Read the text of a map file; `title` is its file name, such as "shop.toml".

    Raises:
        Invalid: `invalid_map`; the sentence names the map, the table and the key.
    """
    try:
        document = mapschema.Document.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise _mistake(title, None, f"this is not TOML: {error}") from error
    except pydantic.ValidationError as error:
        raise _in_schema(title, error.errors(include_url=False)[0]) from error
    return MapFile(
        title=title,
        name=document.file.name or _name(title),
        file=document.file,
        rules=Rules(**document.rules.model_dump()),
        fields=_fields(title, document),
        refusals=tuple(Refusal(rule.column, rule.matches, rule.reason) for rule in document.reject),
    )


def _name(title: str) -> str:
    try:
        return words.name(Path(title).stem)
    except Invalid as refusal:
        why = f"this is needed, for the map file's own will not do: {_within(refusal.message)}"
        raise _mistake(title, "[file] name", why) from None


def _fields(title: str, document: mapschema.Document) -> tuple[Field, ...]:
    fields: dict[tuple[str, str], Field] = {}
    for table, entries in (("order", document.order), ("item", document.item)):
        for key, text in entries.items():
            place = f"[{table}] {key}"
            target = _target(title, table, key)
            if (table, target) in fields:
                raise _mistake(title, place, f"{fields[table, target].place} says the same already; keep one of the two")
            fields[table, target] = Field(target, place, _template(title, place, text, document.file))
    for table, needed in _REQUIRED:
        if (table, needed) not in fields:
            raise _mistake(title, f"[{table}] {needed}", f'this template is needed; write {needed} = "{{Column}}"')
    if not {("item", "unit_price"), ("item", "item_total")} & fields.keys():
        raise _mistake(title, "[item] unit_price", "a template for unit_price or for the line's total is needed")
    return tuple(fields.values())


def _target(title: str, table: str, key: str) -> str:
    target = _SHAPE_NAMES[table].get(key, key)
    if target in _FIELDS[table]:
        return target
    other = "item" if table == "order" else "order"
    if key in _FIELDS[other]:
        raise _mistake(title, f"[{table}] {key}", f"this field belongs into the table [{other}]")
    hint = templates.nearest(key, (*_FIELDS[table], *_SHAPE_NAMES[table])) or f"; there are {', '.join(_FIELDS[table])}."
    raise _mistake(title, f"[{table}] {key}", f"there is no such field{hint}")


def _template(title: str, place: str, text: str, file: mapschema.FileTable) -> templates.Template:
    try:
        template = templates.parse(text)
    except ValueError as error:
        raise _mistake(title, place, str(error)) from error
    if template.has_date and file.date_format is None:
        raise _mistake(title, place, "the filter 'date' needs date_format in the table [file]")
    return template


def _in_schema(title: str, error: ErrorDetails) -> Invalid:
    """Say in our words what pydantic found."""
    path = error["loc"]
    table, *keys = (str(part) for part in path if isinstance(part, str))
    place = f"[[{table}]]" if table == "reject" else f"[{table}]"
    place = " ".join((place, *keys))
    if error["type"] == "extra_forbidden":
        names = mapschema.names(table if keys else None)
        what = "key" if keys else "table"
        hint = templates.nearest(path[-1] if isinstance(path[-1], str) else table, names) or f"; there are {', '.join(names)}."
        return _mistake(title, place, f"there is no such {what}{hint}")
    return _mistake(title, place, _SENTENCES.get(error["type"]) or _within(error["msg"].removeprefix("Value error, ")))


_SENTENCES: Final = {
    "missing": "this is needed and not there",
    "string_type": 'write text in quotation marks, such as "…"',
    "bool_type": "write true or false",
    "dict_type": "this must be a table",
    "model_type": "this must be a table",
    "list_type": "write it as [[reject]], with two brackets: there may be several",
}


def _within(sentence: str) -> str:
    """Return a sentence as it goes on behind a colon."""
    return sentence[0].lower() + sentence[1:]


def _mistake(title: str, place: str | None, what: str) -> Invalid:
    where = f"{title}, {place}" if place else title
    details: dict[str, Any] = {"map": title, "place": place}
    return Invalid(f"{where}: {what.rstrip('.?')}{'?' if what.endswith('?') else '.'}", code="invalid_map", details=details)
