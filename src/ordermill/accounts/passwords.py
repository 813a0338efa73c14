"""
Passwords become Argon2id hashes and are compared with them; which passwords are good enough is for the service to say.

A hash costs 19 MiB and some 20 ms of one core on purpose, so callers on an event loop go through a thread and
let few run at once.

Source of the parameters: OWASP Password Storage Cheat Sheet, "Argon2id".
"""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from ordermill.kit.errors import Invalid

# Far above any passphrase; what is longer only costs work.
LIMIT: Final = 1024  # code points, as typed

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Django, which reads the same column, puts the name of its hasher before the hash.
_DJANGOS: Final = "argon2"
_ARGON2ID: Final = "$argon2id$"
# No password's: with today's parameters, so that comparing with it takes as long as with anybody's.
_NOBODYS: Final = (
    f"{_DJANGOS}{_ARGON2ID}v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}${'A' * 22}${'A' * 43}"
)


def hash_password(password: str) -> str:
    """
    Return a salted hash, another one at each call, that `verify_password` and Django's own Argon2 hasher both read.

    Raises:
        Invalid: as `composed` does.
    """
    return _DJANGOS + _HASHER.hash(composed(password))


def verify_password(password: str, hash: str | None) -> bool:
    """
    Whether a password is the one that was hashed; never raises.

    Args:
        hash: with or without Django's `argon2` before it. None (an unclaimed account), damaged ones and those of other
            methods match no password.
    """
    encoded = (hash or "").removeprefix(_DJANGOS)
    if not (encoded.isascii() and encoded.startswith(_ARGON2ID)):
        return False
    try:
        return _HASHER.verify(encoded, composed(password))
    except (Argon2Error, Invalid):
        return False


def compare(password: str, hash: str | None) -> bool:
    """Return what `verify_password` does, at the same cost where there is no hash: nobody learns so who has an account."""
    real = (hash or "").removeprefix(_DJANGOS).startswith(_ARGON2ID)
    return verify_password(password, hash if real else _NOBODYS) and real


def outdated(hash: str) -> bool:
    """Whether a hash was made with other parameters than today's, and its password should be hashed again."""
    return _HASHER.check_needs_rehash(hash.removeprefix(_DJANGOS))


def composed(password: str) -> str:
    """
    Return the form that is hashed: NFC, since keyboards send one letter as one symbol or as two. Nothing is cut off.

    Raises:
        Invalid: `password_too_long` above `LIMIT`; `password_malformed` for half a surrogate pair, which is no text.
    """
    if len(password) > LIMIT:
        raise Invalid.field("/password", f"Use at most {LIMIT:,} characters.", code="password_too_long")
    if any("\ud800" <= symbol <= "\udfff" for symbol in password):
        raise Invalid.field("/password", "The password holds half a symbol; type it again.", code="password_malformed")
    return unicodedata.normalize("NFC", password)
