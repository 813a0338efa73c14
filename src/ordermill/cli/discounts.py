"""`ordermill discounts`: codes that make an order cheaper, one by one and as a file."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli import sheets
from ordermill.cli.console import narrate, print_json, say, show
from ordermill.cli.options import ACTOR, Database, Json, Limit, in_book
from ordermill.cli.tables import table

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.catalogue.model import Discount

Code = Annotated[str, typer.Argument(metavar="CODE", help="6 to 10 capitals and digits.")]
Percent = Annotated[
    str | None, typer.Option("--percent", metavar="N", help="So much of the subtotal, such as 12.5.", show_default=False)
]
Fixed = Annotated[
    str | None, typer.Option("--fixed", metavar="AMOUNT", help="This amount, of `--currency`.", show_default=False)
]
Currency = Annotated[
    str | None, typer.Option("--currency", metavar="CUR", help="Of the amounts: only orders in it.", show_default=False)
]
StartsAt = Annotated[
    str | None,
    typer.Option("--starts-at", metavar="WHEN", help="From then on: 2026-01-31T00:00:00+01:00.", show_default=False),
]
EndsAt = Annotated[str | None, typer.Option("--ends-at", metavar="WHEN", help="Before then.", show_default=False)]
Minimum = Annotated[
    str | None, typer.Option("--minimum", metavar="AMOUNT", help="The least subtotal, in `--currency`.", show_default=False)
]
MaxUses = Annotated[int | None, typer.Option("--max-uses", metavar="N", help="How many orders may use it.", show_default=False)]
MaxUsesPerCustomer = Annotated[
    int | None,
    typer.Option("--max-uses-per-customer", metavar="N", help="How many orders of one customer.", show_default=False),
]


class Bound(StrEnum):
    """What narrows a discount, as options are called."""

    STARTS_AT = "starts-at"
    ENDS_AT = "ends-at"
    MINIMUM = "minimum"
    MAX_USES = "max-uses"
    MAX_USES_PER_CUSTOMER = "max-uses-per-customer"
    CURRENCY = "currency"


Without = Annotated[
    list[Bound] | None,
    typer.Option(
        "--without",
        metavar="LIMIT",
        help="Take off starts-at, ends-at, minimum, max-uses, max-uses-per-customer or currency; may be repeated.",
        show_default=False,
    ),
]
OnlyActive = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Only those in force, or with `--inactive` those that are not.")
]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(name="discounts", help="Codes that make an order cheaper.", no_args_is_help=True)
    group.command("list", epilog="Example: ordermill discounts list --active")(list_discounts)
    group.command(epilog="Example: ordermill discounts add SPRING10 --percent 10 --max-uses 100")(add)
    group.command("set", epilog="Example: ordermill discounts set SPRING10 --inactive")(set_discount)
    group.command("import", epilog="Example: ordermill discounts import discounts.csv --dry-run")(import_file)
    group.command("export", epilog="Example: ordermill discounts export discounts.csv")(export)
    app.add_typer(group)


def list_discounts(
    *,
    active: OnlyActive = None,
    limit: Limit = 50,
    after: Annotated[
        int | None, typer.Option("--after", metavar="ID", help="Only discounts behind this one.", show_default=False)
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List discounts in the order of their ids."""
    from ordermill.catalogue.ports import DiscountFilter
    from ordermill.catalogue.shape import discount_shape

    async def work(services: "Services") -> None:
        page = await services.discounts.page(DiscountFilter(is_active=active), limit=limit, after=after)
        cursor = None if page.last is None else str(page.last.id)
        if as_json:
            print_json({"data": [discount_shape(row) for row in page.rows], "has_more": page.more, "next_cursor": cursor})
            return
        found = table(
            "Discounts",
            "id",
            "code",
            "off",
            "for orders of",
            "from (UTC)",
            "until (UTC)",
            "uses",
            "in force",
            numbers=("id", "uses"),
        )
        found.rows.extend(map(_row, page.rows))
        show(found)
        if not page.rows:
            say("There are no such discounts.")
        elif cursor:
            say(f"There are more: --after {cursor}")

    in_book(work, database=database)


def add(  # noqa: PLR0913  # each is an option of the command
    code: Code,
    *,
    percent: Percent = None,
    fixed: Fixed = None,
    currency: Currency = None,
    starts_at: StartsAt = None,
    ends_at: EndsAt = None,
    minimum: Minimum = None,
    max_uses: MaxUses = None,
    max_uses_per_customer: MaxUsesPerCustomer = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Not in force yet.")] = False,
    database: Database = None,
) -> None:
    """Make a discount."""
    from ordermill.catalogue.drafts import DiscountCreate

    kind, value = _worth(percent, fixed)
    draft = sheets.drafted(
        DiscountCreate,
        code=code,
        kind=kind,
        value=value,
        currency=currency,
        starts_at=starts_at,
        ends_at=ends_at,
        minimum=minimum,
        max_uses=max_uses,
        max_uses_per_customer=max_uses_per_customer,
        is_active=not inactive,
    )

    async def work(services: "Services") -> None:
        _tell(await services.discounts.create(draft, actor=ACTOR))

    in_book(work, database=database, writes=True)


def set_discount(  # noqa: PLR0913  # each is an option of the command
    code: Code,
    *,
    percent: Percent = None,
    fixed: Fixed = None,
    currency: Currency = None,
    starts_at: StartsAt = None,
    ends_at: EndsAt = None,
    minimum: Minimum = None,
    max_uses: MaxUses = None,
    max_uses_per_customer: MaxUsesPerCustomer = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="In force, or with `--inactive` not any more.")
    ] = None,
    without: Without = None,
    database: Database = None,
) -> None:
    """Change what is said of a discount, and leave the rest."""
    from ordermill.catalogue.drafts import DiscountChange
    from ordermill.kit.errors import Invalid

    kind, value = _worth(percent, fixed)
    said = sheets.drafted(
        DiscountChange,
        kind=kind,
        value=value,
        currency=currency,
        starts_at=starts_at,
        ends_at=ends_at,
        minimum=minimum,
        max_uses=max_uses,
        max_uses_per_customer=max_uses_per_customer,
        is_active=active,
    ).said()
    taken_off = {bound.replace("-", "_"): None for bound in without or ()}
    if twice := said.keys() & taken_off:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(twice))
        raise Invalid(f"Say what it is to be, or take it off, and not both: {options}.", code="usage")
    draft = DiscountChange.model_validate({**said, **taken_off})

    async def work(services: "Services") -> None:
        discount = await services.discounts.by_code(code)
        _tell(await services.discounts.change(discount.id or 0, draft, actor=ACTOR))

    in_book(work, database=database, writes=True)


def import_file(
    file: sheets.FromFile,
    *,
    dry_run: sheets.DryRun = False,
    as_json: Json = False,
    database: Database = None,
) -> int:
    """Take in a file of discounts: those of a known code are changed, others are new."""

    async def work(services: "Services") -> int:
        taken = await services.discounts.take_in(file, actor=ACTOR, dry_run=dry_run, told=sheets.progress)
        return sheets.outcome(taken, noun="discounts", dry_run=dry_run, as_json=as_json)

    return in_book(work, database=database, writes=not dry_run)


def export(
    file: sheets.ToFile,
    *,
    active: OnlyActive = None,
    database: Database = None,
) -> None:
    """Take the discounts out to a file that `ordermill discounts import` reads back."""
    from ordermill.catalogue.ports import DiscountFilter

    async def work(services: "Services") -> None:
        written = await services.discounts.export(file, DiscountFilter(is_active=active))
        narrate(f"{written.records:,} discounts written to {written.path}.")

    in_book(work, database=database)


def _worth(percent: str | None, fixed: str | None) -> tuple[str | None, str | None]:
    """
    Return kind and value of what was typed.

    Raises:
        Invalid: `usage`; both were.
    """
    from ordermill.kit.errors import Invalid

    if percent is not None and fixed is not None:
        raise Invalid("A discount is a share or an amount: --percent or --fixed.", code="usage")
    if percent is not None:
        return "percent", percent
    return ("fixed", fixed) if fixed is not None else (None, None)


def _off(discount: "Discount") -> str:
    return f"{discount.value}%" if discount.kind == "percent" else f"{discount.currency} {discount.value:,}"


def _tell(discount: "Discount") -> None:
    active = "in force" if discount.is_active else "not in force"
    say(f"Discount {discount.id}: {discount.code}, {_off(discount)} off, {active}.")


def _row(discount: "Discount") -> tuple[str, ...]:
    uses = f"{discount.uses:,}" if discount.max_uses is None else f"{discount.uses:,} of {discount.max_uses:,}"
    return (
        str(discount.id),
        discount.code,
        _off(discount),
        "" if discount.minimum is None else f"{discount.currency} {discount.minimum:,}",
        f"{discount.starts_at:%Y-%m-%d %H:%M}" if discount.starts_at else "",
        f"{discount.ends_at:%Y-%m-%d %H:%M}" if discount.ends_at else "",
        uses,
        "yes" if discount.is_active else "no",
    )
