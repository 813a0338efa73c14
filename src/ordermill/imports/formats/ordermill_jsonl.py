"""
Ordermill's own JSON lines: one order a line, in the shape the API answers and `orders export` writes.

A document becomes one row per item. Numbers never pass through a float: an integer stands for whole major
units, and an amount written as a JSON number with a point is put into words that the rules refuse.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import polars as pl

from ordermill.imports import cells
from ordermill.imports import columns as columns_of
from ordermill.imports.formats import Sample

_ORDER: Final = tuple(name for name in columns_of.ORDER if not name.startswith(("shipping_", "billing_")))
_ADDRESSES: Final = ("shipping_address", "billing_address")
# The item's keys, and the columns they fill.
_ITEM: Final = {
    "sku": "sku",
    "name": "name",
    "quantity": "quantity",
    "unit_price": "unit_price",
    "discount": "item_discount",
    "total": "item_total",
}
_NO_ITEM: Final[dict[str, Any]] = {}
_AMOUNTS: Final = cells.AMOUNTS | {"discount", "total"}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Inexact(str):
    """The digits of a JSON number with a point or exponent: fine for a quantity or a postal code, never for money."""

    __slots__ = ()


# Integers stay text too: Python refuses to convert more than 4,300 digits, and amounts are read from text anyway.
_decode: Final = json.JSONDecoder(parse_float=_Inexact, parse_int=str, parse_constant=_Inexact).decode


class OrdermillJsonl:
    name = "ordermill-jsonl"
    title = "Ordermill JSON lines"
    kind: Literal["csv", "jsonl"] = "jsonl"
    channel = "ordermill"

    def recognises(self, sample: Sample) -> bool:
        return sample.kind == self.kind and not self.missing(sample.columns)

    def missing(self, columns: Sequence[str]) -> list[str]:
        """Return the keys without which a document is not of this format."""
        return [name for name in ("number", "items") if name not in columns]

    def key(self, columns: Sequence[str], *, channel: str) -> pl.Expr:  # noqa: ARG002  # a document is one column, `_raw`
        document = pl.col("_raw")
        own = cells.filled(document.str.json_path_match("$.channel")).fill_null(channel)
        return pl.concat_str([own, cells.filled(document.str.json_path_match("$.number"))], separator="\x1f")

    def read(self, raw: pl.DataFrame) -> pl.DataFrame:
        table = _Table()
        for text in raw["_raw"]:
            table.add(text)
        return table.frame(raw["_line"])

    def advice(self) -> Mapping[str, str]:
        return {}

    def source_names(self, columns: Sequence[str]) -> dict[str, str]:  # noqa: ARG002  # the shape is fixed
        names = {name: name for name in _ORDER} | {column: f"items.{key}" for key, column in _ITEM.items()}
        for address in _ADDRESSES:
            names |= {_column(address, part): f"{address}.{part}" for part in columns_of.ADDRESS}
        return names


class _Table:
    """Columns that grow by one document at a time: fields of orders, fields of items, and whose each item is."""

    def __init__(self) -> None:
        self._orders: dict[str, list[str | None]] = {name: [] for name in _ORDER}
        self._addresses: dict[str, dict[str, list[str | None]]] = {
            address: {part: [] for part in columns_of.ADDRESS} for address in _ADDRESSES
        }
        self._refused: list[str | None] = []
        self._items: dict[str, list[str | None]] = {key: [] for key in _ITEM}
        self._owners: list[int] = []
        self._problem: str | None = None

    def add(self, text: str) -> None:
        self._problem = None
        order = self._document(text)
        if "source_total" not in order:
            order["source_total"] = order.get("total")
        self._fill(self._orders, order)
        for address, parts in self._addresses.items():
            self._fill(parts, self._object(order.get(address), f"The field {address!r}"))
        self._add_items(order.get("items"))
        self._refused.append(self._problem)

    def frame(self, lines: pl.Series) -> pl.DataFrame:
        """Return one row per item; `lines` holds the line of each document added."""
        fields = dict(self._orders)
        for address, parts in self._addresses.items():
            fields |= {_column(address, part): values for part, values in parts.items()}
        orders = pl.DataFrame([lines, *(_series(name, values) for name, values in fields.items())])
        orders = orders.with_columns(_series(columns_of.MISSHAPEN, self._refused))
        items = pl.DataFrame([_series(_ITEM[key], values) for key, values in self._items.items()])
        table = pl.concat([orders[self._owners], items], how="horizontal")
        return table.with_columns(cells.nonempty(pl.selectors.string()))

    def _document(self, text: str) -> dict[str, Any]:
        try:
            return self._object(_decode(text), "This line", required=True)
        except json.JSONDecodeError as error:
            self._refuse(f"This line is not JSON: {error.msg} at character {error.pos + 1}.")
        except RecursionError:
            self._refuse("This line is not an order: it is nested too deeply.")
        return {}

    def _object(self, value: Any, what: str, *, required: bool = False) -> dict[str, Any]:
        if type(value) is dict:
            return value
        self._refuse(f"{what} must be a JSON object.", unless=value is None and not required)
        return {}

    def _add_items(self, items: Any) -> None:
        if type(items) is not list:
            self._refuse("The field 'items' must be a list of objects.", unless=items is None)
            items = []
        owner = len(self._refused)
        for item in items or [_NO_ITEM]:
            self._owners.append(owner)
            self._fill(self._items, self._object(item, "Each of the items", required=True))

    def _fill(self, columns: dict[str, list[str | None]], values: dict[str, Any]) -> None:
        for name, column in columns.items():
            value = values.get(name)
            column.append(value if value is None or type(value) is str else self._unusual(name, value))

    def _unusual(self, name: str, value: Any) -> str | None:
        if type(value) is not _Inexact:
            self._refuse(f"The field {name!r} must be a string or a number.")
            return None
        return f"{value} (a JSON number; amounts are strings)" if name in _AMOUNTS else str(value)

    def _refuse(self, sentence: str, *, unless: bool = False) -> None:
        if self._problem is None and not unless:
            self._problem = sentence


def _column(address: str, part: str) -> str:
    return f"{address.removesuffix('address')}{part}"


def _series(name: str, values: list[str | None]) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=pl.String)
    except UnicodeEncodeError:
        # JSON can spell half a surrogate pair, which no text store holds. SUBSTITUTE stands for it: the rules refuse controls.
        return pl.Series(name, [value and _SURROGATE.sub("\x1a", value) for value in values], dtype=pl.String)


FORMAT = OrdermillJsonl()
