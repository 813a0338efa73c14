"""`ordermill serve`: the API in one process, or in several on PostgreSQL."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli.console import narrate
from ordermill.cli.options import Database, settings

if TYPE_CHECKING:
    import socket

    from ordermill.bootstrap import Services
    from ordermill.config import Settings


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: ordermill serve")(serve)


def serve(
    *,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; 0.0.0.0 is everywhere.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Which port; 0 takes a free one.")] = 8000,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, max=64, help="How many processes; on PostgreSQL.")
    ] = 1,
    database: Database = None,
) -> int:
    """
    Serve the API; a new embedded book is created where there is none.

    Stops in order on SIGTERM and Ctrl-C: accepts nothing new, finishes what was begun, and ends with exit code 0. Log lines go
    to stderr, as JSON when that is no terminal.
    """
    import logging

    from ordermill.cli.logs import to_stderr
    from ordermill.cli.serving.server import listen, run, url_of
    from ordermill.kit.errors import Invalid

    to_stderr(logging.INFO)
    chosen = settings(database)
    if workers > 1 and chosen.database.embedded:
        raise Invalid("An embedded book has one server process; leave --workers away, or use PostgreSQL.", code="one_worker")
    with listen(host, port) as listener:
        _hand_on(chosen, database=database, url=url_of(listener))
        if workers > 1:
            return _run_workers(workers, listener, chosen)

        async def announce(services: "Services") -> None:
            narrate(*await _words(services, url_of(listener)))

        run(listener, chosen, announce=announce)
    return 0


def _hand_on(chosen: "Settings", *, database: str | None, url: str) -> None:
    """Let the application, which reads its settings itself, find what was said on the command line."""
    if database is not None:
        os.environ["ORDERMILL_DATABASE_URL"] = chosen.database_url.get_secret_value()
    if chosen.public_url is None:
        os.environ["ORDERMILL_PUBLIC_URL"] = url


def _run_workers(count: int, listener: "socket.socket", chosen: "Settings") -> int:
    import asyncio

    from ordermill.bootstrap import open_services
    from ordermill.cli.serving.server import spread, url_of
    from ordermill.cli.serving.workers import Workers

    async def look() -> list[str]:
        # What refuses one refuses all: said once, before any of them is begun.
        async with open_services(settings(None)) as services:
            _ = services.keyring
            return await _words(services, url_of(listener))

    words = asyncio.run(look())
    listeners = spread(listener, count)
    return Workers(listeners, patience_s=chosen.request_timeout).run(announce=lambda: narrate(*words))


async def _words(services: "Services", url: str) -> list[str]:
    """Return what is said when requests are answered."""
    from ordermill import __version__

    lines = [
        f"Ordermill {__version__} serves {services.settings.database}.",
        f"  API            {url}",
        f"  Documentation  {url}/docs",
    ]
    if link := await services.accounts.first_staff_link():
        lines += [
            "There is no staff user yet. Whoever opens this link first becomes one; it works once, within the hour:",
            f"  {link}",
        ]
    return lines
