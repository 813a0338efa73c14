"""Orders that a newer export changed: their rows are replaced under the ids they have."""

from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from ordermill.imports.batch import MOMENT
from ordermill.kit.errors import StaleVersion
from ordermill.storage.bulk import versions
from ordermill.storage.bulk.figures import before, placed, refunded, summed
from ordermill.storage.bulk.frames import insert_frame, temporary
from ordermill.storage.bulk.recorded import MOVEMENTS, beyond_recorded, refunds_after, with_recorded
from ordermill.storage.bulk.results import frame_of, listed
from ordermill.storage.bulk.rows import CARRIED, Stamp, event_rows, item_rows, payment_rows, refund_rows

TAKEN_OVER = (*CARRIED, "user_id", "updated_at")


def replace(
    connection: Connection, changed: pl.DataFrame, items: pl.DataFrame, products: pl.DataFrame, stamp: Stamp
) -> pl.DataFrame:
    """
    Write changed orders over what the book has; return what that does to the statistics.

    Payments and refunds that were recorded here stay (`storage.bulk.recorded`), and those that imports told of are replaced.

    Args:
        changed: `plan.Plan.changed` with `user_id`.
        items: the items of the whole batch.
    """
    orders = changed.with_columns(id=pl.col("old_id"), version=pl.col("old_version"), updated_at=pl.lit(stamp.at, MOMENT))
    payments, refunds = (_movements(connection, table, orders) for table in ("payments", "refunds"))
    orders = with_recorded(orders, payments=payments, refunds=refunds)
    with temporary(connection, "changed_orders", orders.select("id", "version", *TAKEN_OVER), like="orders"):
        versions.keep(connection, UUID(stamp.import_id))
        _overwrite(connection, expected=orders.height)
        sequence = _sequences(connection)
        _clear(connection)
    insert_frame(connection, "order_items", item_rows(items, orders, products))
    imported = refund_rows(beyond_recorded(orders), stamp)
    insert_frame(connection, "payments", payment_rows(beyond_recorded(orders), stamp))
    insert_frame(connection, "refunds", imported)
    numbered = orders.join(sequence, on="id", how="left").with_columns(sequence=pl.col("last").fill_null(0) + 1)
    insert_frame(connection, "events", event_rows(numbered, stamp, kind="order.updated"))
    after = refunded(refunds_after(orders, refunds, imported))
    return summed(before(orders, refunds), placed(orders), after)


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


def _movements(connection: Connection, table: str, orders: pl.DataFrame) -> pl.DataFrame:
    """Return the payments or refunds of orders (`MOVEMENTS`); the guard of `_overwrite` says whether they still hold."""
    query = f"SELECT order_id, at, amount, import_id IS NULL FROM {table} WHERE order_id {listed(connection, 'orders')}"  # noqa: S608  # names are ours
    return frame_of(connection, query, MOVEMENTS, {"orders": orders["id"].to_list()})


def _sequences(connection: Connection) -> pl.DataFrame:
    query = "SELECT order_id, max(sequence) FROM events WHERE order_id IN (SELECT id FROM changed_orders) GROUP BY order_id"
    return frame_of(connection, query, {"id": pl.String, "last": pl.Int32})
