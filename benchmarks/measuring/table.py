"""Figures as a Markdown table, fit for the terminal and for docs/benchmarks.md. Pure."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, fields
from typing import Final

_HEADS: Final = ("stage", "seconds", "lines/s", "orders/s", "figure", "to reach")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; empty where a column says nothing."""

    stage: str
    seconds: str = ""
    lines: str = ""
    orders: str = ""
    figure: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """What went through a stage."""

    lines: int
    orders: int

    def row(self, stage: str, seconds: float, *, figure: str = "", target: str = "") -> Row:
        return Row(stage, f"{seconds:.2f}", f"{self.lines / seconds:,.0f}", f"{self.orders / seconds:,.0f}", figure, target)


NOTHING: Final = Volume(0, 0)


def markdown(title: str, rows: Sequence[Row]) -> str:
    """Return a heading and the table of an import's stages."""
    return aligned(title, _HEADS, [[getattr(row, field.name) for field in fields(Row)] for row in rows], numbers=range(1, 4))


def aligned(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Container[int]) -> str:
    """Return a heading and a table whose columns are aligned; those of `numbers` stand to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    rule = ["-" * (width - 1) + ":" if place in numbers else "-" * width for place, width in enumerate(widths)]
    padded = (
        [
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in (heads, rule, *rows)
    )
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(line)} |" for line in padded), ""])
