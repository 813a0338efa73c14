"""
Where words go: results to stdout, everything else (what is going on, refusals) to stderr.

On a terminal results are drawn by Rich; anywhere else they are plain text without colours and boxes.
"""

import sys
from typing import Any

import typer

from ordermill.cli.tables import Table, plain


def show(*tables: Table) -> None:
    """Print tables to stdout, those without rows left out."""
    for table in tables:
        if table.rows:
            _draw(table) if sys.stdout.isatty() else typer.echo(plain(table))


def print_json(value: Any) -> None:
    """Print one JSON document to stdout."""
    import json

    typer.echo(json.dumps(value, indent=2))


def say(*lines: str) -> None:
    """Print lines to stdout that belong to a result."""
    for line in lines:
        typer.echo(line)


def narrate(*lines: str) -> None:
    """Tell on stderr what is going on."""
    for line in lines:
        typer.echo(line, err=True)


def complain(sentence: str) -> None:
    """Tell on stderr what is wrong."""
    typer.secho(sentence, err=True, fg="red")


def _draw(table: Table) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(title=table.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        drawn.add_column(column.name, justify="right" if column.number else "left", overflow="fold")
    for row in table.rows:
        # Text, so that brackets in somebody's data are not taken for markup.
        drawn.add_row(*map(Text, row))
    Console().print(drawn)
