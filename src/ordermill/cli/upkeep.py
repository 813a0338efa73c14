"""Looking after the book: `migrate`, `audit`, `doctor`."""

import sys
from typing import TYPE_CHECKING

import typer

from ordermill.cli.console import complain, narrate, say, show
from ordermill.cli.options import Database, in_book, settings
from ordermill.cli.tables import Table, table

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.operations.audit import Finding
    from ordermill.operations.rules import Rule


def add_to(app: typer.Typer) -> None:
    app.command(epilog="Example: ordermill migrate --database postgresql://shop@localhost/orders")(migrate)
    app.command(epilog="Example: ordermill audit")(audit)
    app.command(epilog="Example: ordermill doctor")(doctor)


def migrate(*, database: Database = None) -> None:
    """Bring the order book to this program's schema; a new one is created."""
    from ordermill.bootstrap import prepare

    chosen = settings(database)
    applied = prepare(chosen.database)
    for name in applied:
        say(f"Applied {name}.")
    narrate(f"Written to {chosen.database}." if applied else f"{chosen.database} is up to date.")


def audit(*, database: Database = None) -> int:
    """Recompute every total, stock and statistic of the book; exit code 1 where something differs."""
    from ordermill.cli.program import Code

    async def work(services: "Services") -> int:
        findings = await services.audit.run(progress=_progress)
        if not findings:
            say("0 differences: everything in the book adds up.")
            return Code.DONE
        show(_findings(findings))
        complain(f"{sum(finding.count for finding in findings):,} differences.")
        return Code.DIFFERENCES

    return in_book(work, database=database)


def doctor(*, database: Database = None) -> int:
    """Check what the book stands on: settings, database, schema, disk, clock; exit code 3 where it cannot work."""
    import asyncio

    from ordermill.bootstrap import examine
    from ordermill.cli.logs import to_stderr
    from ordermill.cli.program import Code
    from ordermill.operations.checks import Level, worst

    to_stderr()
    chosen = settings(database)
    named = "ORDERMILL_DATABASE_URL" if "database_url" in chosen.model_fields_set else "the default"
    found = asyncio.run(examine(chosen, origin="--database" if database else named))
    checks = table("Doctor", "", "what", "how it is")
    checks.rows.extend((check.level, check.name.replace("_", " "), check.sentence) for check in found)
    show(checks)
    return Code.ENVIRONMENT if worst(found) is Level.FAILURE else Code.DONE


def _progress(rule: "Rule", done: int, of: int) -> None:
    if sys.stderr.isatty():
        narrate(f"{done + 1}/{of} {rule.sentence}")


def _findings(findings: "list[Finding]") -> Table:
    found = table("Differences", "rule", "count", "for example", "should be", "is", numbers=("count",))
    for finding in findings:
        count = f"{finding.count:,}"
        for example in finding.examples:
            found.rows.append((finding.rule, count, example.what, example.expected, example.found))
            count = ""
    return found
