"""
Who is asking: sign-in, the sessions behind it, and what stands behind "Bearer ".

Plain users are believed for the 15 minutes of their access token; staff and programs are looked up at each request, so
that demotion and revocation hold at once. Not here: how passwords are compared (passwords, hashing), how tokens look
(tokens, sessions), how often somebody may try (throttles).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeGuard

from ordermill.accounts import passwords
from ordermill.accounts.access_tokens import AccessTokens
from ordermill.accounts.api_keys import MARK, ApiKeyRepository
from ordermill.accounts.drafts import EMAIL_LIMIT
from ordermill.accounts.hashing import Hashing
from ordermill.accounts.keyring import KeyRing
from ordermill.accounts.model import User
from ordermill.accounts.one_time import digest
from ordermill.accounts.ports import UserRepository
from ordermill.accounts.principal import Principal, actor_of
from ordermill.accounts.sessions import RefreshToken, Session, Sessions
from ordermill.accounts.throttles import Attempt, Throttles
from ordermill.accounts.tokens import LASTS, Unauthenticated
from ordermill.kit.clock import SharedClock
from ordermill.kit.errors import Forbidden, StaleVersion
from ordermill.kit.events import Event, EventLedger
from ordermill.kit.ids import new_id
from ordermill.kit.ports import UnitOfWork
from ordermill.kit.text import defect

# Lost races: the account or the session was changed between looking and committing.
_ATTEMPTS: Final = 4
# Sign-ins that are counted, and such that are judged: more would only wait for hashes, and meanwhile keep everybody else from
# the database's ten connections.
_AT_ONCE: Final = 6


class InvalidCredentials(Forbidden):
    """No account, another password, not active, nobody's yet: which of them is not told."""

    default_code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("E-mail address and password do not belong together, or the account is not active.")


class RefreshRefused(Forbidden):
    """A refresh token that is not the one to use now; why is not told."""

    default_code = "refresh_refused"

    def __init__(self) -> None:
        super().__init__("This refresh token is not valid, or not any more; sign in again.")


class AccessUnit(UnitOfWork, Protocol):
    """An open unit in which sessions can be begun and ended."""

    @property
    def users(self) -> UserRepository: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def api_keys(self) -> ApiKeyRepository: ...

    @property
    def events(self) -> EventLedger: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a sign-in or a refresh gives; the access token lasts `expires_in` seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int = int(LASTS.total_seconds())


class Access:
    """
    Who may come in.

    Args:
        units: opens a unit of work.
        clock: the time that all processes share: a token of one is read by another.
        session: how long a sign-in lasts without being used.
    """

    def __init__(  # noqa: PLR0913  # its parts, which bootstrap puts together
        self,
        units: Callable[[], AccessUnit],
        *,
        keyring: KeyRing,
        hashing: Hashing,
        throttles: Throttles,
        clock: SharedClock,
        session: timedelta,
    ) -> None:
        self._units = units
        self._keyring = keyring
        self._hashing = hashing
        self._throttles = throttles
        self._clock = clock
        self._session = session
        self._counting = asyncio.Semaphore(_AT_ONCE)
        self._judging = asyncio.Semaphore(_AT_ONCE)
        self._tokens = AccessTokens(keyring)

    async def authenticate(self, credentials: str) -> Principal:
        """
        Return who sent what stands behind "Bearer ": an access token or an API key.

        Raises:
            Unauthenticated: it is neither, not valid any more, or of an account or key that is not.
        """
        if credentials.startswith(MARK):
            return await self._program(credentials)
        checked = self._tokens.read(credentials, now=await self._clock.now())
        if not checked.staff:
            return Principal(actor=actor_of(checked.user_id), user_id=checked.user_id)
        async with self._units() as unit:
            user = await unit.users.get(checked.user_id)
        if not _usable(user):
            raise Unauthenticated
        return Principal(actor=actor_of(checked.user_id), user_id=checked.user_id, is_staff=user.is_staff)

    async def sign_in(self, email: str, password: str, *, address: str | None) -> Grant:
        """
        Begin a session.

        Args:
            address: the IP address it comes from, for the throttles; None where nobody knows.

        Raises:
            TooManyAttempts: this account or address failed too often of late; the password was not looked at.
            InvalidCredentials: it may not, and why is not told.
        """
        async with self._counting:
            attempt = await self._throttles.begin(email=email, address=address)
        async with self._judging:
            return await self._judge(email, password, attempt)

    async def refresh(self, token: str) -> Grant:
        """
        Use a refresh token and return its successor with a new access token.

        Presented again within ten seconds, the token before the current one gives the same successor: an answer may get
        lost. Any other use of an old one revokes the session, for somebody else may have it.

        Raises:
            RefreshRefused: it is unknown, used, too old or revoked, or the account may not sign in any more.
        """
        presented = RefreshToken.read(token)
        if presented is None:
            raise RefreshRefused
        for _ in range(_ATTEMPTS):
            with suppress(StaleVersion):
                return await self._refresh(presented)
        raise RefreshRefused

    async def sign_out(self, token: str) -> None:
        """End the session of a refresh token; one that belongs to none ends nothing, and that is not told."""
        presented = RefreshToken.read(token)
        if presented is None:
            return
        async with self._units() as unit:
            session = await unit.sessions.get(presented.session_id)
            if session is not None and session.knows(presented):
                await unit.sessions.revoke(session.id, at=await self._clock.now())
                await unit.commit()

    async def sweep(self) -> None:
        """Forget sessions that are over, so many at a time; what is left then has the next turn."""
        async with self._units() as unit:
            await unit.sessions.sweep(now=await self._clock.now())
            await unit.commit()

    async def _judge(self, email: str, password: str, attempt: Attempt) -> Grant:
        for _ in range(_ATTEMPTS):
            user = await self._by_email(email)
            hash = user.password_hash if _usable(user) else None
            if not await self._hashing.compare(password, hash) or not _usable(user) or hash is None:
                raise InvalidCredentials
            # Whoever changes the account meanwhile ends its sessions, and would not see this one yet.
            with suppress(StaleVersion):
                grant = await self._begin(user, hash)
                await self._throttles.succeeded(attempt)
                await self._refine(user, password, hash)
                return grant
        raise InvalidCredentials

    async def _begin(self, user: User, password_hash: str) -> Grant:
        now = await self._clock.now()
        token = RefreshToken.first(new_id(now))
        session = Session(
            id=token.session_id,
            user_id=user.id or 0,
            current_hash=token.hash,
            created_at=now,
            expires_at=now + self._session,
        )
        async with self._units() as unit:
            await unit.sessions.add(session, password_hash=password_hash)
            await unit.commit()
        return self._grant(user, token, now=now)

    async def _refine(self, user: User, password: str, hash: str) -> None:
        """Hash a password again that was hashed with other parameters than today's: only now it is known."""
        if not passwords.outdated(hash):
            return
        renewed = replace(user, password_hash=await self._hashing.hash(password))
        # Who changed the account meanwhile is right.
        with suppress(StaleVersion):
            async with self._units() as unit:
                await unit.users.update(renewed)
                await unit.commit()

    async def _refresh(self, presented: RefreshToken) -> Grant:
        now = await self._clock.now()
        keys = self._keyring.derive("refresh")
        async with self._units() as unit:
            session = await unit.sessions.get(presented.session_id)
            if session is None or not session.lives(now):
                raise RefreshRefused
            user = await unit.users.get(session.user_id)
            if not _usable(user):
                raise RefreshRefused
            if session.is_current(presented):
                successor = presented.successor(keys[0])
                await unit.sessions.rotate(
                    session.id,
                    current=presented.hash,
                    successor=successor.hash,
                    at=now,
                    expires_at=now + self._session,
                )
                await unit.commit()
                return self._grant(user, successor, now=now)
            repeated = session.successor(presented, keys, now=now)
            if repeated is not None:
                return self._grant(user, repeated, now=now)
            await unit.sessions.revoke(session.id, at=now)
            reused = Event(id=new_id(now), type="session.reused", at=now, actor=actor_of(user.id), user_id=user.id)
            await unit.events.append(reused)
            await unit.commit()
        raise RefreshRefused

    def _grant(self, user: User, refresh: RefreshToken, *, now: datetime) -> Grant:
        return Grant(access_token=self._tokens.issue(user, now=now), refresh_token=refresh.text)

    async def _program(self, secret: str) -> Principal:
        async with self._units() as unit:
            key = await unit.api_keys.by_secret(digest(secret))
        if key is None:
            raise Unauthenticated
        return Principal(actor=f"key:{key.id}", scope=key.scope)

    async def _by_email(self, email: str) -> User | None:
        # No account has such an address, and no database is asked for what it could not store.
        if defect(email) or len(email.strip()) > EMAIL_LIMIT:
            return None
        async with self._units() as unit:
            return await unit.users.by_email(email)


def _usable(user: User | None) -> TypeGuard[User]:
    return user is not None and user.is_active and user.erased_at is None
