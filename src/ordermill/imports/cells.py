"""
What a cell of a table says once the exporter's wrapping is off: blanks, formula guards, separators.

Formats build on these; nothing here judges a value. What cannot be unwrapped stays as it is, for the
rules to refuse with the value in the message.
"""

import re
from typing import Final, Literal

import polars as pl

DecimalMark = Literal[".", ","]

# Canonical columns that hold amounts of money.
AMOUNTS: Final = frozenset(
    (
        "discount",
        "discount_beyond_items",
        "shipping",
        "tax",
        "tax_included",
        "source_total",
        "paid",
        "refunded",
        "unit_price",
        "item_total",
        "item_discount",
    )
)
# Canonical columns that hold moments.
MOMENTS: Final = frozenset(("placed_at", "updated_at", "paid_at", "refunded_at"))

# Spreadsheets run a cell that starts like a formula, so exports put an apostrophe before it. A value that looks
# guarded already is guarded once more, which is why any number of apostrophes may stand before the formula.
_GUARD: Final = r"^'('*[=+\-@\t\r])"

# Groups of three, or of two before the last three as in India; between them what people write between them.
_GROUPED: Final[dict[DecimalMark, str]] = {
    ".": r"^(-?[0-9]{1,3}(?:[,'\u2019\s][0-9]{2,3})*[,'\u2019\s][0-9]{3})(?:\.([0-9]+))?$",
    ",": r"^(-?[0-9]{1,3}(?:[.'\u2019\s][0-9]{2,3})*[.'\u2019\s][0-9]{3})(?:,([0-9]+))?$",
}

# An offset in one of its spellings, seconds since 1970, or a literal Z at the end.
_AWARE: Final = re.compile(r"%[:#]?z|%\+|%s|[^%]Z$")


def nonempty(value: pl.Expr) -> pl.Expr:
    """Return the text as it stands, null where the field is empty."""
    return pl.when(value != "").then(value)


def filled(value: pl.Expr) -> pl.Expr:
    """Return the text without surrounding space, null where nothing is left."""
    stripped = value.str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def unguarded(value: pl.Expr) -> pl.Expr:
    """Take off the apostrophe that keeps a spreadsheet from running the cell as a formula."""
    return value.str.replace(_GUARD, "$1")


def whole(value: pl.Expr, *, decimal: DecimalMark = ".") -> pl.Expr:
    """Return `17850.0`, a whole number that went through a float, as `17850`; any other text as it is."""
    stripped = value.str.strip_chars()
    as_float = stripped.str.contains(rf"^[+-]?[0-9]+[{decimal}]0*$")
    return pl.when(as_float).then(stripped.str.strip_chars_end("0").str.strip_chars_end(decimal)).otherwise(value)


def moment(value: pl.Expr, *, pattern: str) -> pl.Expr:
    """
    Return ISO 8601 text of a moment written by a strptime pattern; any other text as it is.

    Where the pattern reads an offset, or is one of UTC, the moment is given in UTC, else as the local time it is.
    """
    parsed = value.str.to_datetime(pattern, strict=False)
    zone = "Z" if _AWARE.search(pattern) else ""
    return parsed.dt.strftime(f"%Y-%m-%dT%H:%M:%S%.f{zone}").fill_null(value)


def amount(values: pl.Series, *, decimal: DecimalMark) -> pl.Series:
    """
    Return amounts in digits and a point: no currency sign, no separator of thousands, no decimal comma.

    A separator is taken off only where it stands before three digits: `1,50` under a decimal point, or `1.50`
    under a decimal comma, is left for the rules to refuse, since either reading would be a guess.
    """
    ours = r"[^0-9.\-]" if decimal == "." else r"[^0-9\-]"
    if not values.str.contains(ours).any():
        return values
    bare = pl.col(values.name).str.replace(r"^(-?)\s*\p{Sc}\s*", "$1").str.replace(r"\s*\p{Sc}$", "")
    groups = bare.str.extract(_GROUPED[decimal], 1).str.replace_all(r"[^0-9\-]", "")
    fraction = bare.str.extract(_GROUPED[decimal], 2)
    grouped = pl.concat_str([groups, pl.lit(".") + fraction], ignore_nulls=True)
    cleaned = pl.when(groups.is_not_null()).then(grouped).otherwise(_pointed(bare) if decimal == "," else bare)
    return values.to_frame().select(cleaned.alias(values.name)).to_series()


def _pointed(bare: pl.Expr) -> pl.Expr:
    doubtful = bare.str.contains(".", literal=True)
    marked = bare + pl.lit(" (the decimal sign is a comma here)")
    return pl.when(doubtful).then(marked).otherwise(bare.str.replace(",", ".", literal=True))
