"""
Files of products and discounts: .csv with a header, .jsonl with an object a line; the names are those of the shape.

Written, a text that a spreadsheet would run as a formula gets an apostrophe before it, which reading takes off again.
Read, each record comes with its line and what it says by field, or with why it cannot be read.

Not here: whether what a record says is acceptable (drafts, changes), and what becomes of it (intake).
"""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from ordermill.kit.errors import Invalid, Unavailable
from ordermill.kit.files import Replacement
from ordermill.kit.text import printable, shortened

T = TypeVar("T")

BLOCK: Final = 1000  # records written at a time: enough that the hop to a thread does not count

_DELIMITERS: Final = ",;\t"
_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
# Apostrophes too: reading takes one off whatever looks guarded, so what looks so by itself is guarded once more.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\0]")
_GUARDED: Final = re.compile(r"''*[=+\-@\t\r\0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """
    What a kind of file holds.

    Args:
        noun: of many, such as "products".
        columns: in their order; `key` is the one by which a thing is found again.
        readonly: columns that are written and, when read, passed over.
        texts: columns that may look like a formula.
        nullable: columns whose empty cell means that there is none.
        optional: columns whose empty cell means that nothing is said.
    """

    noun: str
    columns: tuple[str, ...]
    key: str
    readonly: frozenset[str]
    texts: frozenset[str]
    integers: frozenset[str]
    flags: frozenset[str]
    nullable: frozenset[str]
    optional: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """A record and the physical line it begins on; `defect` says why it cannot be read."""

    line: int
    said: Mapping[str, Any]
    defect: str | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """How many records the file at `path` holds."""

    path: Path
    records: int


PRODUCTS: Final = Sheet(
    noun="products",
    columns=("id", "sku", "name", "price", "currency", "stock", "is_active"),
    key="sku",
    readonly=frozenset({"id"}),
    texts=frozenset({"sku", "name"}),
    integers=frozenset({"stock"}),
    flags=frozenset({"is_active"}),
    nullable=frozenset({"stock"}),
    optional=frozenset({"currency", "is_active"}),
)
DISCOUNTS: Final = Sheet(
    noun="discounts",
    columns=(
        "id", "code", "kind", "value", "currency", "starts_at", "ends_at", "minimum", "max_uses", "max_uses_per_customer",
        "uses", "is_active",
    ),
    key="code",
    readonly=frozenset({"id", "uses"}),
    texts=frozenset(),
    integers=frozenset({"max_uses", "max_uses_per_customer"}),
    flags=frozenset({"is_active"}),
    nullable=frozenset({"currency", "starts_at", "ends_at", "minimum", "max_uses", "max_uses_per_customer"}),
    optional=frozenset({"is_active"}),
)  # fmt: skip


def read(path: Path, sheet: Sheet) -> Iterator[Record]:
    """
    Return an iterator over a file's records. All of it is read before the first one comes.

    Raises:
        Invalid: there is no such file, or it is not one of these.
        Unavailable: the system does not let it be read.
    """
    reader = {".csv": _csv_records, ".jsonl": _jsonl_records}.get(path.suffix.lower())
    if reader is None:
        raise _unknown(path, sheet)
    return reader(_text(path), sheet, printable(path.name))


async def write(
    rows: AsyncGenerator[T, None], path: Path, sheet: Sheet, *, shape: Callable[[T], Mapping[str, Any]]
) -> Exported:
    """
    Write rows in their shape to a file in the format of its suffix; one of that name is replaced when the new one is whole.

    Raises:
        Invalid: `unknown_export_format`, for another suffix than .csv and .jsonl.
        Unavailable: `export_unwritable`; a file that was there before is still there.
    """
    text = {".csv": _csv_text, ".jsonl": _jsonl_text}.get(path.suffix.lower())
    if text is None:
        raise _unknown(path, sheet)
    written, block = 0, list[Mapping[str, Any]]()
    async with aclosing(rows):
        with Replacement(path, refusal=partial(_unwritable, path)) as file:
            file.write(_rows([sheet.columns]) if text is _csv_text else "")
            async for row in rows:
                block.append(shape(row))
                written += 1
                if len(block) == BLOCK:
                    await asyncio.to_thread(_put, file, text, block, sheet)
                    block = []
            await asyncio.to_thread(_put, file, text, block, sheet)
    return Exported(path, written)


def _put(
    file: Replacement,
    text: Callable[[Sequence[Mapping[str, Any]], Sheet], str],
    shapes: Sequence[Mapping[str, Any]],
    sheet: Sheet,
) -> None:
    file.write(text(shapes, sheet))


def _csv_text(shapes: Sequence[Mapping[str, Any]], sheet: Sheet) -> str:
    return _rows([[_written(shape[name], name, sheet) for name in sheet.columns] for shape in shapes])


def _jsonl_text(shapes: Sequence[Mapping[str, Any]], _: Sheet) -> str:
    return "".join(json.dumps(shape, ensure_ascii=False, separators=(",", ":")) + "\n" for shape in shapes)


def _rows(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _written(value: Any, name: str, sheet: Sheet) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if name in sheet.texts and _FORMULA.match(value) else value


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Invalid(f"There is no file {printable(str(path))!r}.", code="file_not_found") from None
    except IsADirectoryError:
        raise Invalid(f"{printable(str(path))!r} is a directory.", code="not_a_file") from None
    except OSError as error:
        raise Unavailable(f"{printable(str(path))!r} cannot be read: {error.strerror}.", code="file_unreadable") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Invalid(f"{printable(path.name)} is not UTF-8 in line {line}.", code="undecodable") from None


def _csv_records(text: str, sheet: Sheet, file: str) -> Iterator[Record]:
    header, _, _ = text.partition("\n")
    delimiter = max(_DELIMITERS, key=header.count)  # the first of them where none is there
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return _rows_read(reader, _header(reader, sheet, file), sheet)


def _header(reader: Any, sheet: Sheet, file: str) -> list[str]:
    try:
        names = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Invalid(f"The first line of {file} cannot be read: {error}.", code="malformed_header") from None
    if not names:
        raise Invalid(f"There is nothing in {file}.", code="empty_file")
    strange = [shortened(printable(name)) for name in names if name not in sheet.columns]
    if sheet.key not in names or strange:
        missing = "" if sheet.key in names else f"It has no column {sheet.key!r}. "
        foreign = f"It has {', '.join(map(repr, strange[:5]))}. " if strange else ""
        raise Invalid(
            f"{file} is no file of {sheet.noun}. {missing}{foreign}The columns are {', '.join(sheet.columns)}.",
            code="unrecognised",
        )
    if len(set(names)) < len(names):
        raise Invalid(f"{file} names a column twice.", code="duplicate_column")
    return names


def _rows_read(reader: Any, names: list[str], sheet: Sheet) -> Iterator[Record]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, {}, f"The line cannot be read: {error}.")
            continue
        if len(cells) not in {0, len(names)}:
            yield Record(line, {}, f"The line has {len(cells)} columns, and the header {len(names)}.")
        elif any(cells):
            yield Record(line, dict(_said(zip(names, cells, strict=True), sheet)))


def _said(cells: Iterator[tuple[str, str]], sheet: Sheet) -> Iterator[tuple[str, Any]]:
    """Go through what a row says, as the drafts want it; what cannot be read stays a text, for them to refuse."""
    for name, cell in cells:
        value: Any = cell[1:] if name in sheet.texts and _GUARDED.match(cell) else cell
        bare = cell.strip()
        if name in sheet.readonly or (not bare and name in sheet.optional):
            continue
        if not bare and name in sheet.nullable:
            value = None
        elif name in sheet.integers and _INTEGER.fullmatch(bare):
            value = int(bare)
        elif name in sheet.flags:
            value = _FLAGS.get(bare.lower(), cell)
        yield name, value if value is None or name in sheet.texts or not isinstance(value, str) else bare


def _jsonl_records(text: str, sheet: Sheet, _file: str) -> Iterator[Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            yield Record(number, {}, "The line is not JSON.")
            continue
        if isinstance(said, dict):
            yield Record(number, {name: value for name, value in said.items() if name not in sheet.readonly})
        else:
            yield Record(number, {}, "The line is JSON, but no object.")


def _unknown(path: Path, sheet: Sheet) -> Invalid:
    return Invalid(
        f"Files of {sheet.noun} end with .csv or .jsonl; the name {printable(path.name)!r} ends in neither.",
        code="unknown_export_format",
    )


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"The file {str(path)!r} cannot be written: {error.strerror}.", code="export_unwritable")
