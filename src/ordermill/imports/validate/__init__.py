"""
Every rule for an order from a file, on columns; a reason for each line that breaks one.

Canonical text goes in, typed columns come out. Nothing is repaired here beyond what PRODUCT.md section 2
says (and counts): an order with a faulty line is refused whole.
"""

from dataclasses import dataclass

import polars as pl

from ordermill.imports.columns import MISSHAPEN, REFUSED
from ordermill.imports.model import Defaults
from ordermill.imports.validate import items, orders
from ordermill.imports.validate.lines import Lines
from ordermill.imports.validate.reasons import DEFECT, Faults


@dataclass(frozen=True, slots=True)
class Judged:
    """What the lines of a batch say, typed; values of faulty lines are null or nonsense, and `faults` names their orders."""

    orders: pl.DataFrame  # `validate.orders.read`
    items: pl.DataFrame  # `validate.items.read`
    faults: Faults


def judge(lines: Lines, *, defaults: Defaults) -> Judged:
    """Apply every rule that one line, or an order's own columns, can break."""
    faults = Faults(lines)
    _structure(lines, faults)
    read = orders.read(lines, faults, defaults=defaults)
    sold = items.read(lines, faults, scale=read.get_column("price_scale"))
    return Judged(read, sold, faults)


def _structure(lines: Lines, faults: Faults) -> None:
    """Refuse records that are malformed, records of another shape, and lines that the format knows to be no sale."""
    defective = lines.records.drop_nulls("_defect")
    for (code,), records in defective.group_by("_defect"):
        where = lines.frame.get_column("_line").is_in(records.get_column("_line").implode())
        faults.in_rows(str(code), DEFECT, where)
    misshapen = lines.column(MISSHAPEN)
    if misshapen is not None:
        faults.in_rows("wrong_shape", MISSHAPEN, misshapen.is_not_null())
    refused = lines.column(REFUSED)
    if refused is not None:
        faults.in_rows("not_a_sale", REFUSED, refused.is_not_null())
