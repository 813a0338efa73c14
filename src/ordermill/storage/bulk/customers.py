"""Accounts for the e-mails of a batch: known ones are found, new ones come in unclaimed."""

from datetime import datetime

import polars as pl
from sqlalchemy import Connection, select

from ordermill.imports.model import MOMENT
from ordermill.storage.bulk.frames import insert_frame
from ordermill.storage.statements import among
from ordermill.storage.tables import UserRow

NAME_LIMIT = 100


def with_customers(connection: Connection, orders: pl.DataFrame, *, at: datetime) -> tuple[pl.DataFrame, int]:
    """Add `user_id` to orders (null for guests); return them and how many accounts were created."""
    wanted = orders.filter(pl.col("customer_key").is_not_null()).unique("customer_key", keep="first", maintain_order=True)
    known = _known(connection, wanted)
    missing = wanted.join(known, on="customer_key", how="anti", maintain_order="left")
    created = 0
    if not missing.is_empty():
        insert_frame(connection, "users", _unclaimed(missing, at), suffix="ON CONFLICT (email_key) DO NOTHING")
        found = _known(connection, missing)
        created = found.height
        known = pl.concat([known, found])
    return orders.join(known, on="customer_key", how="left", maintain_order="left"), created


def _known(connection: Connection, wanted: pl.DataFrame) -> pl.DataFrame:
    keys = wanted["customer_key"].to_list()
    rows = (
        connection.execute(select(UserRow.email_key, UserRow.id).where(among(connection, UserRow.email_key, keys))).all()
        if keys
        else []
    )
    return pl.DataFrame([tuple(row) for row in rows], schema={"customer_key": pl.String, "user_id": pl.Int64}, orient="row")


def _unclaimed(customers: pl.DataFrame, at: datetime) -> pl.DataFrame:
    # Without a name, the part of the address before the @ is what people would call them by.
    name = pl.coalesce("customer_name", pl.col("customer_email").str.split("@").list.first()).str.slice(0, NAME_LIMIT)
    # In order of their key: two imports that bring the same people wait for each other and never deadlock.
    return customers.sort("customer_key").select(
        email="customer_email",
        email_key="customer_key",
        name=name,
        is_active=pl.lit(True),
        is_staff=pl.lit(False),
        created_at=pl.lit(at, MOMENT),
        version=pl.lit(1, pl.Int32),
    )
