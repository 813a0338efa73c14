"""
Keys for one purpose each, derived from the secret that the operator set: whoever learns one key learns no other.

Several secrets make a rotation: the first signs, the others only verify what they signed before, each until its end.
Not here: where the embedded book keeps the secret that nobody set (`keyfile`).

Source of the derivation: RFC 5869 (HKDF) with SHA-256.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from ordermill.kit.clock import Clock

# Sets our keys apart from those that another program derives from the same secret.
_SALT: Final = b"ordermill"
_ID_BYTES: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedKey:
    """
    A key for one purpose, of 32 bytes.

    Args:
        id: names it (`kid`) and tells nothing of it; 12 letters of base64url.
        until: from when on it verifies nothing any more; None for never.
    """

    id: str
    secret: bytes = field(repr=False)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Secret:
    extracted: bytes = field(repr=False)
    until: datetime | None

    def derive(self, purpose: str) -> DerivedKey:
        secret = _hmac(self.extracted, purpose.encode() + b"\x01")
        name = base64.urlsafe_b64encode(_hmac(secret, b"kid")[:_ID_BYTES]).decode()
        return DerivedKey(id=name, secret=secret, until=self.until)


class KeyRing:
    """
    The secrets of one order book.

    Args:
        said: `NEW,OLD@2026-12-31`, as `ORDERMILL_SECRET_KEY` has it: the date is the last day, in UTC, on which OLD verifies.
    """

    def __init__(self, said: str, *, clock: Clock) -> None:
        self._secrets = tuple(_secret(part) for part in said.split(","))
        self._clock = clock
        self._derived: dict[str, tuple[DerivedKey, ...]] = {}

    def derive(self, purpose: str) -> Sequence[DerivedKey]:
        """
        Return the keys for one purpose that are valid now: the first one signs, each of them verifies.

        The same secret and purpose give the same key in every process and after every start.
        """
        known = self._derived.get(purpose)
        if known is None:
            known = self._derived[purpose] = tuple(secret.derive(purpose) for secret in self._secrets)
        if len(known) == 1:
            return known
        now = self._clock.now()
        return [key for key in known if key.until is None or now < key.until]


def _secret(part: str) -> _Secret:
    secret, at, end = part.strip().partition("@")
    until = datetime.combine(date.fromisoformat(end), time(), tzinfo=UTC) + timedelta(days=1) if at else None
    return _Secret(_hmac(_SALT, secret.encode()), until)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
