"""Accounts: who registers becomes a user, or claims the one that came with an order."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from ordermill.accounts import passwords
from ordermill.accounts.drafts import UserCreate
from ordermill.accounts.model import User
from ordermill.accounts.ports import AccountsUnit
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Conflict, Invalid, StaleVersion, Taken
from ordermill.kit.events import Event
from ordermill.kit.ids import new_id

# Each takes 19 MiB and a core while it runs; more at once would only wait for the cores.
HASHES_AT_ONCE: Final = 4


class EmailTaken(Conflict):
    """Somebody can sign in with this address already."""

    default_code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address already.")


class Accounts:
    """
    The accounts of an order book.

    Args:
        units: opens a unit of work.
        minimum: the least length of a password, in code points.
        common: returns the passwords that are refused as well known, in lower case; not asked before it is needed.
    """

    def __init__(
        self, units: Callable[[], AccountsUnit], *, clock: Clock, minimum: int, common: Callable[[], frozenset[str]]
    ) -> None:
        self._units = units
        self._clock = clock
        self._minimum = minimum
        self._common = common
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)

    async def create(self, draft: UserCreate, *, actor: str, staff: bool = False) -> User:
        """
        Register an account, or claim the one that is known from orders under this address.

        A claimed account keeps its id and stays unverified: its older orders are hidden until the address is verified.

        Raises:
            Invalid: the password is too short or too long, well known, or the person's own address or name.
            EmailTaken: somebody registered this address before.
        """
        hashed = await self._hashed(draft)
        try:
            return await self._register(draft, hashed, actor=actor, staff=staff)
        except (Taken, StaleVersion):
            # Somebody was faster; what they left decides. A registration took the address, an import left it to be claimed.
            pass
        try:
            return await self._register(draft, hashed, actor=actor, staff=staff)
        except Taken as taken:
            raise EmailTaken from taken

    async def list(self, *, limit: int = 100, after: int | None = None) -> Sequence[User]:
        """Return accounts in the order of their ids, those behind `after` when given."""
        async with self._units() as unit:
            return await unit.users.get_all(limit=limit, after=after)

    async def _hashed(self, draft: UserCreate) -> str:
        password = draft.password.get_secret_value()
        self._judge(passwords.composed(password), draft)
        async with self._hashing:
            return await asyncio.to_thread(passwords.hash_password, password)

    def _judge(self, password: str, draft: UserCreate) -> None:
        """Refuse a password that is easily guessed."""
        own = (draft.email, draft.email.partition("@")[0], draft.name)
        if len(password) < self._minimum:
            raise _refused(f"Use at least {self._minimum} characters.", code="password_too_short")
        if password.lower() in self._common():
            raise _refused("This is one of the most common passwords; use another.", code="password_common")
        if password.casefold() in {passwords.composed(word).casefold() for word in own}:
            raise _refused("Use something else than your e-mail address or name.", code="password_personal")

    async def _register(self, draft: UserCreate, hashed: str, *, actor: str, staff: bool) -> User:
        now = self._clock.now()
        async with self._units() as unit:
            known = await unit.users.by_email(draft.email)
            if known is None:
                new = User(email=draft.email, name=draft.name, created_at=now, password_hash=hashed, is_staff=staff)
                user = await unit.users.add(new)
            else:
                user = await unit.users.update(_claimed(known, draft, hashed, staff=staff))
            facts = {"claimed": known is not None, "staff": user.is_staff}
            registered = Event(id=new_id(now), type="user.registered", at=now, actor=actor, data=facts)
            await unit.events.append(registered, user=user)
            await unit.commit()
        return user


def _claimed(known: User, draft: UserCreate, hashed: str, *, staff: bool) -> User:
    if known.claimed:
        raise EmailTaken
    return replace(known, email=draft.email, name=draft.name, password_hash=hashed, is_staff=known.is_staff or staff)


def _refused(message: str, *, code: str) -> Invalid:
    return Invalid.field("/password", message, code=code)
