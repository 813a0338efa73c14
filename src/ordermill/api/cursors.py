"""
Cursors: where the next page of a list begins, as a text that only this program can write.

A cursor holds the values of the last row shown (a keyset), so that rows which come and go meanwhile neither repeat
nor hide another. It is signed together with what it was given for: to whom, for which route, under which filter.

    base64url( JSON of the values, HMAC-SHA256 cut to 16 bytes )

Not here: limit, `Link` and the shape of a list (paging).
"""

import base64
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from uuid import UUID

from ordermill.kit.errors import Invalid

Value = int | str | datetime | UUID

# Half of SHA-256: nobody guesses 128 bits, and the cursor stays short.
MAC_BYTES: Final = 16
# A moment and a UUID make 132 characters; a name of 500 letters still fits.
LIMIT: Final = 4096
_READ: Final[dict[type[Value], Callable[[Any], Value]]] = {int: int, str: str, datetime: datetime.fromisoformat, UUID: UUID}


class SigningKey(Protocol):
    """`accounts.keyring.DerivedKey`, as far as it matters here."""

    @property
    def secret(self) -> bytes: ...

    @property
    def until(self) -> datetime | None: ...


class CursorInvalid(Invalid):
    """The cursor was not given out by this book, or for another list."""

    default_code = "cursor_invalid"

    def __init__(self) -> None:
        super().__init__("This cursor is not of this list; begin again without one, and keep the filters from page to page.")


def seal(values: Sequence[Value], *, keys: Sequence[SigningKey], bound_to: Sequence[str]) -> str:
    """
    Return the cursor that begins behind a row.

    Args:
        values: what the list is sorted by, of the last row shown.
        keys: the first one signs.
        bound_to: all that must be the same when the cursor comes back.
    """
    payload = json.dumps([_plain(value) for value in values], separators=(",", ":")).encode()
    return _text(payload + _mac(payload, bound_to, keys[0]))


def unseal(
    cursor: str, *, keys: Sequence[SigningKey], bound_to: Sequence[str], kinds: Sequence[type[Value]], now: datetime
) -> tuple[Any, ...]:
    """
    Return the values that a cursor holds, as the types that the list is sorted by.

    Args:
        keys: any of them that is still valid may have signed it.

    Raises:
        CursorInvalid: it was tampered with, given to somebody else or for another list, or its key is no longer valid.
    """
    sealed = _bytes(cursor)
    payload, mac = sealed[:-MAC_BYTES], sealed[-MAC_BYTES:]
    valid = [key for key in keys if key.until is None or now < key.until]
    if not any(hmac.compare_digest(mac, _mac(payload, bound_to, key)) for key in valid):
        raise CursorInvalid
    try:
        return tuple(_typed(value, kind) for value, kind in zip(json.loads(payload), kinds, strict=True))
    except ValueError:  # signed by another version of this program, which sorted this list by something else
        raise CursorInvalid from None


def _mac(payload: bytes, bound_to: Sequence[str], key: SigningKey) -> bytes:
    # JSON holds no line feed of its own, so that no two pairs of binding and payload give the same bytes.
    message = json.dumps(list(bound_to)).encode() + b"\n" + payload
    return hmac.digest(key.secret, message, "sha256")[:MAC_BYTES]


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _bytes(cursor: str) -> bytes:
    if len(cursor) > LIMIT:
        raise CursorInvalid
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise CursorInvalid from None
    # Python reads over foreign characters and spare bits: one cursor would have many spellings.
    if _text(sealed) != cursor:
        raise CursorInvalid
    return sealed


def _plain(value: Value) -> int | str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, UUID) else value


def _typed(value: Any, kind: type[Value]) -> Value:
    return _READ[kind](value)
