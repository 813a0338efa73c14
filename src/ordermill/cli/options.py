"""What several commands share: options, and the book they open."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ordermill.cli.console import narrate

if TYPE_CHECKING:
    from uuid import UUID

    from ordermill.bootstrap import Services
    from ordermill.config import Settings

T = TypeVar("T")

# Who the ledger says did it.
ACTOR = "command"

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Where the order book lies: sqlite:///FILE or postgresql://USER@HOST/NAME; else ORDERMILL_DATABASE_URL says.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout, and nothing else there.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="How many at most.")]


def settings(database: str | None) -> "Settings":
    """
    Read the settings; the command's own word for the database wins.

    Raises:
        Invalid: one of them is wrong.
    """
    from ordermill.config import load

    return load(database_url=database)


def in_book(work: "Callable[[Services], Awaitable[T]]", *, database: str | None, writes: bool = False) -> T:
    """
    Open the book, do the work, close it; and say which book that is: what was written to always, else to people only.

    Raises:
        Invalid: a setting is wrong.
        Unavailable: the book cannot be opened.
    """
    import asyncio

    from ordermill.bootstrap import open_services

    chosen = settings(database)

    async def opened() -> T:
        async with open_services(chosen) as services:
            if sys.stderr.isatty() and not writes:
                narrate(f"Order book: {chosen.database}")
            return await work(services)

    result = asyncio.run(opened())
    if writes:
        narrate(f"Written to {chosen.database}.")
    return result


def identity(text: str, *, what: str) -> "UUID":
    """
    Read an id that was typed.

    Raises:
        Invalid: `invalid_id`.
    """
    from uuid import UUID

    from ordermill.kit.errors import Invalid

    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{text!r} is not the id of an {what}.", code="invalid_id") from None
