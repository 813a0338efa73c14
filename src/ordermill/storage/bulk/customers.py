"""Accounts for the e-mails of a batch: known ones are found, new ones come in unclaimed."""

from datetime import datetime

import polars as pl
from sqlalchemy import Connection

from ordermill.storage.bulk.frames import insert_frame
from ordermill.storage.bulk.results import frame_of, listed
from ordermill.storage.bulk.rows import customer_rows


def with_customers(connection: Connection, orders: pl.DataFrame, *, at: datetime) -> tuple[pl.DataFrame, int]:
    """Add `user_id` to orders (null for guests); return them and how many accounts were created."""
    wanted = orders.filter(pl.col("customer_key").is_not_null()).unique("customer_key", keep="first", maintain_order=True)
    known = _known(connection, wanted)
    missing = wanted.join(known, on="customer_key", how="anti", maintain_order="left")
    created = 0
    if not missing.is_empty():
        insert_frame(connection, "users", customer_rows(missing, at=at), suffix="ON CONFLICT (email_key) DO NOTHING")
        found = _known(connection, missing)
        created = found.height
        known = pl.concat([known, found])
    return orders.join(known, on="customer_key", how="left", maintain_order="left"), created


def strangers(connection: Connection, keys: pl.Series) -> pl.Series:
    """Return the keys among these, nulls left out, that no account has."""
    wanted = keys.drop_nulls().unique(maintain_order=True)
    known = _known(connection, wanted.to_frame())
    return wanted.filter(~wanted.is_in(known["customer_key"].implode()))


def _known(connection: Connection, wanted: pl.DataFrame) -> pl.DataFrame:
    schema = {"customer_key": pl.String, "user_id": pl.Int64}
    if wanted.is_empty():
        return pl.DataFrame(schema=schema)
    query = f"SELECT email_key, id FROM users WHERE email_key {listed(connection, 'keys')}"  # noqa: S608  # names are ours
    return frame_of(connection, query, schema, {"keys": wanted["customer_key"].to_list()})
