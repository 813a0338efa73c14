"""`ordermill process`: what can be typed. How it is done: `processing`."""

from pathlib import Path
from typing import Annotated

import typer

from ordermill.cli.options import Database, Json

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Order files, .gz too; - is standard input.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="REPORT", help="Write the report to a file as well: .json, .csv or .md."),
]
Format = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help="The files' format, where it cannot be recognised.")
]
Map = Annotated[
    Path | None, typer.Option("--map", metavar="MAP.toml", help="A map file: how a table's columns make up orders.")
]
Channel = Annotated[
    str | None, typer.Option("--channel", metavar="NAME", help="Where the orders come from; else the format's name.")
]
Currency = Annotated[
    str | None, typer.Option("--currency", metavar="CUR", help="The currency where a file names none, such as EUR.")
]
Timezone = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="The zone of local times in files, such as Europe/Berlin.")
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="The files' encoding where it is not UTF-8, such as cp1252."),
]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", metavar="C", help="The character between fields, such as ; or \\t.")
]
NoGuests = Annotated[bool, typer.Option("--no-guests", help="Reject orders without an e-mail address.")]
NoMerge = Annotated[bool, typer.Option("--no-merge", help="Keep lines of one product at one price apart.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")]
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects", metavar="FILE", help="Where rejects go, replacing a file there; else NAME.rejects.EXT beside the report."
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="List every reject, and the time of each batch.")]


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: ordermill process orders.csv shopify.csv --output report.md")(process)


def process(  # noqa: PLR0913  # each is an option of the command
    files: Files,
    *,
    output: Output = None,
    format: Format = None,
    map: Map = None,
    channel: Channel = None,
    currency: Currency = None,
    timezone: Timezone = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    no_guests: NoGuests = False,
    no_merge: NoMerge = False,
    dry_run: DryRun = False,
    rejects: Rejects = None,
    as_json: Json = False,
    verbose: Verbose = False,
    database: Database = None,
) -> int:
    """
    Bring order files into the book: recognised, validated, loaded once and only once.

    What is wrong is rejected, with file, line, field and reason, and goes to a file that can be repaired and processed
    again. Interrupted at any moment, the same command goes on from there.
    """
    from ordermill.cli.processing import Request, run

    return run(
        Request(
            files=files,
            output=output,
            format=format,
            map=map,
            channel=channel,
            currency=currency,
            timezone=timezone,
            encoding=encoding,
            delimiter=delimiter,
            guests=not no_guests,
            merge=not no_merge,
            dry_run=dry_run,
            rejects=rejects,
            as_json=as_json,
            verbose=verbose,
            database=database,
        )
    )
