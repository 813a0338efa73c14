"""Orders that a newer export changed: their rows are replaced under the ids they have."""

from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from ordermill.imports.batch import MOMENT
from ordermill.kit.errors import StaleVersion
from ordermill.storage.bulk import versions
from ordermill.storage.bulk.figures import placed, refunded, summed
from ordermill.storage.bulk.frames import insert_frame, temporary
from ordermill.storage.bulk.results import frame_of
from ordermill.storage.bulk.rows import CARRIED, Stamp, event_rows, item_rows, payment_rows, refund_rows

TAKEN_OVER = (*CARRIED, "user_id", "updated_at")


def replace(
    connection: Connection, changed: pl.DataFrame, items: pl.DataFrame, products: pl.DataFrame, stamp: Stamp
) -> pl.DataFrame:
    """
    Write changed orders over what the book has; return what that does to the statistics.

    Args:
        changed: `plan.Plan.changed` with `user_id`.
        items: the items of the whole batch.
    """
    orders = changed.with_columns(id=pl.col("old_id"), version=pl.col("old_version"), updated_at=pl.lit(stamp.at, MOMENT))
    with temporary(connection, "changed_orders", orders.select("id", "version", *TAKEN_OVER), like="orders"):
        versions.keep(connection, UUID(stamp.import_id))
        _overwrite(connection, expected=orders.height)
        before = _figures_before(connection, orders)
        sequence = _sequences(connection)
        _clear(connection)
    insert_frame(connection, "order_items", item_rows(items, orders, products))
    insert_frame(connection, "payments", payment_rows(orders, stamp))
    refunds = refund_rows(orders, stamp)
    insert_frame(connection, "refunds", refunds)
    numbered = orders.join(sequence, on="id", how="left").with_columns(sequence=pl.col("last").fill_null(0) + 1)
    insert_frame(connection, "events", event_rows(numbered, stamp, kind="order.updated"))
    kept_refunds = refunds.join(orders.select("id", "status", "currency"), left_on="order_id", right_on="id")
    return summed(before, placed(orders), refunded(kept_refunds))


def _overwrite(connection: Connection, *, expected: int) -> None:
    assigned = ", ".join(f'"{name}" = changed_orders."{name}"' for name in TAKEN_OVER)
    overwritten = connection.exec_driver_sql(
        f"UPDATE orders SET {assigned}, version = orders.version + 1, imported_version = orders.version + 1 "  # noqa: S608  # names are ours
        "FROM changed_orders "
        "WHERE orders.id = changed_orders.id AND orders.version = changed_orders.version"
    )
    if overwritten.rowcount != expected:
        raise StaleVersion("An order of the import")


def _clear(connection: Connection) -> None:
    for table in ("order_items", "payments", "refunds"):
        imported = "" if table == "order_items" else "import_id IS NOT NULL AND "
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE {imported}order_id IN (SELECT id FROM changed_orders)")  # noqa: S608  # names are ours


def _figures_before(connection: Connection, orders: pl.DataFrame) -> pl.DataFrame:
    """Return what these orders count for now, negated."""
    old = {name: f"old_{name}" for name in ("status", "currency", "placed_at", "total")}
    query = (
        "SELECT order_id, at, amount FROM refunds WHERE import_id IS NOT NULL AND order_id IN (SELECT id FROM changed_orders)"
    )
    refunds = frame_of(connection, query, {"id": pl.String, "at": MOMENT, "amount": pl.Int64})
    with_order = refunds.join(orders.select("id", status="old_status", currency="old_currency"), on="id")
    return summed(placed(orders.select(**old), sign=-1), refunded(with_order, sign=-1))


def _sequences(connection: Connection) -> pl.DataFrame:
    query = "SELECT order_id, max(sequence) FROM events WHERE order_id IN (SELECT id FROM changed_orders) GROUP BY order_id"
    return frame_of(connection, query, {"id": pl.String, "last": pl.Int32})
