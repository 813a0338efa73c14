"""
Which e-mail addresses a text holds: a line of an order file, a cell, a message about one.

The text is somebody else's: an address may stand between any delimiters. Whole addresses only, in the form in which two
spellings are equal, so that `ada@example.com` is not found in `granada@example.com`. What an address is made of is the
rule of `accounts.drafts`.
"""

import re
from collections.abc import Iterable
from typing import Final

from ordermill.kit.text import email_key

# What stands before the @ goes back to the first symbol that no address has there.
_ADDRESS: Final = re.compile(r"""([^\s"(),:;<>\[\]\\@]+)@([\w.\-]+)""")
# Symbols that an address may hold but that also delimit one: a|ada@example.com, 'ada@example.com, mail=ada@example.com.
_DELIMITERS: Final = re.compile(r"[|'`=/&{}]")
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


def addresses_in(texts: Iterable[str | None]) -> set[str]:
    """Return every address in these texts, as `kit.text.email_key` has it; all readings where it may begin at several."""
    found: set[str] = set()
    for text in texts:
        if text and "@" in text:
            for local, domain in _ADDRESS.findall(_plain(text)):
                found.update(f"{reading}@{email_key(domain.strip('.-_'))}" for reading in _readings(email_key(local)))
    return found


def fragment(key: str) -> str:
    """
    Return the longest ASCII part of an address: whatever text holds the address holds this, whatever becomes of other letters.

    For a database to look for, in lower case, before `addresses_in` looks closely.
    """
    parts: list[str] = re.findall(r"[\x21-\x7e]+", key)
    return max(parts, key=len)


def _readings(local: str) -> set[str]:
    starts = [0, *(match.end() for match in _DELIMITERS.finditer(local))]
    return {local[start:] for start in starts} - {""}


def _plain(text: str) -> str:
    """Resolve JSON's way of writing letters, beside the text as it is."""
    if "\\u" not in text:
        return text
    resolved: str = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return f"{text}\n{resolved}"
