"""
Amounts on columns: decimal text becomes whole ten-thousandths or minor units, exactly or not at all.

Every amount, written or computed, has at most twelve digits before the point. So minor units stay below
2**53, and quantity x unit price, which the database's own checks multiply again, below 2**63.
"""

from collections.abc import Iterator
from typing import Final

import polars as pl

from ordermill.kit.money import EXPONENTS, UNIT_PRICE_EXPONENT

LIMIT_UNITS: Final = 10**12 * 10**UNIT_PRICE_EXPONENT  # ten-thousandths of the major unit; amounts stay below
LIMIT_QUANTITY: Final = 10**9

# Ten-thousandths of the major unit in one minor unit, by currency.
SCALES: Final = {code: 10 ** (UNIT_PRICE_EXPONENT - exponent) for code, exponent in EXPONENTS.items()}

_EXACT = r"^-?[0-9]{1,12}(?:\.[0-9]{1,4}0*)?$"
_NUMBER = r"^-?[0-9]+(?:\.[0-9]+)?$"
_TWELVE_DIGITS = r"^-?[0-9]{1,12}(?:\.|$)"
# Trailing zeros are no decimals: "1.0000" pieces, as databases export them.
_WHOLE = r"^[0-9]{1,18}(?:\.0+)?$"


def units(texts: pl.DataFrame) -> pl.DataFrame:
    """Return amounts in ten-thousandths of the major unit; null where a text is none that can be held exactly."""
    # Polars rounds what does not fit a decimal, so the form is looked at first.
    exact = texts.select(pl.all().str.contains(_EXACT).all())
    kept = (
        texts
        if all(all(column) for column in exact)
        else texts.select(_of_form(column, _EXACT) for column in texts.get_columns())
    )
    return kept.select(pl.all().cast(pl.Decimal(18, UNIT_PRICE_EXPONENT)).to_physical().cast(pl.Int64))


def faults(texts: pl.Series, read: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    """Say which amounts are refused, and by which code, `read` being what `units` made of them."""
    if read.null_count() > texts.null_count():
        unread = texts.is_not_null() & read.is_null()
        number = texts.str.contains(_NUMBER).fill_null(value=False)
        short = texts.str.contains(_TWELVE_DIGITS).fill_null(value=False)
        yield "amount_malformed", unread & ~number
        yield "amount_too_large", unread & number & ~short
        yield "too_many_decimals", unread & number & short
    yield "amount_negative", read < 0


def quantities(texts: pl.Series) -> pl.Series:
    """Return whole numbers of pieces from 1 to the limit; null where a text is none."""
    kept = _of_form(texts, _WHOLE)
    counts = kept.cast(pl.Int64, strict=False)
    if counts.null_count() > kept.null_count():
        counts = kept.str.replace(r"\..*$", "").cast(pl.Int64)
    return counts.set((counts < 1) | (counts > LIMIT_QUANTITY), None)


def _of_form(texts: pl.Series, form: str) -> pl.Series:
    """Keep the texts of a form, null for others; space around them is no fault."""
    fits = texts.str.contains(form)
    if fits.all():
        return texts
    stripped = texts.str.strip_chars()
    return stripped.set(~stripped.str.contains(form), None)


def half_up(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Divide whole numbers that are not negative, rounding half up: `kit.money`'s one rounding rule."""
    return (numerator + denominator // 2) // denominator
