"""Sign-in over any storage, with a clock that is set by hand."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from builders import a_user
from clocks import HandClock
from storages import Storage

from ordermill.accounts.access import Access, Grant
from ordermill.accounts.hashing import Hashing
from ordermill.accounts.keyring import KeyRing
from ordermill.accounts.model import User
from ordermill.accounts.passwords import hash_password
from ordermill.accounts.throttles import Throttles
from ordermill.kit.clock import LocalClock, SharedClock

PASSWORD = "correct horse battery"  # invented
SECRET = "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJ"  # invented
HOME = "192.0.2.7"
ABROAD = "198.51.100.9"
_HASHED = hash_password(PASSWORD)


@dataclass(slots=True)
class Door:
    """An order book that people sign in to."""

    storage: Storage
    clock: HandClock
    access: Access
    throttles: Throttles

    async def account(self, email: str = "ada@example.com", **said: Any) -> User:
        """Keep an account, active and claimed with `PASSWORD` where nothing else is said."""
        user = a_user(email, **{"password_hash": _HASHED, **said})
        await self.storage.keep(user)
        return user

    async def enters(self, email: str = "ada@example.com", password: str = PASSWORD, *, address: str | None = HOME) -> Grant:
        return await self.access.sign_in(email, password, address=address)


def a_door(
    storage: Storage, *, said: str = SECRET, clock: HandClock | None = None, shared_clock: SharedClock | None = None
) -> Door:
    hand = clock or HandClock()
    shared, ring = shared_clock or LocalClock(hand), KeyRing(said, clock=hand)
    throttles = Throttles(storage.throttles, keyring=ring, clock=shared)
    access = Access(
        storage.unit, keyring=ring, hashing=Hashing(), throttles=throttles, clock=shared, session=timedelta(days=30)
    )
    return Door(storage, hand, access, throttles)
