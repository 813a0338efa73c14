"""
The generated file: orders of an invented shop in Ordermill's own CSV, the same for every run with one version of Polars.

Three items an order, times in order over two years, 50,000 buyers who come back, guests among them, 2,000 products of
which some have names that need quotes, addresses on each line as exports have them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

ITEMS: Final = 3
BUYERS: Final = 50_000
PRODUCTS: Final = 2_000
ORDERS_AT_A_TIME: Final = 100_000  # what is in memory while the file is written

_BEGIN: Final = datetime(2024, 1, 1, tzinfo=UTC)
_SPAN: Final = timedelta(days=730)
_CITIES: Final = ("York", "Köln", "Malmö", "Porto", "Graz", "Nîmes", "Leiden", "Gdańsk")
_COUNTRIES: Final = ("GB", "DE", "SE", "PT", "AT", "FR", "NL", "PL")
_STREETS: Final = ("Mill Lane", "Lindenweg", "Storgatan", "Rua Nova", "Am Anger", "Rue Basse", "Haven", "Rynek")
_WARES: Final = ("Tea caddy", "Brass hook", "Candle, beeswax", "Linen towel", "Oak board", 'Frame 8" x 10"', "Jar", "Kettle")


def write(path: Path, *, lines: int) -> None:
    """Write a file of so many lines below its header; the last order is cut short where three do not divide them."""
    with path.open("wb") as file:
        for number, frame in enumerate(_chunks(lines)):
            frame.write_csv(file, include_header=number == 0)


def _chunks(lines: int) -> Iterator[pl.DataFrame]:
    orders = -(-lines // ITEMS)
    for begin in range(0, orders, ORDERS_AT_A_TIME):
        end = min(begin + ORDERS_AT_A_TIME, orders)
        rows = min(end * ITEMS, lines) - begin * ITEMS
        items = pl.DataFrame({"line": pl.int_range(begin * ITEMS, begin * ITEMS + rows, eager=True)}).select(
            order=pl.col("line") // ITEMS, **_item()
        )
        yield _columns(items, spread=_SPAN / orders)


def _item() -> dict[str, pl.Expr]:
    product = _drawn("line", PRODUCTS, seed=1)
    return {"product": product, "quantity": _drawn("line", 4, seed=2) + 1, "price": 95 + product * 7919 % 9_900}


def _columns(items: pl.DataFrame, *, spread: timedelta) -> pl.DataFrame:
    """Say on each line all that its order says, with empty cells for what a guest or an unpaid order has not."""
    gap = spread // timedelta(milliseconds=1)
    since = pl.duration(milliseconds=pl.col("order") * gap + _drawn("order", gap, seed=3))
    buyer, place, fate = (_drawn("order", below, seed=seed) for below, seed in ((BUYERS, 4), (len(_CITIES), 5), (50, 6)))
    guest = _drawn("order", 12, seed=7) == 0
    shipping = pl.when(place > 2).then(490).otherwise(0)
    total = (pl.col("quantity") * pl.col("price")).sum().over("order") + shipping
    name = pl.format("Alex {} Example", buyer)
    return items.select(
        number=pl.format("G-{}", pl.col("order") + 100_001),
        placed_at=(pl.lit(_BEGIN) + since).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        status=_one_of(("cancelled", "pending", "shipped"), fate, otherwise="delivered"),
        payment=_one_of(("unpaid", "unpaid", "refunded"), fate, otherwise="paid"),
        currency=pl.lit("EUR"),
        customer_email=pl.when(~guest).then(pl.format("buyer{}@example.com", buyer)),
        customer_name=name,
        sku=pl.format("SKU-{}", pl.col("product")),
        name=pl.format("{} no. {}", _one_of(_WARES, pl.col("product") % len(_WARES)), "product"),
        quantity="quantity",
        unit_price=_decimal(pl.col("price")),
        shipping=_decimal(shipping),
        total=_decimal(total),
        payment_method=pl.when(fate > 1).then(pl.lit("card")),
        shipping_name=name,
        shipping_line1=pl.format("{} {}", _one_of(_STREETS, place), buyer % 200 + 1),
        shipping_city=_one_of(_CITIES, place),
        shipping_postal_code=(10_000 + buyer).cast(pl.String),
        shipping_country=_one_of(_COUNTRIES, place),
    )


def _drawn(column: str, below: int, *, seed: int) -> pl.Expr:
    """Draw a whole number from 0; equal values of the column draw equal ones."""
    return (pl.col(column).hash(seed) % below).cast(pl.Int64)


def _one_of(words: tuple[str, ...], number: pl.Expr, *, otherwise: str | None = None) -> pl.Expr:
    return number.replace_strict(dict(enumerate(words)), default=otherwise, return_dtype=pl.String)


def _decimal(minor: pl.Expr) -> pl.Expr:
    return pl.format("{}.{}", minor // 100, (minor % 100).cast(pl.String).str.zfill(2))
