"""Refusals that only the book can give: an order there has the same number or id, but is another one."""

import polars as pl

from ordermill.imports.batch import Batch
from ordermill.imports.model import Money, Reason, Reject, Tally
from ordermill.kit.text import shortened

CODE = "different_order"


def refused_by_book(batch: Batch, refused: pl.DataFrame, *, file: str) -> tuple[list[Reject], Tally]:
    """
    Turn accepted orders that the book refuses into rejects, and take them out of the batch's figures.

    Returns:
        The rejects, and a tally to add, negative where the batch had counted these orders as accepted.
    """
    rejects = [_reject(batch, row) for row in refused.iter_rows(named=True)]
    return rejects, _correction(refused, rejects, file)


def _reject(batch: Batch, order: dict[str, object]) -> Reject:
    lines = batch.lines.filter(pl.col("order") == order["row"])
    number = str(order["number"])
    return Reject(
        line=int(lines["line"][0]),
        number=shortened(number),
        field=None,
        value=None,
        code=CODE,
        message=(
            f"There is another order {number!r} in channel {order['channel']!r}, in the book or above in this file: in another "
            "currency, placed at another moment, under another id, or with other content; if these come from two shops, "
            "give each its own --channel."
        ),
        lines=tuple((int(line), str(raw)) for _, line, raw in lines.iter_rows()),
    )


def _correction(refused: pl.DataFrame, rejects: list[Reject], file: str) -> Tally:
    tally = Tally()
    lines = int(refused["line_count"].sum())
    tally.orders["rejected"] = refused.height
    tally.orders["merged"] = -int(refused["merged"].sum())
    tally.lines["rejected"], tally.lines["accepted"] = lines, -lines
    tally.customers["guests"] = -int(refused["customer_key"].is_null().sum())
    for currency, total, stated, against in (
        refused.group_by("currency")
        .agg(
            pl.col("total").sum(),
            pl.col("source_total").sum(),
            against=pl.col("total").filter(pl.col("source_total").is_not_null()).sum(),
        )
        .iter_rows()
    ):
        tally.money[currency] = Money(-total, -stated, stated - against)
    first = rejects[0]
    tally.reasons[CODE] = Reason(
        len(rejects),
        {"file": file, "line": first.line, "number": first.number, "field": None, "value": None, "message": first.message},
    )
    return tally
