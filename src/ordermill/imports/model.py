"""
What an import is made of: the batch that is loaded, the reject that is handed back, the tally that is reported.

Polars frames carry the bulk; their columns are fixed here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import polars as pl

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


@dataclass(frozen=True, slots=True)
class Rules:
    """The switches of PRODUCT.md section 2, "Orders from files and channels"."""

    guests: bool = True  # an order without an e-mail is a guest order; otherwise a reject
    merge: bool = True  # a product repeated at one price becomes one item
    unknown_country: Literal["null", "reject"] = "null"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where the file does not say: the command's word, else the map's, else the setting's."""

    channel: str
    currency: str
    timezone: str
    rules: Rules = Rules()


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused order, or one record that belongs to none: what, where, why, and its text as it stood."""

    line: int  # physical line of the first faulty record, from 1
    number: str | None
    field: str | None  # the column's name in the file
    value: str | None  # shortened
    code: str
    message: str
    lines: tuple[tuple[int, str], ...]  # every record of the order: physical line and text


@dataclass(slots=True)
class Money:
    """Sums of accepted orders in one currency, minor units; `difference` is total minus source_total where one is given."""

    total: int = 0
    source_total: int = 0
    difference: int = 0


@dataclass(slots=True)
class Reason:
    """How often one reason occurred, and its first example."""

    count: int
    example: dict[str, Any]  # file, line, number, field, value, message


@dataclass(slots=True)
class Tally:
    """What a run has done so far; kept with its checkpoint, so that a resumed run reports like an unbroken one."""

    orders: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("read", "new", "updated", "unchanged", "kept", "rejected", "merged"), 0)
    )
    lines: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("read", "accepted", "rejected"), 0))
    customers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("new", "known", "guests"), 0))
    money: dict[str, Money] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)
    adjustments: dict[str, int] = field(default_factory=dict)  # unknown_country, nonexistent_time, …

    def add(self, other: "Tally") -> None:
        """Add another tally's figures to this one; a reason keeps its first example."""
        for mine, theirs in ((self.orders, other.orders), (self.lines, other.lines), (self.customers, other.customers)):
            for key, count in theirs.items():
                mine[key] += count
        for currency, money in other.money.items():
            sums = self.money.setdefault(currency, Money())
            sums.total += money.total
            sums.source_total += money.source_total
            sums.difference += money.difference
        for code, reason in other.reasons.items():
            kept = self.reasons.setdefault(code, Reason(0, reason.example))
            kept.count += reason.count
        for code, count in other.adjustments.items():
            self.adjustments[code] = self.adjustments.get(code, 0) + count

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` reads them back."""
        return {
            "orders": self.orders,
            "lines": self.lines,
            "customers": self.customers,
            "money": {code: [sums.total, sums.source_total, sums.difference] for code, sums in self.money.items()},
            "reasons": {code: [reason.count, reason.example] for code, reason in self.reasons.items()},
            "adjustments": self.adjustments,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Tally":
        return cls(
            orders=dict(stored["orders"]),
            lines=dict(stored["lines"]),
            customers=dict(stored["customers"]),
            money={code: Money(*sums) for code, sums in stored["money"].items()},
            reasons={code: Reason(*reason) for code, reason in stored["reasons"].items()},
            adjustments=dict(stored["adjustments"]),
        )


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
    tally: (
        Tally  # read, rejected, merged, lines, guests, money, reasons, adjustments; new/updated/unchanged come from the store
    )


@dataclass(slots=True)
class ImportFile:
    """What identifies one run: the same file, options and channel, interrupted, is the same import."""

    name: str
    sha256: str
    size: int
    format: str
    mapping: str
    channel: str
    options_key: str  # everything that changes how the file is read, digested
    header: str | None = None  # a table's, with its delimiter: what is needed to write its records again; JSON has none
    delimiter: str | None = None


@dataclass(slots=True)
class Import:
    """One run of `process` over one file."""

    id: UUID
    file: ImportFile
    state: Literal["running", "finished"]
    checkpoint: int  # batches whose transaction has committed
    tally: Tally
    started_at: datetime
    finished_at: datetime | None = None


@dataclass(slots=True)
class Loaded:
    """What the store made of one batch: counts of orders by outcome, and the orders that it refused."""

    tally: Tally  # orders.new/updated/unchanged/kept/rejected, customers.new, and corrections for what it rejected
    rejects: list[Reject] = field(default_factory=list)
    # Of `compare` only: the keys of buyers that the book does not know; they repeat from batch to batch.
    strangers: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))
