"""
What text may be stored, alike on every database, and the normal forms that identities are compared in.

SQLite accepts NUL where PostgreSQL refuses it, and neither stores a lone surrogate: so both are
refused here, before any database sees them.
"""

import re
import unicodedata
from typing import Final

# C0 and C1 controls except tab, line feed and carriage return, which notes and addresses hold.
_CONTROLS = frozenset(map(chr, (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))))
_WORD: Final = re.compile(r"[^\W_]+")


def defect(value: str) -> str | None:
    """Return why `value` cannot be stored ("control character U+0000", "lone surrogate U+D800"), or None."""
    for symbol in value:
        if symbol in _CONTROLS:
            return f"control character U+{ord(symbol):04X}"
        if "\ud800" <= symbol <= "\udfff":
            return f"lone surrogate U+{ord(symbol):04X}"
    return None


def identifier(value: str) -> str:
    """Return `value` in NFC with surrounding space stripped: the form SKUs and numbers are kept in."""
    return unicodedata.normalize("NFC", value.strip())


def email_key(email: str) -> str:
    """Return the form in which two spellings of one address are equal: stripped, NFC, case folded."""
    return unicodedata.normalize("NFC", email.strip().casefold())


def words(value: str) -> list[str]:
    """Return the words of a text without regard to case: what letters and digits stand together, NFC, case folded."""
    return _WORD.findall(unicodedata.normalize("NFC", value.casefold()))


def words_key(value: str) -> str:
    """Return a text in which every word of `value` has a space before it, so that the beginnings of words can be looked for."""
    return "".join(f" {word}" for word in words(value))


def ascii_lower(value: str) -> str:
    """Return `value` with its ASCII letters in lower case: all that two databases agree upon."""
    return value.encode().lower().decode()


def printable(value: str) -> str:
    """Return `value` with an escape for what cannot be printed, so that no terminal, JSON reader or database trips over it."""
    return "".join(symbol if symbol.isprintable() else symbol.encode("unicode_escape").decode() for symbol in value)


def shortened(value: str, *, limit: int = 60) -> str:
    """Return `value` fit for a message: at most `limit` code points, the rest shown as an ellipsis."""
    return value if len(value) <= limit else value[: limit - 1] + "…"
