"""Judge what is one order's: who bought, when, in which currency, and the amounts beside the items."""

from collections.abc import Callable
from typing import Final

import polars as pl

from ordermill.imports.batch import MOMENT
from ordermill.imports.model import Defaults
from ordermill.imports.validate import addresses, amounts, countries, instants, texts
from ordermill.imports.validate.lines import Lines
from ordermill.imports.validate.reasons import Faults

ADJUSTMENTS: Final = ("unknown_country", "nonexistent_time")  # columns that say how often an order was adjusted

_AMOUNTS: Final = ("discount", "discount_beyond_items", "shipping", "tax", "tax_included", "source_total", "paid", "refunded")
_TEXTS: Final = tuple(column for column in texts.LIMITS if column not in {"sku", "name"})
_WORDS: Final = {
    "status": ("pending", "processing", "shipped", "delivered", "cancelled"),
    "payment": ("unpaid", "partially_paid", "paid", "partially_refunded", "refunded"),
}
# Canonical columns of moments, and what they are called in the model.
_MOMENTS: Final = {"paid_at": "paid_at", "refunded_at": "refunded_at", "updated_at": "source_updated_at"}
_SCHEMA: Final = (
    dict.fromkeys((*_TEXTS, *_WORDS), pl.String)
    | dict.fromkeys(_AMOUNTS, pl.Int64)
    | dict.fromkeys((*_MOMENTS.values(), "placed_at"), MOMENT)
)


def read(lines: Lines, faults: Faults, *, defaults: Defaults) -> pl.DataFrame:
    """
    Judge every order's own columns.

    Returns:
        One row per order: the columns of `batch.ORDERS` that need no items, amounts in minor units (null where nothing
        is said), `price_scale`, the parts of the addresses and `ADJUSTMENTS`. What is at fault is null or nonsense.
    """
    columns = _texts(lines, faults)
    columns |= _currency(lines, faults, defaults)
    columns |= _words(lines, faults)
    columns |= _amounts(lines, faults, scale=columns["price_scale"])
    columns |= _moments(lines, faults, zone=defaults.timezone)
    columns |= _countries(lines, faults, refuse=defaults.rules.unknown_country == "reject")
    columns |= {"customer_key": _buyer(lines, faults, guests=defaults.rules.guests)}
    index = pl.int_range(lines.orders, dtype=pl.UInt32, eager=True).alias("order")
    absent = [pl.lit(None, dtype).alias(column) for column, dtype in _SCHEMA.items() if column not in columns]
    orders = index.to_frame().with_columns(*absent, **columns)
    return orders.with_columns(
        pl.col("channel").fill_null(defaults.channel),
        pl.col("status").fill_null("pending"),
        shipping_address=addresses.as_json(orders, prefix="shipping"),
        billing_address=addresses.as_json(orders, prefix="billing"),
    )


def _texts(lines: Lines, faults: Faults) -> dict[str, pl.Series]:
    """Judge plain texts: their length, their symbols, and that an order has a number."""
    columns = {}
    for column in _TEXTS:
        text = lines.said_in(column)
        if text is None:
            continue
        faults.in_orders("text_too_long", column, texts.too_long(text, limit=texts.LIMITS[column]))
        if lines.controls:
            faults.in_orders("control_character", column, text.str.contains(texts.CONTROLS))
        columns[column] = texts.composed(text) if column in texts.IDENTIFIERS else text
    number = columns.get("number")
    if number is None or number.null_count():
        faults.in_orders("number_missing", "number", _missing(lines, number))
    return columns


def _missing(lines: Lines, said: pl.Series | None) -> pl.Series:
    """Mark the orders that say nothing in a column."""
    return pl.repeat(True, lines.orders, dtype=pl.Boolean, eager=True) if said is None else said.is_null()


def _currency(lines: Lines, faults: Faults, defaults: Defaults) -> dict[str, pl.Series]:
    """Find each order's currency and how many ten-thousandths make its minor unit; all its lines must agree."""
    said = lines.said_in("currency")
    if said is None:
        default = pl.repeat(defaults.currency, lines.orders, eager=True)
        return {"currency": default, "price_scale": default.replace_strict(amounts.SCALES, return_dtype=pl.Int64)}
    currency = said.str.to_uppercase().fill_null(defaults.currency)
    scale = currency.replace_strict(amounts.SCALES, default=None, return_dtype=pl.Int64)
    faults.in_orders("unknown_currency", "currency", scale.is_null())
    _must_agree(lines, faults, "currency", said, code="currency_mismatch")
    return {"currency": currency, "price_scale": scale}


def _must_agree(lines: Lines, faults: Faults, column: str, said: pl.Series, *, code: str) -> None:
    """Refuse orders in which two lines say different things, but for case and surrounding space."""
    stated = lines.frame.get_column(column)
    if (stated != lines.spread(said)).any():
        keys = texts.email_keys(texts.tidy(stated))
        faults.in_rows(code, column, keys != lines.spread(texts.email_keys(said)))


def _buyer(lines: Lines, faults: Faults, *, guests: bool) -> pl.Series:
    """Judge the e-mail address and return its key; without one, the order is a guest's, where that is allowed."""
    email = lines.said_in("customer_email")
    if not guests:
        faults.in_orders("guest_not_allowed", "customer_email", _missing(lines, email))
    if email is None:
        return pl.repeat(None, lines.orders, dtype=pl.String, eager=True)
    faults.in_orders("email_malformed", "customer_email", texts.malformed_emails(email))
    _must_agree(lines, faults, "customer_email", email, code="email_mismatch")
    return texts.email_keys(email)


def _words(lines: Lines, faults: Faults) -> dict[str, pl.Series]:
    """Judge the words for where an order and its payment stand."""
    columns = {}
    for column, known in _WORDS.items():
        said = lines.said_in(column)
        if said is not None:
            columns[column] = said.str.to_lowercase()
            faults.in_orders(f"unknown_{column}", column, ~columns[column].is_in(known))
    return columns


def _amounts(lines: Lines, faults: Faults, *, scale: pl.Series) -> dict[str, pl.Series]:
    """Read amounts in minor units; null where the file says nothing."""
    stated = lines.said.select(column for column in _AMOUNTS if column in lines.said.columns)
    units = amounts.units(stated)
    for column in stated.columns:
        for code, broken in amounts.faults(stated.get_column(column), units.get_column(column)):
            faults.in_orders(code, column, broken)
        faults.in_orders("too_many_decimals", column, units.get_column(column) % scale != 0)
    return {column.name: column // scale for column in units.get_columns()}


def _moments(lines: Lines, faults: Faults, *, zone: str) -> dict[str, pl.Series]:
    """Read the moments, and count those that never were."""
    columns: dict[str, pl.Series] = {}
    moved: list[pl.Series] = []
    for column, name in _MOMENTS.items():
        said = lines.said_in(column)
        if said is not None:
            moments = instants.read(said, zone=zone)
            _judge_moments(faults.in_orders, column, said, moments.values)
            columns[name] = moments.values
            moved.append(moments.nonexistent)
    placed = _placed(lines, faults, zone=zone)
    if placed is not None:
        columns["placed_at"] = placed.values
        moved.append(placed.nonexistent)
    return columns | {"nonexistent_time": _times(moved, orders=lines.orders)}


def _placed(lines: Lines, faults: Faults, *, zone: str) -> instants.Moments | None:
    """Read when orders were placed: the earliest moment that one of its lines gives."""
    said = lines.said_in("placed_at")
    if said is None or said.null_count():
        faults.in_orders("placed_at_missing", "placed_at", _missing(lines, said))
    if said is None:
        return None
    stated = lines.frame.get_column("placed_at")
    if not (stated != lines.spread(said)).any():
        moments = instants.read(said, zone=zone)
        _judge_moments(faults.in_orders, "placed_at", said, moments.values)
        return moments
    each = texts.tidy(stated)
    moments = instants.read(each, zone=zone)
    _judge_moments(faults.in_rows, "placed_at", each, moments.values)
    by_line = pl.DataFrame({"order": lines.frame.get_column("order"), "at": moments.values, "moved": moments.nonexistent})
    earliest = by_line.group_by("order", maintain_order=True).agg(pl.col("at").min(), pl.col("moved").any())
    return instants.Moments(earliest.get_column("at"), earliest.get_column("moved"))


def _judge_moments(note: Callable[[str, str, pl.Series], None], column: str, said: pl.Series, read: pl.Series) -> None:
    if read.null_count() > said.null_count():
        note("time_malformed", column, said.is_not_null() & read.is_null())
    note("time_out_of_range", column, instants.out_of_range(read))


def _countries(lines: Lines, faults: Faults, *, refuse: bool) -> dict[str, pl.Series]:
    """Bring countries to their codes; one that is unknown is left out and counted, or refused where the rules say so."""
    columns: dict[str, pl.Series] = {}
    unknown: list[pl.Series] = []
    for column in ("shipping_country", "billing_country"):
        names = lines.said_in(column)
        if names is None:
            continue
        columns[column] = countries.codes(names)
        if columns[column].null_count() > names.null_count():
            strange = names.is_not_null() & columns[column].is_null()
            unknown.append(strange)
            if refuse:
                faults.in_orders("unknown_country", column, strange)
    return columns | {"unknown_country": _times(unknown, orders=lines.orders)}


def _times(marks: list[pl.Series], *, orders: int) -> pl.Series:
    """Count how often each order is marked."""
    counts = pl.repeat(0, orders, dtype=pl.UInt32, eager=True)
    for mark in marks:
        counts += mark.cast(pl.UInt32)
    return counts
