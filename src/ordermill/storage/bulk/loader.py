"""
One batch into the book, inside an open transaction: the order in which things happen.

Not here: the transaction, the checkpoint and its guard (storage/imports.py).
"""

import polars as pl
from sqlalchemy import Connection

from ordermill.imports.batch import Batch, Loaded
from ordermill.storage.bulk import changes, lookup
from ordermill.storage.bulk.customers import strangers, with_customers
from ordermill.storage.bulk.figures import placed, refunded, summed
from ordermill.storage.bulk.forgotten import with_kept_buyers, without_erased
from ordermill.storage.bulk.frames import insert_frame
from ordermill.storage.bulk.outcome import outcome
from ordermill.storage.bulk.plan import plan
from ordermill.storage.bulk.rows import Stamp, event_rows, item_rows, order_rows, payment_rows, refund_rows, with_ids
from ordermill.storage.statistics import STRIPE


def compare(connection: Connection, batch: Batch, *, file: str) -> Loaded:
    """Say what `load` would do."""
    decided = plan(batch.orders, lookup.existing_orders(connection, batch.orders))
    decided = decided.holding(lookup.holding(connection, decided.cancelling))
    decided = without_erased(connection, decided)
    told = outcome(batch, decided, customers=0, file=file)
    told.strangers = strangers(connection, pl.concat([decided.new["customer_key"], decided.changed["customer_key"]]))
    return told


def load(connection: Connection, batch: Batch, stamp: Stamp, *, file: str) -> Loaded:
    """Write a batch's orders with everything that belongs to them; return what became of each."""
    channels = lookup.channel_ids(connection, batch.orders, at=stamp.at)
    decided = plan(batch.orders, lookup.existing_orders(connection, batch.orders))
    if not decided.changed.is_empty():
        decided = decided.told_twice(lookup.written_by(connection, decided.changed["old_id"], stamp.import_id))
    decided = decided.holding(lookup.holding(connection, decided.cancelling))
    decided = without_erased(connection, decided)
    created = 0
    if not decided.new.is_empty() or not decided.changed.is_empty():
        products = lookup.products(connection, batch.items)
        new, created = with_customers(connection, decided.new.join(channels, on="channel", maintain_order="left"), at=stamp.at)
        figures = _insert(connection, new, batch.items, products, stamp)
        if not decided.changed.is_empty():
            changed, more = with_customers(connection, decided.changed, at=stamp.at)
            created += more
            changed = with_kept_buyers(changed)
            figures = summed(figures, changes.replace(connection, changed, batch.items, products, stamp))
        _move_figures(connection, figures)
    return outcome(batch, decided, customers=created, file=file)


def _insert(
    connection: Connection, new: pl.DataFrame, items: pl.DataFrame, products: pl.DataFrame, stamp: Stamp
) -> pl.DataFrame:
    orders = with_ids(new, stamp).with_columns(sequence=pl.lit(1, pl.Int32))
    insert_frame(connection, "orders", order_rows(orders, stamp))
    insert_frame(connection, "order_items", item_rows(items, orders, products))
    insert_frame(connection, "payments", payment_rows(orders, stamp))
    refunds = refund_rows(orders, stamp)
    insert_frame(connection, "refunds", refunds)
    insert_frame(connection, "events", event_rows(orders, stamp, kind="order.imported"))
    with_order = refunds.join(orders.select("id", "status", "currency"), left_on="order_id", right_on="id")
    return summed(placed(orders), refunded(with_order))


def _move_figures(connection: Connection, figures: pl.DataFrame) -> None:
    added = ", ".join(f"{name} = statistics_hours.{name} + excluded.{name}" for name in ("count", "total", "refunded"))
    insert_frame(
        connection,
        "statistics_hours",
        figures.with_columns(stripe=pl.lit(STRIPE, pl.Int16)),
        suffix=f"ON CONFLICT (hour, currency, stripe) DO UPDATE SET {added}",
    )
