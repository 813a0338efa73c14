"""
The words a person says about a file, judged alike wherever they stand: in an option of the command or in a map file.

Encodings are judged in `decode`, delimiters in `grammar`, time zones in `kit.calendar`.
"""

from typing import Final

from ordermill.kit.errors import Invalid
from ordermill.kit.money import Currency
from ordermill.kit.text import defect, identifier, printable, shortened

CHANNEL_LIMIT: Final = 64  # characters of a channel's name, as the schema has it
REASON_LIMIT: Final = 500  # characters; a sentence for each refused line, which goes into the book with it


def channel(word: str) -> str:
    """
    Return the name of a channel in the form it is kept in.

    Raises:
        Invalid: it is empty, too long, or holds what no database keeps.
    """
    return _fit(identifier(word), "/channel", "A channel's name", CHANNEL_LIMIT)


def name(word: str) -> str:
    """
    Return the name of a mapping, which is its channel's where the map names none.

    Raises:
        Invalid: as for a channel.
    """
    return _fit(identifier(word), "/name", "A map's name", CHANNEL_LIMIT)


def currency(word: str) -> str:
    """
    Return the ISO 4217 code a person means, however it is written.

    Raises:
        Invalid: `unknown_currency`.
    """
    return Currency.of(word.strip().upper()).code


def reason(sentence: str) -> str:
    """
    Return the reason for which a map refuses a line.

    Raises:
        Invalid: as for a channel.
    """
    return _fit(sentence.strip(), "/reason", "A reason", REASON_LIMIT)


def _fit(text: str, pointer: str, what: str, limit: int) -> str:
    if problem := defect(text):
        raise Invalid.field(pointer, f"{what} holds no {problem}, unlike {shortened(printable(text))!r}.")
    if not 1 <= len(text) <= limit:
        raise Invalid.field(pointer, f"{what} has 1 to {limit} characters, unlike {shortened(text)!r}.")
    return text
