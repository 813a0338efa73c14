"""`ordermill stats`: the months of a year, and the proof and repair of the kept figures."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ordermill.cli.console import complain, narrate, print_json, say, show
from ordermill.cli.options import Database, Json, in_book
from ordermill.cli.tables import Table, table

if TYPE_CHECKING:
    from decimal import Decimal

    from ordermill.bootstrap import Services
    from ordermill.statistics.model import Difference, Extent, MonthlyStatistics

_BAR: Final = 24  # characters of the longest


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(
        name="stats", help="The months of a year in numbers.", epilog="Example: ordermill stats --year 2026 --currency EUR"
    )
    group.callback(invoke_without_command=True)(months)
    group.command(epilog="Example: ordermill stats verify")(verify)
    group.command(epilog="Example: ordermill stats rebuild")(rebuild)
    app.add_typer(group)


def months(  # noqa: PLR0913  # each is an option of the command
    context: typer.Context,
    *,
    year: Annotated[
        int | None, typer.Option("--year", metavar="YEAR", help="Else the latest with orders.", show_default=False)
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option("--currency", metavar="CUR", help="Else ORDERMILL_CURRENCY where it has orders.", show_default=False),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone", metavar="ZONE", help="The months are of this zone; else ORDERMILL_TIMEZONE.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Show the months of a year: orders, totals, averages, refunds. Cancelled orders are left out."""
    if context.invoked_subcommand:
        _hand_on(context, database, others=[year, currency, timezone, as_json or None])
        return

    async def work(services: "Services") -> None:
        asked = services.settings
        extents = await services.statistics.currencies()
        wanted = _currency(extents, preferred=asked.currency) if currency is None else currency.strip().upper()
        zone = asked.timezone if timezone is None else timezone
        shown = _year(extents, wanted, zone=zone, otherwise=services.clock.now().year) if year is None else year
        answer = await services.statistics.monthly(shown, currency=wanted, timezone=zone)
        if as_json:
            print_json(answer.as_json())
            return
        show(_months(answer))
        others = [extent.currency for extent in extents if extent.currency != wanted]
        if others:
            say(f"There are also orders in {', '.join(others)}; --currency shows them.")

    in_book(work, database=database)


def verify(context: typer.Context, *, database: Database = None) -> int:
    """Prove the kept figures against all orders and refunds; exit code 1 where they differ."""
    from ordermill.cli.program import Code

    async def work(services: "Services") -> int:
        differences = await services.statistics.verify()
        if not differences:
            say("The statistics are those of the orders.")
            return Code.DONE
        show(_differences(differences))
        complain(f"{len(differences):,} hours differ from their orders.")
        return Code.DIFFERENCES

    narrate("Comparing the kept figures with all orders…")
    return in_book(work, database=database or context.obj.get("database"))


def rebuild(context: typer.Context, *, database: Database = None) -> None:
    """Bring the kept figures back to those of all orders and refunds, and show what differed."""

    async def work(services: "Services") -> None:
        differences = await services.statistics.rebuild()
        if differences:
            show(_differences(differences))
        say(f"{len(differences):,} hours were brought back to their orders.")

    narrate("Comparing the kept figures with all orders…")
    in_book(work, database=database or context.obj.get("database"), writes=True)


def _hand_on(context: typer.Context, database: str | None, *, others: list[object]) -> None:
    """
    Let `stats --database URL verify` mean what it says.

    Raises:
        Invalid: `usage`, for options that only the months have.
    """
    from ordermill.kit.errors import Invalid

    if any(given is not None for given in others):
        raise Invalid(
            "`stats verify` and `stats rebuild` look at every figure; "
            "--year, --currency, --timezone and --json are not for them.",
            code="usage",
        )
    context.obj["database"] = database


def _currency(extents: "list[Extent]", *, preferred: str) -> str:
    """Return the settings' currency where it has orders, else that of the latest order."""
    if not extents or any(extent.currency == preferred for extent in extents):
        return preferred
    return max(extents, key=lambda extent: extent.last).currency


def _year(extents: "list[Extent]", currency: str, *, zone: str, otherwise: int) -> int:
    from ordermill.kit.calendar import zone as named

    last = [extent.last for extent in extents if extent.currency == currency]
    return last[0].astimezone(named(zone)).year if last else otherwise


def _months(answer: "MonthlyStatistics") -> Table:
    numbers = ("orders", "total", "average", "refunded")
    shown = table(f"{answer.year} in {answer.currency} ({answer.timezone})", "month", *numbers, "", numbers=numbers)
    most = max(month.total for month in answer.months)
    for month in answer.months:
        figures = _figures(month.count, month.total, month.average, month.refunded)
        shown.rows.append((month.month, *figures, _bar(month.total, most)))
    shown.rows.append(("year", *_figures(answer.count, answer.total, answer.average, answer.refunded), ""))
    return shown


def _figures(count: int, total: "Decimal", average: "Decimal | None", refunded: "Decimal") -> tuple[str, ...]:
    return f"{count:,}", f"{total:,}", "-" if average is None else f"{average:,}", f"{refunded:,}"


def _bar(total: "Decimal", most: "Decimal") -> str:
    if not most:
        return ""
    length = int(total * _BAR / most)
    return ("█" if sys.stdout.isatty() else "#") * (length or bool(total))


def _differences(differences: "list[Difference]") -> Table:
    names = ("orders", "orders found", "minor units", "minor units found", "refunded", "refunded found")
    shown = table("Hours that differ", "hour (UTC)", "currency", *names, numbers=names)
    for each in differences:
        kept, actual = each.kept, each.actual
        pairs = ((kept.count, actual.count), (kept.total, actual.total), (kept.refunded, actual.refunded))
        shown.rows.append(
            (f"{each.bucket.hour:%Y-%m-%d %H:00}", each.bucket.currency, *(f"{figure:,}" for pair in pairs for figure in pair))
        )
    return shown
