"""
Text rules on columns: how long each may be, what it may not contain, the form it is kept in.

The rules are those of `kit.text`; here a whole column is screened at once, and only what looks
suspicious is looked at one by one.
"""

import unicodedata
from typing import Final

import polars as pl

from ordermill.imports.columns import BILLING_ADDRESS, SHIPPING_ADDRESS
from ordermill.kit.text import email_key

# The same symbols as `kit.text.defect` refuses; a Polars string cannot hold a lone surrogate.
CONTROLS: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\u009F]"

# What calls for a closer look in a row of texts joined by line feeds: a control, or space at either end of one.
_DOUBTFUL: Final = rf"{CONTROLS}|^\s|\s$|\s\n|\n\s"

# Longest value in code points; the database's columns are as wide.
LIMITS: Final[dict[str, int]] = {
    "channel": 64,
    "number": 64,
    "external_id": 64,
    "customer_email": 254,
    "customer_name": 100,
    "discount_code": 64,
    "payment_method": 100,
    "payment_reference": 255,
    "carrier": 100,
    "tracking_number": 100,
    "note": 5000,
    **dict.fromkeys((*SHIPPING_ADDRESS, *BILLING_ADDRESS), 200),
    "sku": 64,
    "name": 500,
}
IDENTIFIERS: Final = frozenset({"channel", "number", "external_id", "sku"})

# One @; at most 64 symbols before it; labels of letters, digits and inner hyphens behind it. Whether it exists is
# not asked: `.invalid` is fine. Nearly all addresses are plain, and for those alone the form is cheap to see.
_PLAIN_EMAIL: Final = r"^[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9]+[.-])*[A-Za-z0-9]+$"
_PLAIN_LENGTH: Final = 64
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_-]{0,61}[\p{L}\p{N}\p{M}])?"
_EMAIL: Final = rf'^[^\s@"(),:;<>\[\]\\]{{1,64}}@{_LABEL}(?:\.{_LABEL})*$'


def tidied(texts: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """
    Strip surrounding space; what is nothing but space says nothing.

    Returns:
        The texts, and whether any of them holds a symbol that may not be stored.
    """
    if not _any_holds(texts, _DOUBTFUL):
        return texts, False
    stripped = texts.select(pl.all().str.strip_chars())
    said = stripped.select(pl.when(pl.col(column) != "").then(column).alias(column) for column in stripped.columns)
    return said, _any_holds(said, CONTROLS)


def tidy(values: pl.Series) -> pl.Series:
    """Strip surrounding space from one column; what is nothing but space says nothing."""
    stripped = values.str.strip_chars()
    return stripped.set(stripped == "", None)


def composed(values: pl.Series) -> pl.Series:
    """Bring identifiers to NFC; ASCII, which nearly all are, is in it already."""
    foreign = values.str.len_bytes() != values.str.len_chars()
    if not foreign.any():
        return values
    distinct = values.filter(foreign).unique().to_list()
    return values.replace({value: unicodedata.normalize("NFC", value) for value in distinct})


def email_keys(emails: pl.Series) -> pl.Series:
    """Return `kit.text.email_key` of each address."""
    foreign = emails.filter(emails.str.len_bytes() != emails.str.len_chars()).unique().to_list()
    lowered = emails.str.to_lowercase()
    if not foreign:
        return lowered
    exact = emails.replace_strict({email: email_key(email) for email in foreign}, default=None, return_dtype=pl.String)
    return exact.fill_null(lowered)


def malformed_emails(emails: pl.Series) -> pl.Series:
    """Mark what has not the form of an e-mail address."""
    plain = emails.str.contains(_PLAIN_EMAIL) & (emails.str.len_bytes() <= _PLAIN_LENGTH)
    if plain.all():
        return ~plain
    formed = emails.set(plain, None).str.contains(_EMAIL)
    return ~(plain | formed.fill_null(value=False)) & emails.is_not_null()


def _any_holds(texts: pl.DataFrame, pattern: str) -> bool:
    """Whether any text holds a pattern; one look at all columns together costs a fraction of one at each."""
    if not texts.width:
        return False
    joined = pl.concat_str(pl.all(), separator="\n", ignore_nulls=True)
    return bool(texts.select(joined.str.contains(pattern).any()).item())


def too_long(values: pl.Series, *, limit: int) -> pl.Series:
    """Mark values of more than `limit` code points; a text has at least as many bytes, and their number is at hand."""
    suspicious = values.str.len_bytes() > limit
    return values.str.len_chars() > limit if suspicious.any() else suspicious
