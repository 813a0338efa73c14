"""Identities: time-ordered UUIDv7, one at a time or by the thousand, and short numbers for people."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

# Crockford's base 32 leaves out I, L, O and U, which people misread or would rather not read.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def new_id(at: datetime) -> UUID:
    """Return a UUIDv7 (RFC 9562, section 5.7) whose leading 48 bits are the milliseconds of `at`."""
    return new_ids(1, at=at)[0]


def first_id(at: datetime) -> UUID:
    """Return what every UUIDv7 of `at`, and of any later moment, is greater than."""
    return UUID(int=(at - _EPOCH) // _MILLISECOND << 80)


def new_ids(count: int, *, at: datetime) -> list[UUID]:
    """
    Return `count` UUIDv7s in ascending order.

    A run counts upward in the 74 random bits from a random start, so that one batch
    stays in order and is appended to an index instead of scattered over it.
    """
    return [UUID(int=value) for value in _values(count, at=at)]


def new_id_texts(count: int, *, at: datetime) -> list[str]:
    """Return the same as 32 hex digits, for batches: both databases take them for a UUID."""
    return [f"{value:032x}" for value in _values(count, at=at)]


def _values(count: int, *, at: datetime) -> Iterator[int]:
    stamp = (at - _EPOCH) // _MILLISECOND << 80 | _VERSION
    start = secrets.randbits(73)
    return (stamp | _split(value) for value in range(start, start + count))


def _split(random_bits: int) -> int:
    """Lay 74 bits around the variant: 12 above it, 62 below."""
    high, low = random_bits >> 62, random_bits & ((1 << 62) - 1)
    return high << 64 | _VARIANT | low


def order_number() -> str:
    """Return a short unambiguous code for people, 8 symbols (40 bits); the database judges uniqueness."""
    bits = secrets.randbits(40)
    return "".join(_ALPHABET[bits >> shift & 31] for shift in range(0, 40, 5))
