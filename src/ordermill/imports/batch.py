"""
A batch: the orders of one stretch of a file as columns, ready to load.

The frames' columns are fixed here and nowhere else: they are the contract between validation and storage.
"""

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from ordermill.imports.model import Reject, Tally

MOMENT: Final = pl.Datetime("us", "UTC")

# One row per accepted order. Amounts are minor units of `currency`.
ORDERS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "row": pl.UInt32,  # position in the batch, from 0; `items.order` and `lines.order` refer to it
    "channel": pl.String,
    "number": pl.String,
    "external_id": pl.String,  # null: the number identifies the order
    "status": pl.String,
    "payment": pl.String,
    "currency": pl.String,
    "customer_email": pl.String,  # null: a guest order
    "customer_key": pl.String,  # kit.text.email_key of it
    "customer_name": pl.String,
    "subtotal": pl.Int64,
    "discount": pl.Int64,
    "discount_code": pl.String,
    "shipping": pl.Int64,
    "tax": pl.Int64,
    "tax_included": pl.Int64,
    "total": pl.Int64,
    "source_total": pl.Int64,
    "paid": pl.Int64,
    "paid_at": MOMENT,
    "payment_method": pl.String,
    "payment_reference": pl.String,
    "refunded": pl.Int64,
    "refunded_at": MOMENT,
    "shipping_address": pl.String,  # JSON object with the nine keys of PRODUCT.md, or null
    "billing_address": pl.String,
    "carrier": pl.String,
    "tracking_number": pl.String,
    "note": pl.String,
    "placed_at": MOMENT,
    "source_updated_at": MOMENT,
    "fingerprint": pl.String,  # 32 hex digits over all the above and the items
    "first_line": pl.UInt32,
    "line_count": pl.UInt32,
    "merged": pl.Boolean,  # lines of this order were merged
}

# One row per item, in the order of `order` and `position`.
ITEMS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "order": pl.UInt32,
    "position": pl.Int32,  # from 1
    "sku": pl.String,
    "name": pl.String,
    "quantity": pl.Int64,
    "unit_price": pl.Int64,  # ten-thousandths of the major unit
    "price_scale": pl.Int32,  # ten-thousandths per minor unit: 10 ** (4 - exponent)
    "total": pl.Int64,  # before discount
    "discount": pl.Int64,
}

# The records an accepted order was read from, for refusals that only the database can give.
LINES: Final[dict[str, pl.DataType | type[pl.DataType]]] = {"order": pl.UInt32, "line": pl.UInt32, "raw": pl.String}


@dataclass(slots=True)
class Batch:
    """
    The orders of one stretch of a file, ready to load in one transaction, and what was refused there.

    The same file, options and version of Ordermill give the same batches: that is what makes
    a checkpoint mean something after a crash.
    """

    index: int
    orders: pl.DataFrame
    items: pl.DataFrame
    lines: pl.DataFrame
    rejects: list[Reject]
    # Read, rejected, merged, lines, guests, money, reasons, adjustments. New, updated and unchanged come from the store.
    tally: Tally


@dataclass(slots=True)
class Loaded:
    """What the store made of one batch: counts of orders by outcome, and the orders that it refused."""

    tally: Tally  # orders.new/updated/unchanged/kept/rejected, customers.new, and corrections for what it rejected
    rejects: list[Reject] = field(default_factory=list)
    # Of `compare` only: the keys of buyers that the book does not know; they repeat from batch to batch.
    strangers: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))
