"""
Orders out to a file that `ordermill process` reads back to the same book.

    .csv     RFC 4180, one row per item, the shape flattened: items.sku -> sku, shipping_address.city -> shipping_city
    .jsonl   one order a line, in its shape

In CSV, a text that a spreadsheet would run as a formula gets an apostrophe before it, which the importer takes
off again. Numbers are left as they are. The file appears whole or not at all.
"""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Final

from ordermill.kit.errors import Invalid, Unavailable
from ordermill.kit.files import Replacement
from ordermill.orders.model import Address, Order
from ordermill.orders.shape import order_shape

BLOCK: Final = 500  # orders written at a time: some 500 KB, enough that the hop to a thread does not count

_ADDRESSES: Final = {kind: tuple(f"{kind}_{part.name}" for part in fields(Address)) for kind in ("shipping", "billing")}
# The columns of an item, and its own keys.
_ITEM: Final = {
    "product_id": "product_id",
    "sku": "sku",
    "name": "name",
    "quantity": "quantity",
    "unit_price": "unit_price",
    "item_discount": "discount",
    "item_total": "total",
}
COLUMNS: Final = (
    "id", "number", "channel", "external_id", "status", "payment", "currency", "customer_id", "customer_email", *_ITEM,
    "subtotal", "discount", "discount_code", "shipping", "tax", "tax_included", "total", "paid", "refunded", "source_total",
    *_ADDRESSES["shipping"], *_ADDRESSES["billing"],
    "carrier", "tracking_number", "note", "placed_at", "updated_at", "version",
)  # fmt: skip
# What a buyer or a shop may have written; the other columns hold numbers, moments and words of ours.
_TEXTS: Final = frozenset(
    {
        "number", "channel", "external_id", "customer_email", "sku", "name", "discount_code", "carrier", "tracking_number",
        "note", *_ADDRESSES["shipping"], *_ADDRESSES["billing"],
    }
)  # fmt: skip
# Apostrophes too: the importer takes one off whatever looks guarded, so what looks so by itself is guarded once more.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\0]")


@dataclass(frozen=True, slots=True)
class Exported:
    """How many orders, and items of them, the file at `path` holds."""

    path: Path
    orders: int
    items: int


async def write(orders: AsyncGenerator[Order, None], path: Path) -> Exported:
    """
    Write orders to a file in the format of its suffix; a file of that name is replaced when the new one is whole.

    Raises:
        Invalid: `unknown_export_format`, for another suffix than .csv and .jsonl.
        Unavailable: `export_unwritable`; a file that was there before is still there.
    """
    header, text = _format(path)
    written = items = 0
    async with aclosing(orders):
        with Replacement(path, refusal=partial(_unwritable, path)) as file:
            file.write(header)
            async for block in _blocks(orders):
                await asyncio.to_thread(_put, file, text, block)
                written += len(block)
                items += sum(len(order.items) for order in block)
    return Exported(path, written, items)


def csv_text(orders: Sequence[Order]) -> str:
    """Return the rows of orders, without the header; an order without items keeps a row."""
    return _rows(row for order in orders for row in _cells(order))


def jsonl_text(orders: Sequence[Order]) -> str:
    """Return a line per order."""
    return "".join(json.dumps(order_shape(order), ensure_ascii=False, separators=(",", ":")) + "\n" for order in orders)


def _put(file: Replacement, text: Callable[[Sequence[Order]], str], orders: Sequence[Order]) -> None:
    file.write(text(orders))


def _format(path: Path) -> tuple[str, Callable[[Sequence[Order]], str]]:
    """Return the header and the writer of a path's suffix."""
    match path.suffix.lower():
        case ".csv":
            return _rows([COLUMNS]), csv_text
        case ".jsonl":
            return "", jsonl_text
    raise Invalid(
        f"Orders are exported to .csv or .jsonl; the name {path.name!r} ends in neither.", code="unknown_export_format"
    )


async def _blocks(orders: AsyncGenerator[Order, None]) -> AsyncGenerator[list[Order], None]:
    block: list[Order] = []
    async for order in orders:
        block.append(order)
        if len(block) == BLOCK:
            yield block
            block = []
    if block:
        yield block


def _rows(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cells(order: Order) -> Iterator[list[Any]]:
    shape = order_shape(order)
    values = {name: shape.get(name) for name in COLUMNS}
    for kind, columns in _ADDRESSES.items():
        address = shape[f"{kind}_address"] or {}
        values |= dict(zip(columns, address.values(), strict=False))
    for item in shape["items"] or [{}]:
        values |= {column: item.get(key) for column, key in _ITEM.items()}
        yield [_guarded(value) if name in _TEXTS else value for name, value in values.items()]


def _guarded(text: str | None) -> str | None:
    return f"'{text}" if text and _FORMULA.match(text) else text


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"The orders cannot be written to {str(path)!r}: {error.strerror}.", code="export_unwritable")
