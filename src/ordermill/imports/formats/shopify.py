"""
Shopify's orders CSV, as the admin exports it: one row per line item, the order's fields on its first row only.

Read by name, so older exports with fewer columns are fine. Continuation rows repeat Name, Email and Created at.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import polars as pl

from ordermill.imports import cells
from ordermill.imports.formats import Sample

_REQUIRED: Final = ("Name", "Created at", "Lineitem quantity", "Lineitem price")

# Canonical column: the columns it may stand in, the first filled one counts.
_COPIED: Final[dict[str, tuple[str, ...]]] = {
    "number": ("Name",),
    "external_id": ("Id",),
    "currency": ("Currency",),
    "customer_email": ("Email",),
    "customer_name": ("Billing Name", "Shipping Name"),
    "placed_at": ("Created at",),
    "paid_at": ("Paid at",),
    "discount_code": ("Discount Code",),
    "source_total": ("Total",),
    "payment_method": ("Payment Method",),
    "payment_reference": ("Payment Reference", "Payment References", "Payment ID"),
    "refunded": ("Refunded Amount",),
    "note": ("Notes",),
    "name": ("Lineitem name",),
    "quantity": ("Lineitem quantity",),
    "unit_price": ("Lineitem price",),
    "item_discount": ("Lineitem discount",),
}
_ADDRESS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("Name",),
    "company": ("Company",),
    "line1": ("Address1", "Street"),
    "line2": ("Address2",),
    "city": ("City",),
    "region": ("Province", "Province Name"),
    "postal_code": ("Zip",),
    "country": ("Country",),
    "phone": ("Phone",),
}
# Where to look for what is not copied but concluded.
_CONCLUDED: Final[dict[str, tuple[str, ...]]] = {
    "sku": ("Lineitem sku", "Lineitem name"),
    "status": ("Fulfillment Status",),
    "payment": ("Financial Status",),
    "paid": ("Outstanding Balance",),
    "discount_beyond_items": ("Discount Amount",),
    "shipping": ("Shipping",),
    "tax": ("Taxes",),
    "tax_included": ("Taxes",),
}
_CHARGES: Final = {
    "shipping": "Shipping",
    "discount": "Discount Amount",
    "taxes": "Taxes",
    "duties": "Duties",
    "total": "Total",
    "owed": "Outstanding Balance",
}
# Kept from spreadsheets by an apostrophe, which would else eat leading zeros and plus signs.
_APOSTROPHED: Final = frozenset(("postal_code", "phone"))
_UNPAID: Final = ("pending", "authorized", "expired", "voided")
_SKU_LENGTH: Final = 64

# Amounts as they may be, and room for their products and sums.
_EXACT: Final = pl.Decimal(16, 4)
_SUM: Final = pl.Decimal(38, 4)


class Shopify:
    name = "shopify"
    title = "Shopify orders CSV"
    kind: Literal["csv", "jsonl"] = "csv"
    channel = "shopify"

    def recognises(self, sample: Sample) -> bool:
        return sample.kind == self.kind and not self.missing(sample.columns)

    def missing(self, columns: Sequence[str]) -> list[str]:
        """Return the columns without which a file is not of this format."""
        return [name for name in _REQUIRED if name not in columns]

    def key(self, columns: Sequence[str], *, channel: str) -> pl.Expr:  # noqa: ARG002  # `Name` is on every row of every variant
        return cells.filled(pl.col("Name"))

    def read(self, raw: pl.DataFrame) -> pl.DataFrame:
        row = _Row(raw.columns)
        copied = {name: row.first(*sources) for name, sources in _COPIED.items()}
        addresses = {name: _address_part(name, row.first(*sources)) for name, sources in _address_sources().items()}
        sku = pl.coalesce(row.first("Lineitem sku"), row.first("Lineitem name").str.slice(0, _SKU_LENGTH))
        states = {"sku": sku, "status": _status(row), "payment": _payment(row)}
        return raw.select("_line", **copied, **addresses, **states).hstack(_charges(raw, row))

    def advice(self) -> Mapping[str, str]:
        return {}

    def source_names(self, columns: Sequence[str]) -> dict[str, str]:
        sources = _COPIED | _address_sources() | _CONCLUDED
        present = {name: [source for source in choice if source in columns] for name, choice in sources.items()}
        return {name: choice[0] for name, choice in present.items() if choice}


class _Row:
    """The columns of this file, of which any may be missing."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = frozenset(columns)

    def first(self, *names: str) -> pl.Expr:
        """Return the first filled one of these columns, null where none is."""
        present = [cells.filled(pl.col(name)) for name in names if name in self._columns]
        return pl.coalesce(present) if present else pl.lit(None, dtype=pl.String)

    def exact(self, name: str) -> pl.Expr:
        """Return an amount to reckon with, 0 where the column says nothing; what is malformed shows in the copied text."""
        return self.first(name).cast(_EXACT, strict=False).fill_null(0).cast(_SUM)

    def item_sum(self) -> pl.Expr:
        """Return what the items of the row's order cost, their own discounts taken off."""
        quantity = self.first("Lineitem quantity").cast(pl.Decimal(9, 0), strict=False).fill_null(0).cast(_SUM)
        return (self.exact("Lineitem price") * quantity - self.exact("Lineitem discount")).sum().over("Name")


def _address_sources() -> dict[str, tuple[str, ...]]:
    return {
        f"{side.lower()}_{part}": tuple(f"{side} {name}" for name in names)
        for side in ("Shipping", "Billing")
        for part, names in _ADDRESS.items()
    }


def _address_part(name: str, value: pl.Expr) -> pl.Expr:
    return cells.filled(value.str.strip_prefix("'")) if name.partition("_")[2] in _APOSTROPHED else value


def _status(row: _Row) -> pl.Expr:
    fulfilment = row.first("Fulfillment Status").str.to_lowercase()
    financial = row.first("Financial Status").str.to_lowercase()
    unfulfilled = fulfilment.fill_null("unfulfilled") == "unfulfilled"
    return (
        pl.when(row.first("Cancelled at").is_not_null())
        .then(pl.lit("cancelled"))
        .when(fulfilment == "fulfilled")
        .then(pl.lit("shipped"))
        .when((fulfilment == "partial") | (unfulfilled & (financial == "paid")))
        .then(pl.lit("processing"))
        # A continuation row says nothing, so it leaves the word to the first.
        .when(fulfilment.is_not_null() | financial.is_not_null())
        .then(pl.lit("pending"))
    )


def _payment(row: _Row) -> pl.Expr:
    financial = row.first("Financial Status").str.to_lowercase()
    return pl.when(financial.is_in(_UNPAID)).then(pl.lit("unpaid")).otherwise(financial)


def _charges(raw: pl.DataFrame, row: _Row) -> pl.DataFrame:
    """
    Conclude shipping, tax and discount from what the order's own total adds up to.

    Subtotal + Shipping = Total with Taxes: prices include them. Discount Amount may hold discounts on shipping, or on
    items whose rows hold them again: what the items cost above Subtotal is the discount on them. The rest of it
    was on shipping, and is taken off there when Total shows that Shipping still holds it.
    """
    told = raw.select(
        **{name: row.first(source) for name, source in _CHARGES.items()},
        **{f"{name}_sum": row.exact(source) for name, source in _CHARGES.items()},
        on_items=row.item_sum() - row.exact("Subtotal"),
        surplus=row.exact("Subtotal") + row.exact("Shipping") + row.exact("Duties") - row.exact("Total"),
        partly_paid=row.first("Financial Status").str.to_lowercase() == "partially_paid",
    )
    discount, shipping, taxes, duties = (pl.col(f"{name}_sum") for name in ("discount", "shipping", "taxes", "duties"))
    on_items, on_shipping, surplus = pl.col("on_items"), pl.col("on_shipping"), pl.col("surplus")
    known = (discount > 0) & (on_items >= 0) & (on_items < discount)
    explained = (surplus == on_shipping) | (surplus + taxes == on_shipping)
    told = told.with_columns(known=known, on_shipping=discount - on_items)
    told = told.with_columns(reduced=pl.col("known") & (on_shipping <= shipping) & explained)
    told = told.with_columns(included=(taxes > 0) & ((surplus == 0) | (pl.col("reduced") & (surplus == on_shipping))))
    with_duties = duties + pl.when("included").then(0).otherwise(taxes)
    return told.select(
        shipping=pl.when("reduced").then(_text(shipping - on_shipping)).otherwise("shipping"),
        discount_beyond_items=pl.when("known").then(_text(on_items)).otherwise("discount"),
        tax=pl.when(duties > 0).then(_text(with_duties)).when("included").then(pl.lit("0")).otherwise("taxes"),
        tax_included=pl.when("included").then("taxes"),
        paid=pl.when(pl.col("partly_paid") & pl.col("owed").is_not_null()).then(
            _text(pl.col("total_sum") - pl.col("owed_sum"))
        ),
    )


def _text(amount: pl.Expr) -> pl.Expr:
    return amount.cast(pl.String).str.replace(r"\.?0+$", "")


FORMAT = Shopify()
