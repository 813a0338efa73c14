"""
A sign-in and the refresh tokens that keep it alive, each of which is used once.

    omr_ + base64url( 16 bytes: the session's id | 32 bytes: a secret )

The next secret is derived from the presented one and a key of the server's. So whoever presents one token twice within
the grace time, because the first answer was lost, is given the same successor, and of no token is more kept than a hash.

Not here: access tokens (tokens), and who may have a session (access).
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, Self
from uuid import UUID

from ordermill.accounts.keyring import DerivedKey

# How long the token before the current one may be presented again, for an answer that was lost on its way.
GRACE: Final = timedelta(seconds=10)

_MARK: Final = "omr_"
_SHAPE: Final = re.compile(r"omr_([A-Za-z0-9_-]{64})", re.ASCII)
_ID_BYTES: Final = 16
_SECRET_BYTES: Final = 32


@dataclass(slots=True, kw_only=True)
class Session:
    """One sign-in; `previous_hash` is of the token that the current one took the place of, at `refreshed_at`."""

    id: UUID
    user_id: int
    current_hash: str
    created_at: datetime
    expires_at: datetime
    previous_hash: str | None = None
    refreshed_at: datetime | None = None
    revoked_at: datetime | None = None

    def lives(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def successor(self, presented: "RefreshToken", keys: Sequence[DerivedKey], *, now: datetime) -> "RefreshToken | None":
        """
        Return the current token to who presents the one before it within the grace time; None to everybody else.

        Each key is tried, for the one that derived the current token may have become an old one since.
        """
        if self.refreshed_at is None or self.previous_hash is None or not _same(self.previous_hash, presented.hash):
            return None
        # Either way round: the clocks of two processes differ by a little.
        if abs(now - self.refreshed_at) > GRACE:
            return None
        found = (presented.successor(key) for key in keys)
        return next((token for token in found if _same(token.hash, self.current_hash)), None)

    def is_current(self, presented: "RefreshToken") -> bool:
        return _same(self.current_hash, presented.hash)

    def knows(self, presented: "RefreshToken") -> bool:
        """Whether a token is the current one or the one before it."""
        return self.is_current(presented) or (self.previous_hash is not None and _same(self.previous_hash, presented.hash))


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a client keeps; `hash` is what is kept of it here."""

    session_id: UUID
    secret: bytes = field(repr=False)

    @classmethod
    def first(cls, session_id: UUID) -> Self:
        return cls(session_id, secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the token that a text spells, None where it spells none."""
        shape = _SHAPE.fullmatch(text)
        if shape is None:
            return None
        content = base64.urlsafe_b64decode(shape[1])
        return cls(UUID(bytes=content[:_ID_BYTES]), content[_ID_BYTES:])

    def successor(self, key: DerivedKey) -> "RefreshToken":
        secret = hmac.new(key.secret, self.session_id.bytes + self.secret, hashlib.sha256).digest()
        return RefreshToken(self.session_id, secret)

    @property
    def text(self) -> str:
        return _MARK + base64.urlsafe_b64encode(self.session_id.bytes + self.secret).decode()

    @property
    def hash(self) -> str:
        # 256 random bits: nobody guesses them, so a plain hash is enough.
        return hashlib.sha256(self.session_id.bytes + self.secret).hexdigest()


class Sessions(Protocol):
    """The sessions of a unit. Changes are gathered; their guards hold at `commit`."""

    async def get(self, id: UUID, /) -> Session | None: ...

    async def add(self, session: Session, *, password_hash: str) -> None:
        """
        Remember a sign-in, forget the user's dead sessions and all but the latest `KEPT`.

        Raises:
            StaleVersion: at `commit`: the account is not active any more, or has another password than the one that matched.
        """
        ...

    async def rotate(self, id: UUID, *, current: str, successor: str, at: datetime, expires_at: datetime) -> None:
        """
        Put a token in the place of the current one, which becomes the previous one.

        Raises:
            StaleVersion: at `commit`: the current one is another by now, or the session was revoked.
        """
        ...

    async def revoke(self, id: UUID, *, at: datetime) -> None: ...

    async def revoke_all(self, user_id: int, *, at: datetime) -> None:
        """Revoke all sessions of a user, and those that are about to begin with what was true of it before."""
        ...

    async def sweep(self, *, now: datetime) -> None:
        """Forget what expired, and what was revoked more than a day ago: `SWEPT` at most."""
        ...


# The most sessions of one user; further ones push out the oldest.
KEPT: Final = 100
REVOKED_FOR: Final = timedelta(days=1)
# Of one sweep: it holds its locks no longer than a request may wait.
SWEPT: Final = 10_000


class WithSessions(Protocol):
    """An open unit that has sessions."""

    @property
    def sessions(self) -> Sessions: ...


async def end_sessions_in(unit: WithSessions, user_id: int, *, at: datetime) -> None:
    """
    Sign a user out everywhere: their refresh tokens are refused from this unit's commit on.

    Part of every change of password, role, activity or erasure. What is out already lasts its 15 minutes at most, and not
    at all for staff.
    """
    await unit.sessions.revoke_all(user_id, at=at)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)
