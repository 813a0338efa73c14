"""`ordermill products`: the catalogue, one by one and as a file."""

from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli import sheets
from ordermill.cli.console import narrate, print_json, say, show
from ordermill.cli.options import ACTOR, Database, Json, Limit, in_book
from ordermill.cli.tables import table

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.catalogue.model import Product

Sku = Annotated[str, typer.Argument(metavar="SKU", help="Its capitals are significant.")]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="What it is called.", show_default=False)]
Price = Annotated[
    str | None,
    typer.Option("--price", metavar="AMOUNT", help="With the currency's decimals, such as 4.50.", show_default=False),
]
Currency = Annotated[
    str | None,
    typer.Option("--currency", metavar="CUR", help="Of the price; else that of ORDERMILL_CURRENCY.", show_default=False),
]
OnlyActive = Annotated[
    bool | None, typer.Option("--active/--inactive", help="Only those for sale, or with `--inactive` those that are not.")
]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(
        name="products", help="The catalogue: what can be bought, and how much of it there is.", no_args_is_help=True
    )
    group.command("list", epilog="Example: ordermill products list --search tea")(list_products)
    group.command(epilog="Example: ordermill products add TEA-1 --name Tea --price 4.50 --stock 40")(add)
    group.command("set", epilog="Example: ordermill products set TEA-1 --price 4.80 --received 20")(set_product)
    group.command(epilog="Example: ordermill products remove TEA-1")(remove)
    group.command("import", epilog="Example: ordermill products import products.csv --dry-run")(import_file)
    group.command("export", epilog="Example: ordermill products export products.csv")(export)
    app.add_typer(group)


def list_products(  # noqa: PLR0913  # each is an option of the command
    *,
    search: Annotated[
        str | None,
        typer.Option("--search", metavar="WORDS", help="Each begins a word of the name.", show_default=False),
    ] = None,
    sku: Annotated[str | None, typer.Option("--sku", metavar="SKU", help="Exactly this one.", show_default=False)] = None,
    active: OnlyActive = None,
    limit: Limit = 50,
    after: Annotated[
        int | None, typer.Option("--after", metavar="ID", help="Only products behind this one.", show_default=False)
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List products in the order of their ids."""
    from ordermill.catalogue.ports import ProductFilter
    from ordermill.catalogue.shape import product_shape

    wanted = ProductFilter(is_active=active, sku=sku, words=search)

    async def work(services: "Services") -> None:
        page = await services.products.page(wanted, limit=limit, after=after)
        cursor = None if page.last is None else str(page.last.id)
        if as_json:
            print_json({"data": [product_shape(row) for row in page.rows], "has_more": page.more, "next_cursor": cursor})
            return
        found = table("Products", "id", "sku", "name", "price", "stock", "for sale", numbers=("id", "price", "stock"))
        found.rows.extend(map(_row, page.rows))
        show(found)
        if not page.rows:
            say("There are no such products.")
        elif cursor:
            say(f"There are more: --after {cursor}")

    in_book(work, database=database)


def add(  # noqa: PLR0913  # each is an option of the command
    sku: Sku,
    *,
    name: Name = None,
    price: Price = None,
    currency: Currency = None,
    stock: Annotated[
        int | None, typer.Option("--stock", metavar="N", help="How much there is; else nobody counts it.", show_default=False)
    ] = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Not for sale yet.")] = False,
    database: Database = None,
) -> None:
    """Put a product into the catalogue."""
    from ordermill.catalogue.drafts import ProductCreate

    draft = sheets.drafted(
        ProductCreate, sku=sku, name=name, price=price, currency=currency, stock=stock, is_active=not inactive
    )

    async def work(services: "Services") -> None:
        _tell(await services.products.create(draft, actor=ACTOR))

    in_book(work, database=database, writes=True)


def set_product(  # noqa: PLR0913  # each is an option of the command
    sku: Sku,
    *,
    new_sku: Annotated[
        str | None, typer.Option("--sku", metavar="SKU", help="Another SKU from now on.", show_default=False)
    ] = None,
    name: Name = None,
    price: Price = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CUR", help="Needs its own price.", show_default=False)
    ] = None,
    stock: Annotated[
        int | None, typer.Option("--stock", metavar="N", help="How much there is, as counted.", show_default=False)
    ] = None,
    received: Annotated[
        int | None,
        typer.Option("--received", metavar="N", help="How much came; below 0, how much went.", show_default=False),
    ] = None,
    untracked: Annotated[bool, typer.Option("--untracked", help="Nobody counts it any more.")] = False,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="For sale, or with `--inactive` not any more.")
    ] = None,
    database: Database = None,
) -> None:
    """Change what is said of a product, and leave the rest."""
    from ordermill.catalogue.drafts import ProductChange
    from ordermill.kit.errors import Invalid

    if untracked and stock is not None:
        raise Invalid("Say how much there is, or that nobody counts it, and not both.", code="usage")
    said = {"sku": new_sku, "name": name, "price": price, "currency": currency, "stock": stock, "stock_change": received}
    draft = sheets.drafted(ProductChange, **said, is_active=active)
    if untracked:
        draft = ProductChange.model_validate({**draft.said(), "stock": None})

    async def work(services: "Services") -> None:
        product = await services.products.by_sku(sku)
        _tell(await services.products.change(product.id or 0, draft, actor=ACTOR))

    in_book(work, database=database, writes=True)


def remove(sku: Sku, *, database: Database = None) -> None:
    """Take a product out of the catalogue; one that orders speak of stays, and is not for sale any more."""

    async def work(services: "Services") -> None:
        product = await services.products.by_sku(sku)
        left = await services.products.remove(product.id or 0, actor=ACTOR)
        if left is None:
            say(f"Product {product.id}: {product.sku} is gone.")
        else:
            _tell(left)

    in_book(work, database=database, writes=True)


def import_file(
    file: sheets.FromFile,
    *,
    dry_run: sheets.DryRun = False,
    as_json: Json = False,
    database: Database = None,
) -> int:
    """Take in a file of products: those of a known SKU are changed, others are new."""

    async def work(services: "Services") -> int:
        taken = await services.products.take_in(file, actor=ACTOR, dry_run=dry_run, told=sheets.progress)
        return sheets.outcome(taken, noun="products", dry_run=dry_run, as_json=as_json)

    return in_book(work, database=database, writes=not dry_run)


def export(
    file: sheets.ToFile,
    *,
    active: OnlyActive = None,
    database: Database = None,
) -> None:
    """Take the products out to a file that `ordermill products import` reads back."""
    from ordermill.catalogue.ports import ProductFilter

    async def work(services: "Services") -> None:
        written = await services.products.export(file, ProductFilter(is_active=active))
        narrate(f"{written.records:,} products written to {written.path}.")

    in_book(work, database=database)


def _tell(product: "Product") -> None:
    stock = "stock not tracked" if product.stock is None else f"{product.stock:,} in stock"
    active = "" if product.is_active else ", not for sale"
    say(f"Product {product.id}: {product.sku}, {product.name}, {product.currency} {product.price:,}, {stock}{active}.")


def _row(product: "Product") -> tuple[str, ...]:
    stock = "" if product.stock is None else f"{product.stock:,}"
    price = f"{product.currency} {product.price:,}"
    return str(product.id), product.sku, product.name, price, stock, "yes" if product.is_active else "no"
