"""Frames of a batch become frames of table rows, column for column. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from ordermill.imports.batch import MOMENT
from ordermill.kit.ids import new_id_texts

ACTOR: Final = "import"
NAME_LIMIT: Final = 100
# What an order's row takes over from the batch as it is.
CARRIED: Final = (
    "number", "external_id", "status", "payment", "currency", "subtotal", "discount", "discount_code", "shipping", "tax",
    "tax_included", "total", "source_total", "paid", "refunded", "shipping_address", "billing_address", "carrier",
    "tracking_number", "note", "placed_at", "source_updated_at", "fingerprint",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every row written by one batch has in common; `import_id` as 32 hex digits."""

    import_id: str
    at: datetime


def customer_rows(orders: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """Return rows of `users`, unclaimed, for orders of customers that have none; one order a customer."""
    # Without a name, the part of the address before the @ is what people would call them by.
    name = pl.coalesce("customer_name", pl.col("customer_email").str.split("@").list.first()).str.slice(0, NAME_LIMIT)
    # In order of their key: two imports that bring the same people wait for each other and never deadlock.
    return orders.sort("customer_key").select(
        email="customer_email",
        email_key="customer_key",
        name=name,
        is_active=pl.lit(True),
        is_staff=pl.lit(False),
        created_at=_moment(at),
        version=pl.lit(1, pl.Int32),
    )


def with_ids(orders: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    """Give each new order its id, ascending, so that the index grows at its end."""
    return orders.with_columns(id=_ids(orders.height, stamp.at))


def order_rows(orders: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    """Return rows of `orders`; needs `id`, `channel_id` and `user_id`."""
    return orders.select(
        "id",
        "channel_id",
        "user_id",
        *CARRIED,
        updated_at=_moment(stamp.at),
        version=pl.lit(1, pl.Int32),
        status_set_here=pl.lit(False),
        imported_version=pl.lit(1, pl.Int32),
        import_id=pl.lit(stamp.import_id),
    )


def item_rows(items: pl.DataFrame, ids: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `order_items` for the orders in `ids` (`row`, `id`), linked to products of the same SKU."""
    return (
        items.join(ids.select(order="row", order_id="id"), on="order", how="inner", maintain_order="left")
        .join(products, on="sku", how="left", maintain_order="left")
        .select(
            "order_id", "position", "product_id", "sku", "name", "quantity", "unit_price", "price_scale", "total", "discount"
        )
    )


def payment_rows(orders: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    """Return rows of `payments` for orders of which something was paid; undated ones carry the order's moment."""
    paid = orders.filter(pl.col("paid") > 0)
    return paid.select(
        order_id="id",
        amount="paid",
        method="payment_method",
        reference="payment_reference",
        at=pl.coalesce("paid_at", "placed_at"),
        import_id=pl.lit(stamp.import_id),
        id=_ids(paid.height, stamp.at),
    )


def refund_rows(orders: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    """Return rows of `refunds` for orders of which something was given back; undated ones carry the order's moment."""
    refunded = orders.filter(pl.col("refunded") > 0)
    return refunded.select(
        order_id="id",
        amount="refunded",
        method="payment_method",
        reference=pl.lit(None, pl.String),
        at=pl.coalesce("refunded_at", "placed_at"),
        import_id=pl.lit(stamp.import_id),
        id=_ids(refunded.height, stamp.at),
    )


def event_rows(orders: pl.DataFrame, stamp: Stamp, *, kind: str) -> pl.DataFrame:
    """Return rows of `events`, one an order; needs `id` and `sequence`."""
    return orders.select(
        id=_ids(orders.height, stamp.at),
        type=pl.lit(kind),
        at=_moment(stamp.at),
        actor=pl.lit(ACTOR),
        order_id="id",
        import_id=pl.lit(stamp.import_id),
        sequence="sequence",
        data=pl.concat_str(pl.lit('{"status":"'), "status", pl.lit('","payment":"'), "payment", pl.lit('"}')),
    )


def _ids(count: int, at: datetime) -> pl.Series:
    return pl.Series("id", new_id_texts(count, at=at), dtype=pl.String)


def _moment(at: datetime) -> pl.Expr:
    return pl.lit(at, MOMENT)
