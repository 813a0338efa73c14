"""
What a CSV record is: RFC 4180, strictly, with one delimiter. Quotes stand round a whole field or nowhere.

Possessive repetition (`*+`) keeps every pattern linear: nothing once read is read in another way.
"""

import re
from typing import Final

from ordermill.kit.errors import Invalid

DELIMITERS: Final = (",", ";", "\t", "|")  # those looked for, in the order that decides a tie

_QUOTED: Final = r'"[^"]*+(?:""[^"]*+)*+"'
_QUOTED_IN_LINE: Final = r'"[^"\n]*+(?:""[^"\n]*+)*+"'
_SPELLED: Final = {r"\t": "\t", "tab": "\t"}  # a tab is hard to type in a shell

_HEADER: Final = re.compile(rf"(?:{_QUOTED}|[^\"\n])*+\n".encode())


class Grammar:
    """The patterns of one delimiter, over bytes of UTF-8 unless said otherwise."""

    def __init__(self, delimiter: str) -> None:
        d = re.escape(delimiter)
        bare = rf'[^"{d}\n]*+'
        field = rf"(?:{_QUOTED}|{bare})"
        self.delimiter = delimiter
        self.record = re.compile(rf"{field}(?:{d}{field})*+\r?\n".encode())
        self.open_quote = re.compile(rf'(?:{field}{d})*+"[^"]*+(?:""[^"]*+)*+\Z'.encode())
        self._lenient = re.compile(rf"(?:\A|{d})({_QUOTED}(?={d}|\Z)|[^{d}]*+)")
        # The text of these is for Polars, whose engine knows no possessive form and never goes back either.
        self._one = rf'(?:"(?:[^"]|"")*"|[^"{d}]*)'
        self._further = rf"(?:{d}{self._one})"
        self.sound: str = rf"^{self._one}{self._further}*$"

    def good(self, width: int) -> str:
        """Return the pattern, for Polars, of a record of `width` fields."""
        return rf"^{self._one}{self._further}{{{width - 1}}}$"

    def after(self, count: int) -> str:
        """Return the pattern, for Polars, of the first `count` fields of a record and their delimiters."""
        return rf"^(?:{self._one}{re.escape(self.delimiter)}){{{count}}}"

    def good_within(self, width: int) -> re.Pattern[bytes]:
        """Return the pattern that finds a physical line, not blank, that is a record of `width` fields by itself."""
        d = re.escape(self.delimiter)
        field = rf'(?:{_QUOTED_IN_LINE}|[^"{d}\n]*+)'
        return re.compile(rf"^(?=[^\r\n]){field}(?:{d}{field}){{{width - 1}}}+\r?$".encode(), re.MULTILINE)

    def fields(self, raw: str) -> list[str]:
        """Return the values of a record; of a malformed one, what its delimiters suggest."""
        return [_unquoted(field) for field in self._lenient.findall(raw)]


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if len(field) > 1 and field[0] == field[-1] == '"' else field


def header_end(text: bytes) -> int | None:
    """Return where the first record of `text` ends, whatever its delimiter; None when it does not end there."""
    match = _HEADER.match(text)
    return match.end() if match else None


def delimiter_of(header: str) -> str:
    """Return the delimiter that occurs most outside the quotes of a header; a comma where none occurs."""
    bare = re.sub(_QUOTED, "", header)
    return max(DELIMITERS, key=bare.count)


def declared_delimiter(word: str) -> str:
    """
    Return the delimiter that a person meant.

    Raises:
        Invalid: it is not one ASCII character, or one that records are made of otherwise.
    """
    delimiter = _SPELLED.get(word, word)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise Invalid.field("/delimiter", f"A delimiter is one ASCII character such as ; or \\t, not {word!r}.")
    return delimiter
