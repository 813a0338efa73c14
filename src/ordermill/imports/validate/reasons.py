"""
Why an order is refused: which rule its first faulty line breaks, in a sentence that says what to do about it.

Judging only collects rows here; sentences are made for the few orders that are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from ordermill.imports.columns import ITEM, MISSHAPEN, ORDER, REFUSED
from ordermill.imports.model import Reason, Reject
from ordermill.imports.validate.amounts import LIMIT_QUANTITY
from ordermill.imports.validate.lines import Lines
from ordermill.imports.validate.texts import LIMITS
from ordermill.kit.text import defect, printable, shortened

DEFECT: Final = "_defect"
_SENTENCES: Final = (MISSHAPEN, REFUSED)  # columns in which the format itself says what is wrong

# Where one line breaks several rules, the first column here gives the reason.
_PRIORITY: Final = {column: rank for rank, column in enumerate((DEFECT, MISSHAPEN, REFUSED, "number", *ITEM, *ORDER))}

# What to do, by code; behind "Line 7: Quantity is '-1'; ".
_ADVICE: Final = {
    "number_missing": "write the number of the order that the line belongs to.",
    "no_items": "an order needs at least one item; write its SKU, quantity and price.",
    "sku_missing": "write the SKU of what was sold.",
    "quantity": f"write a whole number from 1 to {LIMIT_QUANTITY:,}.",
    "unit_price_missing": "write the price of one piece, or the line's total.",
    "amount_malformed": "write it in digits with a point, such as 12.30.",
    "amount_negative": "write 0 or more.",
    "amount_too_large": "write an amount below 1,000,000,000,000.",
    "too_many_decimals": "write no more decimals than the currency has; a unit price may have four.",
    "item_discount_too_large": "a line's discount must not be more than the line's total.",
    "unknown_currency": "write an ISO 4217 code such as EUR.",
    "currency_mismatch": "another line of this order has another currency; write one currency for all of them.",
    "email_malformed": "write an address such as ada@example.com, or leave it empty for a guest order.",
    "email_mismatch": "another line of this order has another address; write one buyer for all of them.",
    "guest_not_allowed": "write the buyer's e-mail address, or allow guest orders.",
    "unknown_status": "write pending, processing, shipped, delivered or cancelled.",
    "unknown_payment": "write unpaid, partially_paid, paid, partially_refunded or refunded.",
    "unknown_country": "write an ISO 3166-1 code such as GB, or the country's English name.",
    "placed_at_missing": "write when the order was placed, such as 2025-12-06T10:36:17+01:00.",
    "time_malformed": "write a date and time such as 2025-12-06T10:36:17+01:00.",
    "time_out_of_range": "write a moment from 1970 to 2199.",
    "discount_mismatch": "the items' own discounts do not add up to it; correct one or the other.",
    "discount_too_large": "a discount must not be more than what the items cost.",
    "total_too_large": "the order's amounts add up to 1,000,000,000,000 or more; correct its quantities and prices.",
    "duplicate_order": "another order of the file has it too, with other content; remove one, or give it one of its own.",
}

# What is wrong with a record as such, found before its columns were; behind "Line 7 ".
_STRUCTURE: Final = {
    "malformed_quote": 'has a stray quotation mark; double it ("") and put the whole field in quotation marks.',
    "unterminated_quote": "opens a quotation mark that is never closed; close it.",
    "wrong_column_count": "has another number of columns than the header; check its delimiters and quotation marks.",
    "field_too_long": "has a field too long to be read; a quotation mark may be missing.",
    "malformed_json": "is not JSON; write one complete object a line.",
    "not_an_object": "is not a JSON object; write one complete object a line.",
}


@dataclass(slots=True)
class Faults:
    """The rows of a batch that break a rule, while it is judged."""

    lines: Lines
    _found: list[pl.DataFrame] = field(default_factory=list)

    def in_rows(self, code: str, column: str, broken: pl.Series) -> None:
        """Remember that the lines marked in `broken` break a rule; null is no fault."""
        if broken.any():
            self._add(code, column, broken.arg_true().cast(pl.UInt32))

    def in_orders(self, code: str, column: str, broken: pl.Series) -> None:
        """Remember that the orders marked in `broken` break a rule, in the line that says what `column` holds."""
        if broken.any():
            self._add(code, column, self.lines.rows(column).filter(broken))

    def of(self, code: str, column: str, orders: pl.Series) -> None:
        """Remember orders by their numbers, likewise."""
        if len(orders):
            self._add(code, column, self.lines.rows(column).gather(orders))

    def _add(self, code: str, column: str, rows: pl.Series) -> None:
        found = {
            "order": self.lines.frame.get_column("order").gather(rows),
            "row": rows,
            "rank": pl.repeat(_PRIORITY[column], len(rows), dtype=pl.UInt8, eager=True),
            "code": pl.repeat(code, len(rows), dtype=pl.String, eager=True),
            "column": pl.repeat(column, len(rows), dtype=pl.String, eager=True),
        }
        self._found.append(pl.DataFrame(found))

    def first(self) -> pl.DataFrame:
        """Return one row per refused order: what is wrong with its first faulty line."""
        if not self._found:
            return pl.DataFrame(schema={"order": pl.UInt32, "row": pl.UInt32, "code": pl.String, "column": pl.String})
        found = pl.concat(self._found).sort("order", "row", "rank", maintain_order=True)
        return found.unique("order", keep="first", maintain_order=True)

    @property
    def orders(self) -> pl.Series:
        """The numbers of the orders that are refused."""
        return self.first().get_column("order")


@dataclass(frozen=True, slots=True)
class Words:
    """How a file's format speaks: its own names of canonical columns, and what it advises by the code of a reason."""

    names: Mapping[str, str]
    advice: Mapping[str, str]

    def sentence(self, code: str, column: str, *, line: int, value: str | None) -> str:
        name = self.names.get(column, column)
        if code == "control_character":
            return f"Line {line}: {name} holds a {defect(value or '')}, which cannot be stored; remove it."
        if code == "text_too_long":
            return f"Line {line}: {name} has {len(value or ''):,} characters; shorten it to at most {LIMITS[column]:,}."
        what = "is empty" if value is None else f"is {shortened(value)!r}"
        return f"Line {line}: {name} {what}; {self.advice.get(code) or _ADVICE[code]}"


def rejects(faults: Faults, *, words: Words) -> list[Reject]:
    """Write down the refused orders, in the order they begin in the file."""
    lines = faults.lines
    first = faults.first()
    numbers = lines.said_in("number")
    texts = (
        lines.records.filter(pl.col("order").is_in(first.get_column("order").implode()))
        .group_by("order", maintain_order=True)
        .agg("_line", "_raw")
    )
    return [
        _reject(
            lines.frame,
            fault,
            words,
            number=None if numbers is None else numbers[fault["order"]],
            texts=tuple(zip(*texts, strict=True)),
        )
        for fault, (_, *texts) in zip(first.iter_rows(named=True), texts.iter_rows(), strict=True)
    ]


def count(rejected: list[Reject], *, file: str) -> dict[str, Reason]:
    """Count refusals by code, each with its first example."""
    reasons: dict[str, Reason] = {}
    for reject in rejected:
        reason = reasons.get(reject.code)
        if reason is None:
            shown = ("line", "number", "field", "value", "message")
            reason = Reason(0, {"file": file} | {name: getattr(reject, name) for name in shown})
            reasons[reject.code] = reason
        reason.count += 1
    return reasons


def _reject(
    frame: pl.DataFrame,
    fault: Mapping[str, Any],
    words: Words,
    *,
    number: str | None,
    texts: tuple[tuple[int, str], ...],
) -> Reject:
    row, code, column = fault["row"], fault["code"], fault["column"]
    line = frame.item(row, "_line")
    value = frame.item(row, column) if column in frame.columns else None
    about_line = column in {DEFECT, *_SENTENCES}
    shown = None if about_line or value is None else printable(shortened(value))
    if column in _SENTENCES:
        message = str(value)
    elif column == DEFECT:
        message = f"Line {line} {_STRUCTURE.get(code, f'cannot be read ({code}); correct it.')}"
    else:
        message = words.sentence(code, column, line=line, value=value)
    return Reject(
        line=line,
        number=None if number is None else printable(shortened(number)),
        field=None if about_line else words.names.get(column, column),
        value=shown,
        code=code,
        message=message,
        lines=texts,
    )
