"""
Decides what becomes of each order of a batch, given what the book holds already. Pure: frames in, frames out.

The rules are PRODUCT.md section 2, "Identity and updates".
"""

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from ordermill.imports.batch import MOMENT
from ordermill.imports.refusals import CODE

# What is looked up of the orders that a batch may meet; `id` as 32 hex digits.
EXISTING: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "id": pl.String,
    "channel": pl.String,
    "number": pl.String,
    "external_id": pl.String,
    "currency": pl.String,
    "status": pl.String,
    "total": pl.Int64,
    "placed_at": MOMENT,
    "fingerprint": pl.String,
    "source_updated_at": MOMENT,
    "status_set_here": pl.Boolean,
    "carrier": pl.String,
    "tracking_number": pl.String,
    "version": pl.Int32,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The orders of a batch by what is to be done; `changed` and `refused` also carry the stored row as `old_…`."""

    new: pl.DataFrame
    changed: pl.DataFrame
    unchanged: pl.DataFrame
    refused: pl.DataFrame

    @property
    def kept(self) -> int:
        """How many changed orders keep the status that they have here."""
        return int(self.changed["keeps_status"].sum()) if "keeps_status" in self.changed.columns else 0

    @property
    def forgotten(self) -> tuple[int, int]:
        """How many new and how many changed orders say less than their file, since their buyer was erased."""
        new, changed = (int(each["forgotten"].sum()) if "forgotten" in each.columns else 0 for each in (self.new, self.changed))
        return new, changed

    def told_twice(self, written: pl.Series) -> "Plan":
        """Refuse orders that this very run has written in an earlier batch: its file holds two that the book takes for one."""
        if self.changed.is_empty() or written.is_empty():
            return self
        twice = pl.col("old_id").is_in(written.implode())
        refused = self.changed.filter(twice).select(self.refused.columns)
        return replace(self, changed=self.changed.filter(~twice), refused=pl.concat([self.refused, refused]))

    @property
    def cancelling(self) -> pl.Series:
        """The ids of the stored orders that are in force and that their file cancels."""
        return self.changed.filter(_cancels())["old_id"] if "old_id" in self.changed.columns else pl.Series(dtype=pl.String)

    def holding(self, held: pl.Series) -> "Plan":
        """
        Leave the orders that hold stock or a discount's use, `held`, as they are where the file cancels them.

        Cancelling them here gives that back; an order that is cancelled already could never give it back any more.
        """
        if held.is_empty():
            return self
        keeps = _cancels() & pl.col("old_id").is_in(held.implode())
        status = pl.when(keeps).then("old_status").otherwise("status").alias("status")
        return replace(self, changed=self.changed.with_columns(status, keeps_status=pl.col("keeps_status") | keeps))


def plan(orders: pl.DataFrame, existing: pl.DataFrame) -> Plan:
    """
    Sort the orders of a batch.

    Args:
        orders: `imports.batch.ORDERS`.
        existing: `EXISTING`, every stored order that shares a channel and a number or external id with one of them.
    """
    if existing.is_empty():
        refused = _repeated_external_id(orders)
        return Plan(orders.filter(~refused), orders.clear(), orders.clear(), orders.filter(refused))
    judged = _matched(orders, existing).with_columns(_verdict().alias("verdict"))
    changed = judged.filter(verdict="changed")
    own_status = pl.col("old_status_set_here") & (pl.col("status") != pl.col("old_status"))
    return Plan(
        new=judged.filter(verdict="new").select(orders.columns),
        changed=changed.with_columns(
            pl.when(own_status).then("old_status").otherwise("status").alias("status"),
            own_status.alias("keeps_status"),
            *(_said_or_set_here(name) for name in ("carrier", "tracking_number")),
        ),
        unchanged=judged.filter(verdict="unchanged"),
        refused=judged.filter(verdict=CODE),
    )


def _cancels() -> pl.Expr:
    return (pl.col("status") == "cancelled") & (pl.col("old_status") != "cancelled")


def _said_or_set_here(name: str) -> pl.Expr:
    """What came with a status that was set here stands where the file says nothing of it."""
    said = pl.col(name)
    return pl.when("old_status_set_here").then(pl.coalesce(said, f"old_{name}")).otherwise(said).alias(name)


def _matched(orders: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    """Put beside each order the stored order of its external id, else that of its number, as `old_…`."""
    old = existing.rename({name: f"old_{name}" for name in existing.columns})
    by_external = old.filter(pl.col("old_external_id").is_not_null())
    by_number = old.select("old_channel", "old_number", number_owner="old_id")
    found = orders.join(
        by_external.select("old_channel", "old_external_id", external_owner="old_id"),
        left_on=["channel", "external_id"],
        right_on=["old_channel", "old_external_id"],
        how="left",
        maintain_order="left",
    ).join(by_number, left_on=["channel", "number"], right_on=["old_channel", "old_number"], how="left", maintain_order="left")
    found = found.with_columns(old_id=pl.coalesce("external_owner", "number_owner"))
    # Two orders of a batch can mean one stored order, by its number and by its id: the second is another order.
    claimed = pl.col("old_id").is_not_null() & ~pl.col("old_id").is_first_distinct()
    return found.with_columns(repeated=claimed | _repeated_external_id(orders)).join(
        old, on="old_id", how="left", maintain_order="left"
    )


def _repeated_external_id(orders: pl.DataFrame) -> pl.Series:
    """Whether an earlier order of the batch has the same external id in the same channel."""
    named = orders.select(
        repeated=pl.col("external_id").is_not_null() & ~pl.struct("channel", "external_id").is_first_distinct()
    )
    return named["repeated"]


def _verdict() -> pl.Expr:
    other_owner = pl.col("number_owner").is_not_null() & (pl.col("number_owner") != pl.col("old_id"))
    other_external = pl.col("external_owner").is_null() & (pl.col("old_external_id") != pl.col("external_id"))
    other_facts = (pl.col("currency") != pl.col("old_currency")) | (pl.col("placed_at") != pl.col("old_placed_at"))
    different = other_owner | other_external.fill_null(value=False) | other_facts.fill_null(value=False)
    older = (pl.col("source_updated_at") < pl.col("old_source_updated_at")).fill_null(value=False)
    same = (pl.col("fingerprint") == pl.col("old_fingerprint")).fill_null(value=False)
    return (
        pl.when(pl.col("repeated") | different.fill_null(value=False))
        .then(pl.lit(CODE))
        .when(pl.col("old_id").is_null())
        .then(pl.lit("new"))
        .when(same | older)
        .then(pl.lit("unchanged"))
        .otherwise(pl.lit("changed"))
    )
