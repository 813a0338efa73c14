"""What the book holds already of what a batch speaks of: orders, channels, products."""

from datetime import datetime

import polars as pl
from sqlalchemy import Connection, func, or_, select

from ordermill.storage.bulk.plan import EXISTING
from ordermill.storage.channels import channel_id
from ordermill.storage.statements import among
from ordermill.storage.tables import ChannelRow, OrderRow, ProductRow


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
    id_of_channel = connection.execute(select(ChannelRow.id).where(ChannelRow.name == channel)).scalar()
    if id_of_channel is None:
        return pl.DataFrame(schema=EXISTING)
    externals = orders["external_id"].drop_nulls().to_list()
    same = among(connection, OrderRow.number, orders["number"].to_list())
    if externals:
        same = or_(same, among(connection, OrderRow.external_id, externals))
    query = select(
        OrderRow.id, OrderRow.number, OrderRow.external_id, OrderRow.currency, OrderRow.status, OrderRow.total,
        OrderRow.placed_at, OrderRow.fingerprint, OrderRow.source_updated_at, OrderRow.status_set_here, OrderRow.version,
    ).where(OrderRow.channel_id == id_of_channel, same)  # fmt: skip
    rows = connection.execute(query).all()
    return pl.DataFrame([(row[0].hex, channel, *row[1:]) for row in rows], schema=EXISTING, orient="row")


def products(connection: Connection, items: pl.DataFrame) -> pl.DataFrame:
    """Return `sku`, `product_id` of the catalogue's products that a batch sold."""
    schema = {"sku": pl.String, "product_id": pl.Int64}
    if not connection.execute(select(func.count()).select_from(select(ProductRow.id).limit(1).subquery())).scalar():
        return pl.DataFrame(schema=schema)
    skus = items["sku"].unique().to_list()
    rows = connection.execute(select(ProductRow.sku, ProductRow.id).where(among(connection, ProductRow.sku, skus))).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
