"""`ordermill imports undo`: an import taken back, and what had to be left."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ordermill.cli.console import complain, narrate, print_json, show
from ordermill.cli.options import Database, Json, Limit, identity, in_book
from ordermill.cli.tables import Table, table

if TYPE_CHECKING:
    from uuid import UUID

    from ordermill.bootstrap import Services
    from ordermill.cli.interruption import Interruption
    from ordermill.imports.model import Import, Left

LISTED: Final = 100


def add_to(group: typer.Typer) -> None:
    group.command("undo", epilog="Example: ordermill imports undo 019bd7a2-6b40-7c11-a54e-1f0c9d3f2a77")(undo_import)


def undo_import(
    id: Annotated[str, typer.Argument(metavar="IMPORT_ID", help="The import, as `ordermill imports list` shows it.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first; without a terminal nobody is asked.")] = False,
    limit: Limit = LISTED,
    as_json: Json = False,
    database: Database = None,
) -> int:
    """
    Take an import back: remove the orders that it created, and give those that it updated what they had before.

    What was changed since is left as it is and listed; the exit code is then 1. Interrupted at any moment, the same command
    goes on from there. Afterwards the file may be processed again.
    """
    from ordermill.cli.interruption import Interruption
    from ordermill.cli.program import Code
    from ordermill.imports.report import import_shape, left_shape

    wanted = identity(id, what="import")

    async def work(services: "Services") -> int:
        if not yes and sys.stdin.isatty():
            await _ask(services, wanted)
        with Interruption() as interruption:
            run = await services.undoing.undo(wanted, progress=_progress, stop=lambda: interruption.number is not None)
        if run.state == "undoing":
            return _stopped(interruption)
        left, more = await _left(services, run, limit=limit)
        if as_json:
            print_json({**import_shape(run), "left": [left_shape(each) for each in left], "has_more": more})
        else:
            show(_done(run), _table(left))
        return Code.DIFFERENCES if left else Code.DONE

    return in_book(work, database=database, writes=True)


async def tables(services: "Services", run: "Import", *, limit: int) -> list[Table]:
    """Return what an undo did and what it left as tables."""
    left, _ = await _left(services, run, limit=limit)
    return [_done(run), _table(left)]


async def _ask(services: "Services", id: "UUID") -> None:
    run = await services.runs.get(id)
    if run.undoable:
        orders = run.tally.orders
        narrate(f"{run.file.name}, imported {run.started_at:%Y-%m-%d %H:%M} UTC into {services.settings.database}:")
        narrate(f"{orders['new']:,} orders that it created, {orders['updated']:,} that it updated.")
        typer.confirm("Take them back?", abort=True, err=True)


def _progress(run: "Import") -> None:
    if run.undo and run.state == "undoing" and sys.stderr.isatty():
        narrate(f"{run.undo.restored:,} orders restored, {run.undo.removed:,} removed so far.")


def _stopped(interruption: "Interruption") -> int:
    complain("Stopped. The same command goes on from here.")
    return interruption.code


async def _left(services: "Services", run: "Import", *, limit: int) -> "tuple[list[Left], bool]":
    found: list[Left] = []
    async for left in services.undoing.left(run.id):
        if len(found) == limit:
            return found, True
        found.append(left)
    return found, False


def _done(run: "Import") -> Table:
    done = table("Undo", "what", "count", numbers=("count",))
    counts = run.undo.counts if run.undo else {}
    words = {
        "removed": "orders removed",
        "restored": "orders restored",
        "users_removed": "users removed",
        "left": "orders left",
    }
    done.rows.extend((words[name], f"{count:,}") for name, count in counts.items())
    return done


def _table(left: "list[Left]") -> Table:
    from ordermill.imports.report import LEFT

    found = table("Left as they are", "order", "id", "was", "reason", "what it means")
    for each in left:
        was = "created" if each.created else "updated"
        found.rows.append((each.number, str(each.order_id), was, each.reason, LEFT[each.reason]))
    return found
