"""Which passwords are good enough: long enough, not well known, and not what everybody knows of this person or this shop."""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from ordermill.accounts import passwords
from ordermill.accounts.hashing import Hashing
from ordermill.kit.errors import Invalid

# Said with any shop, they are the first things that are tried (NIST SP 800-63B-4, 3.1.1.2: "context-specific words").
_CONTEXT: Final = ("ordermill",)
# A word this short is in most passphrases and says nothing.
_SHORTEST: Final = 4


class Judge:
    """
    Refuses passwords that are easily guessed.

    Args:
        minimum: the least length, in code points.
        common: returns the passwords that are refused as well known, in lower case; not asked before it is needed.
        hashing: makes the hashes of those that are good enough.
    """

    def __init__(self, *, minimum: int, common: Callable[[], frozenset[str]], hashing: Hashing) -> None:
        self._minimum = minimum
        self._common = common
        self._hashing = hashing

    async def hashed(self, typed: str, *, own: Iterable[str], pointer: str = "/password") -> str:
        """
        Return the hash of a password that is good enough.

        Raises:
            Invalid: as for `accept`.
        """
        self.accept(typed, own=own, pointer=pointer)
        return await self._hashing.hash(typed)

    def accept(self, typed: str, *, own: Iterable[str], pointer: str = "/password") -> None:
        """
        Return when a password is good enough.

        Args:
            own: what is known of the person, such as address and name.
            pointer: the field that a refusal names.

        Raises:
            Invalid: `password_too_short`, `password_too_long`, `password_malformed`, `password_common` or `password_personal`.
        """
        password = passwords.composed(typed)
        if len(password) < self._minimum:
            raise Invalid.field(pointer, f"Use at least {self._minimum} characters.", code="password_too_short")
        if password.lower() in self._common():
            sentence = "This is one of the most common passwords; use another."
            raise Invalid.field(pointer, sentence, code="password_common")
        if _is_of(password, (*own, *_CONTEXT)):
            sentence = "Use something else than your e-mail address or name."
            raise Invalid.field(pointer, sentence, code="password_personal")


def _is_of(password: str, words: Iterable[str]) -> bool:
    """Whether a password is a person's own word, alone or with nothing but digits and signs around it."""
    folded = _folded(password)
    bare = folded.strip(_AROUND)
    return any(word == folded or (word == bare and len(word) >= _SHORTEST) for word in _parts(words))


def _parts(words: Iterable[str]) -> set[str]:
    """Return each word as a whole, without spaces, and in its parts: an address up to its @, the words of a name."""
    parts: set[str] = set()
    for word in map(_folded, words):
        local = word.partition("@")[0]
        parts |= {word, word.replace(" ", ""), local, *word.split(), *local.replace(".", " ").split()}
    return parts


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


_AROUND: Final = "0123456789 .,;:!?-_+*#$%&/()="
