"""Those of `ordermill orders` that are about one of them: shown, its goods moved, money received and given back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ordermill.cli.console import print_json, say, show
from ordermill.cli.options import ACTOR, Database, Json, in_book
from ordermill.cli.tables import Table, table

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.kit.events import Event
    from ordermill.orders.changes import MoneyDraft
    from ordermill.orders.model import Movement, Order

Reference = Annotated[str, typer.Argument(metavar="ORDER", help="Its number or its id.")]
Channel = Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Where orders come from.", show_default=False)]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="In the order's currency, such as 4.50.")]
Method = Annotated[str | None, typer.Option("--method", metavar="NAME", help="How, such as cash or card.", show_default=False)]
Provider = Annotated[
    str | None, typer.Option("--reference", metavar="TEXT", help="The payment provider's own.", show_default=False)
]


def add_to(group: typer.Typer) -> None:
    group.command("show", epilog="Example: ordermill orders show 1001")(show_order)
    group.command("set-status", epilog="Example: ordermill orders set-status 1001 shipped --carrier DHL")(set_status)
    group.command("pay", epilog="Example: ordermill orders pay 1001 9.00 --method transfer")(pay)
    group.command("refund", epilog="Example: ordermill orders refund 1001 4.50 --method cash")(refund)


def show_order(order: Reference, *, channel: Channel = None, as_json: Json = False, database: Database = None) -> None:
    """Show one order: its items, its money, and what happened to it."""
    from ordermill.orders.shape import order_shape

    async def work(services: "Services") -> None:
        found = await services.orders.get(order, channel=channel)
        if as_json:
            print_json(order_shape(found))
            return
        payments, refunds = await services.orders.money(found.id)
        money = (_movements("Payments", payments), _movements("Refunds", refunds))
        show(_facts(found), _items(found), *money, _events(await services.orders.events(found.id)))

    in_book(work, database=database)


def set_status(  # noqa: PLR0913  # each is an option of the command
    order: Reference,
    status: Annotated[str, typer.Argument(metavar="STATUS", help="processing, shipped, delivered or cancelled.")],
    *,
    channel: Channel = None,
    carrier: Annotated[
        str | None, typer.Option("--carrier", metavar="NAME", help="Who carries the goods, with shipped.", show_default=False)
    ] = None,
    tracking_number: Annotated[
        str | None,
        typer.Option("--tracking-number", metavar="TEXT", help="The carrier's number, with shipped.", show_default=False),
    ] = None,
    database: Database = None,
) -> None:
    """
    Move an order on: pending, processing, shipped, delivered; or cancel it before it is shipped.

    A move that is not allowed is refused, with those that are. Later imports leave a status alone that was set here.
    """
    from ordermill.orders.changes import Shipment

    shipment = Shipment(carrier=carrier, tracking_number=tracking_number)

    async def work(services: "Services") -> None:
        moved = await services.orders.set_status(order, status, channel=channel, shipment=shipment, actor=ACTOR)
        say(f"Order {moved.number} of {moved.channel} is {moved.status} now.")

    in_book(work, database=database, writes=True)


def pay(  # noqa: PLR0913  # each is an option of the command
    order: Reference,
    amount: Amount,
    *,
    channel: Channel = None,
    method: Method = None,
    reference: Provider = None,
    database: Database = None,
) -> None:
    """
    Record that money was received; no money is moved by it.

    More than the order's total may be received, and given back then.
    """
    draft = _money(amount, method, reference)

    async def work(services: "Services") -> None:
        paid = await services.orders.record_payment(order, draft, channel=channel, actor=ACTOR)
        say(
            f"Order {paid.number} of {paid.channel} is {paid.payment} now: "
            f"{paid.currency} {paid.paid:,} of {paid.total:,} received."
        )

    in_book(work, database=database, writes=True)


def refund(  # noqa: PLR0913  # each is an option of the command
    order: Reference,
    amount: Amount,
    *,
    channel: Channel = None,
    method: Method = None,
    reference: Provider = None,
    database: Database = None,
) -> None:
    """
    Record that money was given back; no money is moved by it.

    Never more than was paid. It counts in the month in which it is recorded.
    """
    draft = _money(amount, method, reference)

    async def work(services: "Services") -> None:
        moved = await services.orders.record_refund(order, draft, channel=channel, actor=ACTOR)
        say(
            f"Order {moved.number} of {moved.channel} is {moved.payment} now: "
            f"{moved.currency} {moved.refunded:,} of {moved.paid:,} given back."
        )

    in_book(work, database=database, writes=True)


def _money(amount: str, method: str | None, reference: str | None) -> "MoneyDraft":
    from ordermill.kit.money import parse_amount
    from ordermill.orders.changes import MoneyDraft

    return MoneyDraft(amount=parse_amount(amount), method=method, reference=reference)


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
            ("carrier", " ".join(part for part in (order.carrier, order.tracking_number) if part) or "-"),
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


def _movements(title: str, movements: "Sequence[Movement]") -> Table:
    money = table(title, "at (UTC)", "amount", "method", "reference", "recorded", numbers=("amount",))
    for movement in movements:
        amount = f"{movement.currency} {movement.amount:,}"
        recorded = "by an import" if movement.import_id else "here"
        money.rows.append(
            (f"{movement.at:%Y-%m-%d %H:%M:%S}", amount, movement.method or "-", movement.reference or "-", recorded)
        )
    return money


def _events(events: "Sequence[Event]") -> Table:
    ledger = table("What happened", "", "at (UTC)", "event", "what", "by", numbers=("",))
    for event in events:
        moment = f"{event.at:%Y-%m-%d %H:%M:%S}"
        ledger.rows.append((str(event.sequence), moment, event.type, _said(event.data), event.actor))
    return ledger


def _said(facts: dict[str, Any]) -> str:
    # In order of their names: a database need not keep the one they were written in.
    return ", ".join(f"{name} {value}" for name, value in sorted(facts.items()) if name != "id") or "-"
