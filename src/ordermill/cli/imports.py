"""`ordermill imports`: what `process` did, and what it refused. The way back: `undo`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli import undo
from ordermill.cli.console import narrate, print_json, say, show
from ordermill.cli.options import Database, Json, Limit, identity, in_book
from ordermill.cli.tables import Table, table

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.imports.model import Import, Reject

_COUNTS = ("read", "new", "updated", "unchanged", "rejected")

Id = Annotated[str | None, typer.Argument(metavar="[ID]", help="The import; without one, the latest.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(name="imports", help="What was imported, what was refused, and the way back.", no_args_is_help=True)
    group.command("list", epilog="Example: ordermill imports list --limit 5")(list_imports)
    group.command("show", epilog="Example: ordermill imports show")(show_import)
    group.command("rejects", epilog="Example: ordermill imports rejects --output repair.csv")(show_rejects)
    undo.add_to(group)
    app.add_typer(group)


def list_imports(
    *,
    limit: Limit = 20,
    after: Annotated[
        str | None, typer.Option("--after", metavar="ID", help="Only imports older than this one.", show_default=False)
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List imports, latest first."""
    from ordermill.imports.report import import_shape

    behind = identity(after, what="import") if after is not None else None

    async def work(services: "Services") -> None:
        runs = await services.runs.recent(limit=limit + 1, after=behind)
        shown, more = runs[:limit], len(runs) > limit
        if as_json:
            cursor = str(shown[-1].id) if more else None
            print_json({"data": [import_shape(run) for run in shown], "has_more": more, "next_cursor": cursor})
            return
        found = table("Imports", "id", "begun (UTC)", "file", "channel", "state", *_COUNTS, numbers=_COUNTS)
        for run in shown:
            figures = (f"{run.tally.orders[name]:,}" for name in _COUNTS)
            found.rows.append(
                (str(run.id), f"{run.started_at:%Y-%m-%d %H:%M}", run.file.name, run.file.channel, run.state, *figures)
            )
        show(found)
        if not shown:
            say("There are no imports.")
        elif more:
            say(f"There are older ones: ordermill imports list --after {shown[-1].id}")

    in_book(work, database=database)


def show_import(id: Id = None, *, as_json: Json = False, database: Database = None) -> None:
    """Show one import: what it read, what became of it, and why orders were refused."""
    from ordermill.cli.report import tables
    from ordermill.imports.report import FileReport, Report, import_shape

    async def work(services: "Services") -> None:
        run = await _found(services, id)
        if as_json:
            print_json(import_shape(run))
            return
        show(_facts(run), *tables(Report(dry_run=False, files=[FileReport.of(run)]))[:-1])
        if run.undo:
            show(*await undo.tables(services, run, limit=undo.LISTED))

    in_book(work, database=database)


def show_rejects(
    id: Id = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write all of them to a file that can be repaired and processed."),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Show the orders that an import refused, or write them to a file again."""
    from ordermill.imports.report import reject_shape

    async def work(services: "Services") -> None:
        run = await _found(services, id)
        if output is not None:
            from ordermill.imports.rejects import place

            orders = await services.imports.hand_back(run, place(output))
            narrate(f"{orders:,} orders written to {output}." if orders else "There are no rejects; nothing was written.")
            return
        found = []
        async for reject in services.runs.rejects(run.id):
            found.append(reject)
            if len(found) > limit:
                break
        shown, more = found[:limit], len(found) > limit
        if as_json:
            print_json({"data": [reject_shape(reject) for reject in shown], "has_more": more})
            return
        show(_rejects(run, shown))
        if not shown:
            say("There are no rejects.")
        elif more:
            say(f"There are {run.tally.orders['rejected'] - limit:,} more; --limit shows and --output writes them.")

    in_book(work, database=database)


async def _found(services: "Services", id: str | None) -> "Import":
    """
    Raises:
        Invalid: `invalid_id`.
        NotFound: `import_not_found`.
    """
    return await (services.runs.latest() if id is None else services.runs.get(identity(id, what="import")))


def _facts(run: "Import") -> Table:
    facts = table("Import", "what", "")
    finished = f"{run.finished_at:%Y-%m-%d %H:%M:%S}" if run.finished_at else "-"
    facts.rows.extend(
        [
            ("id", str(run.id)),
            ("state", run.state),
            ("file", run.file.name),
            ("read as", run.file.mapping),
            ("channel", run.file.channel),
            ("bytes", f"{run.file.size:,}"),
            ("SHA-256", run.file.sha256),
            ("begun (UTC)", f"{run.started_at:%Y-%m-%d %H:%M:%S}"),
            ("finished (UTC)", finished),
        ]
    )
    return facts


def _rejects(run: "Import", rejects: "list[Reject]") -> Table:
    found = table(f"Rejects of {run.file.name}", "line", "order", "field", "value", "reason", "what to do", numbers=("line",))
    for reject in rejects:
        cells = (reject.number or "-", reject.field or "-", reject.value or "-", reject.code, reject.message)
        found.rows.append((f"{reject.line}", *cells))
    return found
