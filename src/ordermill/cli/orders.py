"""`ordermill orders`: finding orders, and taking them out to a file. What is about one of them: one_order."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from ordermill.cli import one_order
from ordermill.cli.console import narrate, print_json, say, show
from ordermill.cli.one_order import Channel
from ordermill.cli.options import Database, Json, Limit, in_book, settings
from ordermill.cli.tables import table

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.orders.model import Order
    from ordermill.orders.ports import OrderFilter, Place

Status = Annotated[
    str | None, typer.Option("--status", metavar="STATUS", help="Such as pending or shipped.", show_default=False)
]
Payment = Annotated[str | None, typer.Option("--payment", metavar="STATE", help="Such as paid or unpaid.", show_default=False)]
Customer = Annotated[
    str | None, typer.Option("--customer", metavar="EMAIL", help="The buyer's e-mail address.", show_default=False)
]
Number = Annotated[str | None, typer.Option("--number", metavar="NUMBER", help="The order's number.", show_default=False)]
PlacedFrom = Annotated[
    str | None,
    typer.Option("--placed-from", metavar="WHEN", help="Placed then or later: 2026-01-31, or with a time.", show_default=False),
]
PlacedTo = Annotated[str | None, typer.Option("--placed-to", metavar="WHEN", help="Placed before then.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(
        name="orders", help="Find orders, move their goods and money, and take them out to a file.", no_args_is_help=True
    )
    group.command("list", epilog="Example: ordermill orders list --status pending --placed-from 2026-01-01")(list_orders)
    one_order.add_to(group)
    group.command("export", epilog="Example: ordermill orders export orders.jsonl --channel shopify")(export)
    app.add_typer(group)


def list_orders(  # noqa: PLR0913  # each is an option of the command
    *,
    status: Status = None,
    payment: Payment = None,
    channel: Channel = None,
    customer: Customer = None,
    number: Number = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    limit: Limit = 50,
    after: Annotated[
        str | None,
        typer.Option(
            "--after", metavar="PLACE", help="Only orders behind this place, as the page before names it.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List orders, latest placed first."""
    from ordermill.orders.shape import order_shape

    behind = None if after is None else _place(after)
    bounds = _bounds(placed_from, placed_to, database=database)
    wanted = _filter(bounds, status=status, payment=payment, channel=channel, customer=customer, number=number)

    async def work(services: "Services") -> None:
        orders = await services.orders.newest(wanted, limit=limit + 1, after=behind)
        shown, more = orders[:limit], len(orders) > limit
        if as_json:
            cursor = _after(shown[-1]) if more else None
            print_json({"data": [order_shape(order) for order in shown], "has_more": more, "next_cursor": cursor})
            return
        found = table(
            "Orders", "number", "channel", "placed (UTC)", "status", "payment", "customer", "items", "total",
            numbers=("items", "total"),
        )  # fmt: skip
        found.rows.extend(map(_row, shown))
        show(found)
        if not shown:
            say("There are no such orders.")
        elif more:
            say(f"There are more: --after {_after(shown[-1])}")

    in_book(work, database=database)


def export(  # noqa: PLR0913  # each is an option of the command
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends with .csv or .jsonl; a file there is replaced.")],
    *,
    status: Status = None,
    payment: Payment = None,
    channel: Channel = None,
    customer: Customer = None,
    number: Number = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    database: Database = None,
) -> None:
    """Take orders out to a file that `ordermill process` reads back to the same book."""
    bounds = _bounds(placed_from, placed_to, database=database)
    wanted = _filter(bounds, status=status, payment=payment, channel=channel, customer=customer, number=number)

    async def work(services: "Services") -> None:
        written = await services.orders.export(file, wanted)
        narrate(f"{written.orders:,} orders with {written.items:,} items written to {written.path}.")

    in_book(work, database=database)


def _filter(bounds: "tuple[datetime | None, datetime | None]", **parts: str | None) -> "OrderFilter":
    from ordermill.orders.ports import OrderFilter

    return OrderFilter(placed_from=bounds[0], placed_to=bounds[1], **parts)


def _bounds(
    placed_from: str | None, placed_to: str | None, *, database: str | None
) -> "tuple[datetime | None, datetime | None]":
    zone = settings(database).timezone
    return _moment(placed_from, zone), _moment(placed_to, zone)


def _moment(text: str | None, timezone: str) -> datetime | None:
    """
    Read a date or a moment; without an offset it is of the settings' zone.

    Raises:
        Invalid: `time_malformed`.
    """
    from ordermill.kit.calendar import zone
    from ordermill.kit.errors import Invalid

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone(timezone))
    except (ValueError, OverflowError):
        raise Invalid(f"{text!r} is no moment; write 2026-01-31 or 2026-01-31T10:30.", code="time_malformed") from None


def _after(order: "Order") -> str:
    """Return the place of an order as one word; by values, so that the next page begins there though the order be gone."""
    from ordermill.orders.ports import Place

    return _word(Place(order.placed_at, order.id))


def _word(place: "Place") -> str:
    return f"{place.placed_at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z/{place.id}"


def _place(text: str) -> "Place":
    """
    Read such a word.

    Raises:
        Invalid: `cursor_invalid`.
    """
    from ordermill.kit.errors import Invalid
    from ordermill.orders.ports import Place

    moment, _, id = text.partition("/")
    try:
        place = Place(datetime.fromisoformat(moment.removesuffix("Z")).replace(tzinfo=UTC), UUID(id))
    except ValueError:
        place = None
    if place is None or _word(place) != text:
        raise Invalid(f"{text!r} is no place in a list; copy it from the page before.", code="cursor_invalid")
    return place


def _row(order: "Order") -> tuple[str, ...]:
    return (
        order.number,
        order.channel,
        f"{order.placed_at:%Y-%m-%d %H:%M}",
        order.status,
        order.payment,
        order.customer_email or "guest",
        str(len(order.items)),
        f"{order.currency} {order.total:,}",
    )
