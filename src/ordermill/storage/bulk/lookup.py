"""What the book holds already of what a batch speaks of: orders, channels, products."""

from datetime import datetime

import polars as pl
from sqlalchemy import Connection, select

from ordermill.storage.bulk.plan import EXISTING
from ordermill.storage.bulk.results import frame_of, listed
from ordermill.storage.channels import channel_id
from ordermill.storage.tables import ProductRow


def channel_ids(connection: Connection, orders: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """Return `channel`, `channel_id` for the channels of a batch; those not there yet are created."""
    names = orders["channel"].unique(maintain_order=True).sort().to_list()
    ids = [channel_id(connection, name, at=at) for name in names]
    return pl.DataFrame({"channel": names, "channel_id": ids}, schema={"channel": pl.String, "channel_id": pl.Int64})


def existing_orders(connection: Connection, orders: pl.DataFrame) -> pl.DataFrame:
    """Return the stored orders (`EXISTING`) that share channel and number, or channel and external id, with a batch's."""
    parts = [_existing_of_channel(connection, name, part) for (name,), part in orders.group_by("channel", maintain_order=True)]
    return pl.concat([pl.DataFrame(schema=EXISTING), *parts])


def _existing_of_channel(connection: Connection, channel: object, orders: pl.DataFrame) -> pl.DataFrame:
    query = (
        f"SELECT o.id, c.name, {', '.join(f'o.{name}' for name in list(EXISTING)[2:])} "  # noqa: S608  # names are ours
        "FROM channels c JOIN orders o ON o.channel_id = c.id WHERE c.name = :channel AND "
    )
    parameters = {"channel": channel, "numbers": orders["number"].to_list()}
    by_number = f"o.number {listed(connection, 'numbers')}"
    externals = orders["external_id"].drop_nulls().to_list()
    if not externals:
        return frame_of(connection, query + by_number, EXISTING, parameters)
    by_external = f"(o.external_id {listed(connection, 'externals')} OR {by_number})"
    return frame_of(connection, query + by_external, EXISTING, {**parameters, "externals": externals})


def written_by(connection: Connection, ids: pl.Series, import_id: str) -> pl.Series:
    """Return those of the stored orders `ids` that a run has written already; its ledger knows."""
    query = f"SELECT DISTINCT order_id FROM events WHERE import_id = :run AND order_id {listed(connection, 'ids')}"  # noqa: S608  # names are ours
    return frame_of(connection, query, {"id": pl.String}, {"run": import_id, "ids": ids.to_list()})["id"]


def holding(connection: Connection, ids: pl.Series) -> pl.Series:
    """Return those of the stored orders `ids` that hold stock or a discount's use, which cancelling them here gives back."""
    if ids.is_empty():
        return ids
    query = (
        f"SELECT order_id FROM discount_uses WHERE order_id {listed(connection, 'ids')} "  # noqa: S608  # names are ours
        f"UNION SELECT taken.order_id FROM stock_movements taken WHERE taken.order_id {listed(connection, 'ids')} "
        "AND taken.kind = 'order' AND NOT EXISTS (SELECT 1 FROM stock_movements back "
        "WHERE back.order_id = taken.order_id AND back.product_id = taken.product_id AND back.kind = 'cancel')"
    )
    return frame_of(connection, query, {"id": pl.String}, {"ids": ids.to_list()})["id"]


def products(connection: Connection, items: pl.DataFrame) -> pl.DataFrame:
    """Return `sku`, `product_id` of the catalogue's products that a batch sold."""
    schema = {"sku": pl.String, "product_id": pl.Int64}
    if connection.execute(select(ProductRow.id).limit(1)).first() is None:
        return pl.DataFrame(schema=schema)
    query = f"SELECT sku, id FROM products WHERE sku {listed(connection, 'skus')}"  # noqa: S608  # names are ours
    return frame_of(connection, query, schema, {"skus": items["sku"].unique().to_list()})
