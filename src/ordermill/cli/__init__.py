"""
The terminal: what can be typed, what is answered there, and the exit codes.

    program       refusals and bugs become sentences and exit codes, in this one place
    options       what several commands share
    process, serve, imports, orders, products, discounts, stats, users, keys, upkeep
                  the commands: what can be typed, and what helps
    one_order     those of `orders` that are about one of them
    serving/      the server that `serve` runs
    console       where words go: results to stdout, everything else to stderr
    tables        one table, in a terminal, on a pipe, in Markdown

A command imports what it works with only when it runs, so that `--help` costs nothing: neither Django nor Polars
nor SQLAlchemy is loaded for it.
"""

import signal
import sys
from typing import Annotated, NoReturn

import typer

from ordermill import __version__
from ordermill.cli import discounts, imports, keys, orders, process, products, serve, stats, upkeep, users
from ordermill.cli.program import Program

app = typer.Typer(
    cls=Program,
    name="ordermill",
    help="Raw shop exports become one validated order book.",
    epilog="Example: ordermill process orders.csv",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
)
process.add_to(app)
serve.add_to(app)
imports.add_to(app)
orders.add_to(app)
products.add_to(app)
discounts.add_to(app)
stats.add_to(app)
users.add_to(app)
keys.add_to(app)
upkeep.add_to(app)


def _show_version(wanted: bool) -> None:  # noqa: FBT001  # Typer calls it so
    if wanted:
        typer.echo(f"ordermill {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001  # its callback does the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when Ordermill itself fails.")] = False,
) -> None:
    context.obj = {"debug": debug}


def main() -> NoReturn:
    """Run the command of the process's arguments, and leave with its exit code."""
    # Names of files may be no text at all; they are shown somehow rather than not at all.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminated)
    app(prog_name="ordermill")
    raise AssertionError("the program leaves by itself")


def _terminated(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)
