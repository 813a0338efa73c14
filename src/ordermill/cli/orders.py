"""`ordermill orders`: finding orders, and taking them out to a file."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli.console import narrate, print_json, say, show
from ordermill.cli.options import Database, Json, Limit, identity, in_book, settings
from ordermill.cli.tables import Table, table

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.kit.events import Event
    from ordermill.orders.model import Order
    from ordermill.orders.ports import OrderFilter

Status = Annotated[
    str | None, typer.Option("--status", metavar="STATUS", help="Such as pending or shipped.", show_default=False)
]
Payment = Annotated[str | None, typer.Option("--payment", metavar="STATE", help="Such as paid or unpaid.", show_default=False)]
Channel = Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Where orders come from.", show_default=False)]
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
    group = typer.Typer(name="orders", help="Find orders, and take them out to a file.", no_args_is_help=True)
    group.command("list", epilog="Example: ordermill orders list --status pending --placed-from 2026-01-01")(list_orders)
    group.command("show", epilog="Example: ordermill orders show 1001")(show_order)
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
        str | None, typer.Option("--after", metavar="ID", help="Only orders behind this one.", show_default=False)
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List orders, latest placed first."""
    from ordermill.orders.shape import order_shape

    behind = identity(after, what="order") if after is not None else None
    bounds = _bounds(placed_from, placed_to, database=database)
    wanted = _filter(bounds, status=status, payment=payment, channel=channel, customer=customer, number=number)

    async def work(services: "Services") -> None:
        orders = await services.orders.newest(wanted, limit=limit + 1, after=behind)
        shown, more = orders[:limit], len(orders) > limit
        if as_json:
            cursor = str(shown[-1].id) if more else None
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
            say(f"There are more: --after {shown[-1].id}")

    in_book(work, database=database)


def show_order(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Its number or its id.")],
    *,
    channel: Channel = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Show one order: its items, its money, and what happened to it."""
    from ordermill.orders.shape import order_shape

    async def work(services: "Services") -> None:
        found = await services.orders.get(order, channel=channel)
        if as_json:
            print_json(order_shape(found))
            return
        show(_facts(found), _items(found), _events(await services.orders.events(found.id)))

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


def _facts(order: "Order") -> Table:
    facts = table(f"Order {order.number}", "what", "")
    facts.rows.extend(
        [
            ("id", str(order.id)),
            ("channel", order.channel),
            ("external id", order.external_id or "-"),
            ("status", order.status),
            ("payment", order.payment),
            ("customer", order.customer_email or "guest"),
            ("placed (UTC)", f"{order.placed_at:%Y-%m-%d %H:%M:%S}"),
            *(
                (name, f"{order.currency} {getattr(order, name):,}")
                for name in ("subtotal", "discount", "shipping", "tax", "total")
            ),
            ("paid", f"{order.currency} {order.paid:,}"),
            ("refunded", f"{order.currency} {order.refunded:,}"),
            ("ships to", _place(order)),
            ("note", order.note or "-"),
        ]
    )
    return facts


def _place(order: "Order") -> str:
    address = order.shipping_address
    if address is None:
        return "-"
    parts = (address.name, address.company, address.line1, address.line2, address.postal_code, address.city, address.country)
    return ", ".join(part for part in parts if part)


def _items(order: "Order") -> Table:
    items = table(
        "Items", "SKU", "name", "quantity", "unit price", "total", "discount",
        numbers=("quantity", "unit price", "total", "discount"),
    )  # fmt: skip
    for item in order.items:
        items.rows.append(
            (item.sku, item.name, f"{item.quantity:,}", f"{item.unit_price:,f}", f"{item.total:,}", f"{item.discount:,}")
        )
    return items


def _events(events: "Sequence[Event]") -> Table:
    ledger = table("What happened", "", "at (UTC)", "event", "by", numbers=("",))
    ledger.rows.extend((str(event.sequence), f"{event.at:%Y-%m-%d %H:%M:%S}", event.type, event.actor) for event in events)
    return ledger
