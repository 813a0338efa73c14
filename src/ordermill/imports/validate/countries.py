"""Countries as files write them, to ISO 3166-1 alpha-2: codes of two and three letters, English names, the usual others."""

import unicodedata
from functools import cache
from typing import Final

import polars as pl
from babel import Locale
from babel.core import get_global

# Codes of the CLDR that are regions, unions or tests and no countries.
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_CODE_LENGTH: Final = 2
_ALPHA3_LENGTH: Final = 3

_OTHER_NAMES: Final = {
    "america": "US",
    "bosnia and herzegovina": "BA",
    "burma": "MM",
    "cape verde": "CV",
    "czech republic": "CZ",
    "eire": "IE",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "hong kong": "HK",
    "ivory coast": "CI",
    "korea": "KR",
    "korea, republic of": "KR",
    "macau": "MO",
    "macedonia": "MK",
    "myanmar": "MM",
    "northern ireland": "GB",
    "palestine": "PS",
    "republic of ireland": "IE",
    "republic of korea": "KR",
    "republic of south africa": "ZA",
    "rsa": "ZA",
    "russian federation": "RU",
    "scotland": "GB",
    "swaziland": "SZ",
    "the netherlands": "NL",
    "turkey": "TR",
    "u.k.": "GB",
    "u.s.": "US",
    "u.s.a.": "US",
    "uae": "AE",
    "uk": "GB",
    "united states of america": "US",
    "viet nam": "VN",
    "wales": "GB",
}


def _plain(name: str) -> str:
    """Return a name without case and accents, `&` written out: "Côte d'Ivoire" is found as people type it."""
    letters = unicodedata.normalize("NFKD", name.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("&", "and").casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


@cache
def _by_name() -> dict[str, str]:
    territories = {str(code): str(name) for code, name in Locale("en").territories.items()}
    codes = {code for code in territories if len(code) == _CODE_LENGTH and code.isalpha()} - _NO_COUNTRIES
    names = {_plain(territories[code]): code for code in codes}
    alpha3 = {
        alias.casefold(): targets[0]
        for alias, targets in get_global("territory_aliases").items()
        if len(alias) == _ALPHA3_LENGTH and alias.isalpha() and targets[0] in codes
    }
    return alpha3 | names | _OTHER_NAMES | {code.casefold(): code for code in codes}


@cache
def alpha2(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country named by code or in English, or None when it is none."""
    return _by_name().get(_plain(name))


def codes(names: pl.Series) -> pl.Series:
    """Return `alpha2` of a column; each distinct name is looked up once."""
    found = {name: alpha2(name) for name in names.drop_nulls().unique().to_list()}
    return names.replace_strict(found, default=None, return_dtype=pl.String) if found else names
