"""`ordermill users export` and `erase`: what the book knows of a person, handed out, or forgotten for good."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli.console import narrate, say
from ordermill.cli.options import ACTOR, Database, in_book

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.kit.errors import Unavailable

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")]


def add_to(group: typer.Typer) -> None:
    group.command("export", epilog="Example: ordermill users export ada@example.com --output ada.json")(export_user)
    group.command("erase", epilog="Example: ordermill users erase ada@example.com")(erase_user)


def export_user(
    email: Email,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Else it is printed.", show_default=False)
    ] = None,
    database: Database = None,
) -> None:
    """Take out everything the book knows of a person, as one JSON document."""

    async def work(services: "Services") -> None:
        user = await services.privacy.by_email(email)
        document = await services.privacy.export(user.id or 0)
        if output is None:
            async for piece in document:
                typer.echo(piece, nl=False)
            return
        from ordermill.kit.files import Replacement

        with Replacement(output, refusal=lambda error: _unwritable(output, error)) as file:
            async for piece in document:
                file.write(piece)
        narrate(f"Written to {output}.")

    in_book(work, database=database)


def erase_user(
    email: Email,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first; without a terminal nobody is asked.")] = False,
    database: Database = None,
) -> None:
    """
    Forget a person for good: name, addresses, notes, sign-in. What was sold and paid stays in the figures.

    Nothing brings it back, and no later import does either. Export first what the person should be given.
    """

    async def work(services: "Services") -> None:
        user = await services.privacy.by_email(email)
        if not yes and sys.stdin.isatty():
            narrate(f"User {user.id}: {user.email}, {user.name}, in {services.settings.database}.")
            typer.confirm("Erase this person for good?", abort=True, err=True)
        done = await services.privacy.erase(user.id or 0, actor=ACTOR)
        say(f"User {done.user_id} is erased: {done.orders:,} orders and {done.rejects:,} rejects blanked.")

    in_book(work, database=database, writes=True)


def _unwritable(path: Path, error: OSError) -> "Unavailable":
    from ordermill.kit.errors import Unavailable

    return Unavailable(f"The data cannot be written to {str(path)!r}: {error.strerror}.", code="export_unwritable")
