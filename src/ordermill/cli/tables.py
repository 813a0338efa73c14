"""One table, told in plain text or Markdown; `console` draws it in a terminal."""

from dataclasses import dataclass, field
from typing import Final

_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """`number`: set flush right."""

    name: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title; as many cells a row as there are columns."""

    title: str
    columns: tuple[Column, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)


def table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """Return an empty table; `numbers` names the columns that hold numbers."""
    return Table(title, tuple(Column(name, name in numbers) for name in columns))


def plain(drawn: Table) -> str:
    """Return a table as lines of text, columns flush, without colours and boxes."""
    rows = [tuple(column.name for column in drawn.columns), *([" ".join(cell.split()) for cell in row] for row in drawn.rows)]
    widths = [max(map(_width, cells)) for cells in zip(*rows, strict=True)]
    lines = [
        _GAP.join(
            _padded(cell, width, right=column.number) for cell, width, column in zip(row, widths, drawn.columns, strict=True)
        )
        for row in rows
    ]
    return "\n".join([drawn.title, *(f"{_GAP}{line}".rstrip() for line in lines), ""])


def markdown(drawn: Table) -> str:
    """Return a table as GitHub's Markdown."""
    head = _row(tuple(column.name for column in drawn.columns))
    rule = _row(tuple("---:" if column.number else "---" for column in drawn.columns))
    body = [_row(tuple(_escaped(cell) for cell in row)) for row in drawn.rows]
    return "\n".join([f"## {drawn.title}", "", head, rule, *body, ""])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(cell: str) -> str:
    """Let no cell of somebody's data become a column, a tag or a link."""
    text = " ".join(cell.split())
    for symbol in "\\`*_[]<>|":
        text = text.replace(symbol, f"\\{symbol}")
    return text


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _padded(cell: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(cell))
    return space + cell if right else cell + space
