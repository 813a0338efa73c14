"""
Nothing of a buyer who was erased is taken over from a file.

A new order comes as a guest's, without addresses and note; of one that is there, money, status and items follow the file,
and buyer, addresses, note and tracking number stay as the book has them. So blanks stay blanks, whatever the file says,
and what a person gave who came back stays as well.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import polars as pl
from sqlalchemy import Connection

from ordermill.privacy.model import PERSONAL
from ordermill.storage.bulk.plan import Plan
from ordermill.storage.bulk.results import frame_of, listed
from ordermill.storage.erased import anybody_erased, erased_among

_BUYER: Final = ("customer_email", "customer_key", "customer_name")
# What is looked up of known orders that keep what they have: those of erased accounts, whoever a file says they are of, and
# those that a file says to be of somebody erased. Addresses are JSON text.
STORED: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "old_id": pl.String,
    "kept_user_id": pl.Int64,
    **{f"kept_{name}": pl.String for name in PERSONAL},
}


def without_erased(connection: Connection, decided: Plan) -> Plan:
    """Return a plan that takes nothing over of those who were erased; the same plan where nobody was."""
    if not anybody_erased(connection):
        return decided
    erased = erased_among(connection, set(buyers(decided)))
    return forgetting(decided, erased, _stored(connection, of_erased(decided.changed, erased), decided.changed))


def buyers(decided: Plan) -> pl.Series:
    """Return the keys of those whose orders would be written."""
    return pl.concat([decided.new["customer_key"], decided.changed["customer_key"]]).drop_nulls().unique()


def of_erased(changed: pl.DataFrame, erased: Collection[str]) -> list[str]:
    """Return the ids of known orders that the file says to be of somebody erased."""
    return [] if changed.is_empty() else changed.filter(pl.col("customer_key").is_in(list(erased)))["old_id"].to_list()


def forgetting(decided: Plan, erased: Collection[str], stored: pl.DataFrame) -> Plan:
    """
    Return a plan whose orders say nothing of those who were erased. Pure.

    Args:
        erased: their keys, of those in the plan.
        stored: `STORED`, the known orders that keep what they have.
    """
    theirs = pl.col("customer_key").is_in(list(erased)).fill_null(value=False)
    new = decided.new.with_columns(forgotten=theirs)
    nothing = [pl.when("forgotten").then(None).otherwise(pl.col(name)).alias(name) for name in (*_BUYER, *PERSONAL)]
    if decided.changed.is_empty():
        return replace(decided, new=new.with_columns(nothing))
    known = decided.changed.join(
        stored.with_columns(forgotten=pl.lit(value=True)), on="old_id", how="left", maintain_order="left"
    )
    known = known.with_columns(pl.col("forgotten").fill_null(value=False))
    kept = [pl.when("forgotten").then(f"kept_{name}").otherwise(name).alias(name) for name in PERSONAL]
    nobody = [pl.when("forgotten").then(None).otherwise(pl.col(name)).alias(name) for name in _BUYER]
    return replace(decided, new=new.with_columns(nothing), changed=known.with_columns(*kept, *nobody))


def with_kept_buyers(changed: pl.DataFrame) -> pl.DataFrame:
    """Give orders that keep what they have their buyer back, once the others have theirs as `user_id`."""
    if "forgotten" not in changed.columns:
        return changed
    return changed.with_columns(user_id=pl.when("forgotten").then("kept_user_id").otherwise("user_id"))


def _stored(connection: Connection, ids: list[str], changed: pl.DataFrame) -> pl.DataFrame:
    if changed.is_empty():
        return pl.DataFrame(schema=STORED)
    texts = ", ".join(f"CAST(o.{name} AS TEXT)" for name in PERSONAL)
    query = (
        f"SELECT o.id, o.user_id, {texts} FROM orders o LEFT JOIN users u ON u.id = o.user_id "  # noqa: S608  # names are ours
        f"WHERE o.id {listed(connection, 'changed')} AND (u.erased_at IS NOT NULL OR o.id {listed(connection, 'ids')})"
    )
    return frame_of(connection, query, STORED, {"changed": changed["old_id"].to_list(), "ids": ids})
