"""
One digest over all that an order says: it tells a changed order from an unchanged one without comparing columns.

It is a promise over time: stored digests are compared with those of later versions, so the canonical text
changes only on purpose. No text of an order can hold the control characters that separate its parts here.
"""

from hashlib import blake2b
from itertools import groupby
from typing import Final

import polars as pl

from ordermill.imports.columns import BILLING_ADDRESS, SHIPPING_ADDRESS

_ABSENT: Final = "\x00"
_FIELD: Final = "\x1f"
_ITEM: Final = "\x1e"

# Not here: how the buyer is spelt and called, which is the account's, and when the source was last changed, which is no
# change by itself.
# Addresses by their parts, since the text of a JSON object may differ between libraries.
_ORDER: Final = (
    "channel",
    "number",
    "external_id",
    "status",
    "payment",
    "currency",
    "customer_key",
    "subtotal",
    "discount",
    "discount_code",
    "shipping",
    "tax",
    "tax_included",
    "total",
    "source_total",
    "paid",
    "paid_at",
    "payment_method",
    "payment_reference",
    "refunded",
    "refunded_at",
    "carrier",
    "tracking_number",
    "note",
    "placed_at",
    *SHIPPING_ADDRESS,
    *BILLING_ADDRESS,
)
_PARTS: Final = ("sku", "name", "quantity", "unit_price", "total", "discount")


def fingerprints(orders: pl.DataFrame, items: pl.DataFrame) -> pl.Series:
    """
    Return 32 hexadecimal digits per order.

    Args:
        orders: sorted by `order`, with all columns of `batch.ORDERS` and the parts of the addresses.
        items: those of each order side by side, in the order of `orders.order`; each order has one at least.
    """
    if not orders.height:
        return pl.Series("fingerprint", [], dtype=pl.String)
    heads = orders.select(_joined(_ORDER, orders)).to_series()
    sold = items.select("order", text=_joined(_PARTS, items)).group_by("order", maintain_order=True).agg("text")
    texts = pl.select(pl.concat_str([heads, sold.get_column("text").list.join(_ITEM)], separator=_ITEM)).to_series()
    digests = [blake2b(text, digest_size=16).hexdigest() for text in texts.cast(pl.Binary).to_list()]
    return pl.Series("fingerprint", digests, dtype=pl.String)


def _joined(columns: tuple[str, ...], frame: pl.DataFrame) -> pl.Expr:
    """Write the columns one after the other; runs of what is the same in all rows are joined only once."""
    parts: list[pl.Expr] = []
    for same, run in groupby(map(frame.get_column, columns), key=_is_same):
        values = list(run)
        if same:
            parts.append(pl.lit(_FIELD.join(map(_constant, values))))
        else:
            parts += map(_text, values)
    return pl.concat_str(parts, separator=_FIELD)


def _is_same(values: pl.Series) -> bool:
    if values.null_count() == len(values):
        return True
    return not values.null_count() and not values.dtype.is_temporal() and bool(values.min() == values.max())


def _constant(values: pl.Series) -> str:
    return _ABSENT if values[0] is None else str(values[0])


def _text(values: pl.Series) -> pl.Expr:
    """Write one column so that no two values look alike: moments as microseconds since 1970."""
    plain = pl.col(values.name)
    text = (plain.dt.epoch("us") if values.dtype.is_temporal() else plain).cast(pl.String)
    return text.fill_null(_ABSENT) if values.null_count() else text
