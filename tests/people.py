"""The services of accounts over a book in memory, with mails that are kept instead of sent, for tests of what people do."""

import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ordermill.accounts.drafts import UserCreate
from ordermill.accounts.first_staff import FirstStaff
from ordermill.accounts.hashing import Hashing
from ordermill.accounts.judge import Judge
from ordermill.accounts.keyring import KeyRing
from ordermill.accounts.links import Links
from ordermill.accounts.mails import Mail
from ordermill.accounts.model import User
from ordermill.accounts.own import OwnAccounts
from ordermill.accounts.ports import AccountsUnit
from ordermill.accounts.post import Post
from ordermill.accounts.service import Accounts
from ordermill.accounts.sessions import RefreshToken, Session
from ordermill.accounts.throttles import Throttles
from ordermill.kit.clock import LocalClock
from ordermill.kit.ids import new_id
from ordermill.storage.memory import MemoryStorage

NOW: Final = datetime(2026, 11, 22, 10, tzinfo=UTC)
EARLIER: Final = datetime(2025, 1, 2, tzinfo=UTC)
PASSWORD: Final = "engine of brass"
URL: Final = "https://orders.example.com"
_LINK: Final = re.compile(rf"{URL}/([a-z-]+)#([A-Za-z0-9_-]+)")


class Moving:
    """A clock that a test sets forward."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment

    def later(self, by: timedelta) -> None:
        self.moment += by


@dataclass
class Letterbox:
    """A mailer whose mails can be read; `broken` refuses to take any."""

    mails: list[Mail] = field(default_factory=list)
    broken: Exception | None = None

    async def send(self, mail: Mail) -> None:
        if self.broken is not None:
            raise self.broken
        self.mails.append(mail)


def ada(**differences: str) -> UserCreate:
    values = {"email": "ada@example.com", "name": "Ada Lovelace", "password": PASSWORD} | differences
    return UserCreate.model_validate(values)


class People:
    """
    All services of accounts.

    Args:
        units: opens a unit; by default one over a book of its own.
    """

    def __init__(self, *, storage: MemoryStorage | None = None, units: Callable[[], AccountsUnit] | None = None) -> None:
        self.storage = storage or MemoryStorage()
        self.clock = Moving()
        self.letterbox = Letterbox()
        self.post = Post(self.letterbox)
        opened: Callable[[], AccountsUnit] = units or self.storage.unit
        hashing = Hashing()
        judge = Judge(minimum=8, common=lambda: frozenset({"password1", "letmein123"}), hashing=hashing)
        keyring = KeyRing("k" * 20 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123", clock=self.clock)
        throttles = Throttles(self.storage.throttles, keyring=keyring, clock=LocalClock(self.clock))
        self.links = Links(opened, clock=self.clock, judge=judge, post=self.post, base_url=URL)
        self.own = OwnAccounts(opened, clock=self.clock, judge=judge, hashing=hashing, links=self.links, throttles=throttles)
        self.accounts = Accounts(
            opened,
            clock=self.clock,
            judge=judge,
            links=self.links,
            first_staff=FirstStaff(opened, clock=self.clock, base_url=URL),
            post=self.post,
        )

    async def customer(self, **differences: Any) -> User:
        """Put a user into the book as an order brings it: without a password."""
        values: dict[str, Any] = {"email": "ada@example.com", "name": "A. L.", "created_at": EARLIER} | differences
        user = User(**values)
        async with self.storage.unit() as unit:
            await unit.users.add(user)
            await unit.commit()
        return user

    async def registered(self, **differences: str) -> User:
        """Return a user who registered; the mail is out of the letterbox."""
        user = await self.accounts.register(ada(**differences))
        await self.post.finish()
        self.letterbox.mails.clear()
        return user

    async def signs_in(self, user: User) -> Session:
        """Begin a session, as a sign-in does."""
        id, now = new_id(self.clock.now()), self.clock.now()
        hash = RefreshToken.first(id).hash
        assert user.id is not None
        session = Session(id=id, user_id=user.id, current_hash=hash, created_at=now, expires_at=now + timedelta(days=30))
        async with self.storage.unit() as unit:
            await unit.sessions.add(session, password_hash=user.password_hash or "")
            await unit.commit()
        return session

    async def signed_in(self, session: Session) -> bool:
        found = await self.storage.unit().sessions.get(session.id)
        return found is not None and found.lives(self.clock.now())

    async def stored(self, id: int | None) -> User:
        assert id is not None
        user = await self.storage.unit().users.get(id)
        assert user is not None
        return user

    async def everybody(self) -> list[User]:
        return list(await self.storage.unit().users.get_all())

    async def events(self) -> list[tuple[str, str, int | None, dict[str, Any]]]:
        """Return all events as they were told: those of one moment have ids in any order."""
        rows = await self.storage.read(lambda book: list(book.events.rows.values()))
        return [(row["type"], row["actor"], row["user_id"], json.loads(row["data"])) for row in rows]

    async def told(self) -> list[str]:
        return [type for type, *_ in await self.events()]

    async def mailed(self) -> list[tuple[str, str]]:
        """Return the kind and receiver of each mail, once all are out."""
        await self.post.finish()
        return [(mail.kind, mail.to) for mail in self.letterbox.mails]

    async def secret(self, page: str) -> str:
        """Return the token of the last mail, whose link must lead to `page`."""
        await self.post.finish()
        link = _LINK.search(self.letterbox.mails[-1].text)
        assert link is not None
        assert link[1] == page
        return link[2]


Overtaking = Callable[[], Coroutine[Any, Any, object]]


def overtaken(people: People, rival: Overtaking) -> People:
    """Return the same services, of whose units the first is overtaken: `rival` acts between what it has read and its commit."""
    waiting = [rival]

    def unit() -> AccountsUnit:
        opened = people.storage.unit()
        commit = opened.commit

        async def late() -> None:
            if waiting:
                await waiting.pop()()
            await commit()

        opened.commit = late  # type: ignore[method-assign]  # a unit that is slow to commit
        return opened

    other = People(storage=people.storage, units=unit)
    other.clock.moment = people.clock.moment
    return other
