"""
How often somebody may try: rules over counts, and which counts an attempt belongs to.

    a stranger's sign-in   counts for the pair of account and address, the account, the address, and all together
    one from an address    counts for that pair, and for the account's known addresses; so no stranger's failures
    that signed in before  ever keep the owner out at home
    other requests         (registering, asking for a link) for the address they name, the one they come from, all together

An attempt is counted before it is judged, in one transaction: a hundred at once are a hundred. A success gives back.
Not here: where the counts are kept (storage), and what is attempted.

Source of the hundred: NIST SP 800-63B-4, 3.2.2, "Rate Limiting".
"""

import hashlib
import hmac
import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeVar

from ordermill.accounts.keyring import KeyRing
from ordermill.kit.clock import SharedClock
from ordermill.kit.errors import Forbidden
from ordermill.kit.text import email_key

T = TypeVar("T")

_SECOND: Final = timedelta(seconds=1)
_LONGEST: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)
# How long an address is known after the last sign-in from there.
_KNOWN_FOR: Final = timedelta(days=90)
# Whoever has one IPv6 address has all of its /64.
_IPV6_PREFIX: Final = 64


class TooManyAttempts(Forbidden):
    """Not now; `retry_after_s` says when."""

    default_code = "too_many_attempts"

    def __init__(self, wait: timedelta) -> None:
        seconds = max(1, math.ceil(wait / _SECOND))
        super().__init__(f"Too many attempts; try again in {seconds} s.", details={"retry_after_s": seconds})


@dataclass(frozen=True, slots=True)
class Tally:
    """Attempts that are not forgiven: how many, when the last one was, and when the row may be forgotten."""

    failures: int
    since: datetime
    until: datetime


class Rule(Protocol):
    """What a count means."""

    def wait(self, tally: Tally, now: datetime) -> timedelta:
        """Return how long the next attempt has to wait; nothing or less when it may come now."""
        ...

    def counted(self, tally: Tally, now: datetime) -> Tally: ...

    def returned(self, tally: Tally, now: datetime) -> Tally | None:
        """Return the count after a success, None for nothing left."""
        ...


@dataclass(frozen=True, slots=True)
class Growing:
    """
    After `free` failures in a row the next attempt waits a second, then two, four, … up to 15 minutes; after `limit`
    it waits until they are forgotten, `lasts` after the last one. A success forgives all.
    """

    free: int
    limit: int
    lasts: timedelta = _DAY

    def wait(self, tally: Tally, now: datetime) -> timedelta:
        failures = self._failures(tally, now)
        if failures >= self.limit:
            return tally.since + self.lasts - now
        if failures < self.free:
            return timedelta()
        # A second, doubled ten times, is more than the longest wait.
        doubled = _SECOND * (1 << min(failures - self.free, 10))
        return tally.since + min(doubled, _LONGEST) - now

    def counted(self, tally: Tally, now: datetime) -> Tally:
        return Tally(self._failures(tally, now) + 1, now, max(tally.until, now + self.lasts))

    def returned(self, tally: Tally, now: datetime) -> None:  # noqa: ARG002  # the shape of a rule
        return None

    def _failures(self, tally: Tally, now: datetime) -> int:
        return tally.failures if now - tally.since < self.lasts else 0


@dataclass(frozen=True, slots=True)
class Leaking:
    """`burst` at once, and one more each `every`: nobody waits longer than that. A success gives its own attempt back."""

    burst: int
    every: timedelta

    def wait(self, tally: Tally, now: datetime) -> timedelta:
        level = self._leaked(tally, now)
        return timedelta() if level.failures < self.burst else level.since + self.every - now

    def counted(self, tally: Tally, now: datetime) -> Tally:
        level = self._leaked(tally, now)
        since = level.since if level.failures else now
        return Tally(level.failures + 1, since, now + self.every * (level.failures + 1))

    def returned(self, tally: Tally, now: datetime) -> Tally | None:
        level = self._leaked(tally, now)
        return replace(level, failures=level.failures - 1) if level.failures > 1 else None

    def _leaked(self, tally: Tally, now: datetime) -> Tally:
        drops = min(tally.failures, max(0, (now - tally.since) // self.every))
        return replace(tally, failures=tally.failures - drops, since=tally.since + self.every * drops)


# Together the hundred that one account may have in a row: strangers never use up what is the known addresses'.
STRANGER: Final = Growing(free=5, limit=70)
STRANGERS: Final = Growing(free=10, limit=70)
KNOWN: Final = Growing(free=10, limit=30)
KNOWNS: Final = Growing(free=10, limit=30)
ADDRESS: Final = Leaking(burst=30, every=timedelta(minutes=1))
EVERYBODY: Final = Leaking(burst=1000, every=_SECOND)

Action = Literal["register", "verify_email", "reset_password"]
# For the account it names, and for the address it comes from; asking for mail to somebody else is the nuisance here.
_ACTIONS: Final[Mapping[Action, tuple[Leaking, Leaking]]] = {
    "register": (Leaking(burst=30, every=timedelta(minutes=1)), Leaking(burst=30, every=timedelta(minutes=1))),
    "verify_email": (Leaking(burst=5, every=timedelta(minutes=5)), Leaking(burst=20, every=timedelta(minutes=1))),
    "reset_password": (Leaking(burst=5, every=timedelta(minutes=5)), Leaking(burst=20, every=timedelta(minutes=1))),
}

Changes = Mapping[str, Tally | None]


class ThrottleStore(Protocol):
    """Counts by key, shared by all processes."""

    async def change(self, keys: Sequence[str], decide: Callable[[Mapping[str, Tally]], tuple[Changes, T]]) -> T:
        """
        Show the counts of some keys and write what is made of them, with nobody in between.

        Args:
            decide: pure, for it may be asked again; returns what to write, None for what to forget, and the answer.
        """
        ...

    async def sweep(self, *, now: datetime) -> None:
        """Forget what is over."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was counted and is not judged yet."""

    rules: Mapping[str, Rule]
    known: str = field(repr=False)


class Throttles:
    """
    The counts of an order book.

    Args:
        keyring: makes the hashes under which counts are kept, so that a stolen book tells no addresses. A new secret begins
            all counts anew.
    """

    def __init__(self, store: ThrottleStore, *, keyring: KeyRing, clock: SharedClock) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock

    async def begin(self, *, email: str, address: str | None) -> Attempt:
        """
        Count a sign-in before its password is looked at.

        Args:
            address: where it comes from; None where nobody knows.

        Raises:
            TooManyAttempts: it was not counted and must not be judged.
        """
        now = await self._clock.now()
        account, place = email_key(email), _place(address)
        known = self._key("known", account, place)
        at_home: dict[str, Rule] = {known: KNOWN, self._key("knowns", account): KNOWNS}

        def decide(tallies: Mapping[str, Tally]) -> tuple[Changes, timedelta | None]:
            if known not in tallies or tallies[known].until <= now:
                return {}, None
            wait, changes = _counted(at_home, tallies, now)
            return changes, wait

        # Asked apart, so that those who are at home never wait for the counts that all strangers share.
        wait = await self._store.change([*at_home], decide)
        if wait is None:
            return await self._begin_abroad(account, place, known=known, now=now)
        _refuse(wait)
        return Attempt(at_home, known)

    async def _begin_abroad(self, account: str, place: str, *, known: str, now: datetime) -> Attempt:
        rules: dict[str, Rule] = {
            self._key("stranger", account, place): STRANGER,
            self._key("strangers", account): STRANGERS,
            self._key("address", place): ADDRESS,
            self._key("everybody"): EVERYBODY,
        }
        await self._count(rules, now=now)
        return Attempt(rules, known)

    async def succeeded(self, attempt: Attempt) -> None:
        """Give back what a sign-in counted, and know its address from now on."""
        now = await self._clock.now()

        def decide(tallies: Mapping[str, Tally]) -> tuple[Changes, None]:
            counts = {key: rule.returned(tallies[key], now) for key, rule in attempt.rules.items() if key in tallies}
            return {**counts, attempt.known: Tally(0, now, now + _KNOWN_FOR)}, None

        await self._store.change([*attempt.rules, attempt.known], decide)

    async def forgive(self, *, email: str, address: str | None) -> None:
        """Forget an account's failures, since its owner showed who they are: by the link of a password reset."""
        account, place = email_key(email), _place(address)
        keys = [self._key("strangers", account), self._key("knowns", account), self._key("stranger", account, place)]
        await self._store.change(keys, lambda tallies: (dict.fromkeys(tallies), None))

    async def admit(self, action: Action, *, email: str, address: str | None) -> None:
        """
        Count a request that is no sign-in; nothing is given back.

        Raises:
            TooManyAttempts: it was not counted and must not be done.
        """
        of_account, of_address = _ACTIONS[action]
        rules: dict[str, Rule] = {
            self._key(action, "for", email_key(email)): of_account,
            self._key(action, "from", _place(address)): of_address,
            self._key(action): EVERYBODY,
        }
        await self._count(rules, now=await self._clock.now())

    async def sweep(self) -> None:
        """Forget what is over."""
        await self._store.sweep(now=await self._clock.now())

    async def _count(self, rules: Mapping[str, Rule], *, now: datetime) -> None:
        def decide(tallies: Mapping[str, Tally]) -> tuple[Changes, timedelta]:
            wait, changes = _counted(rules, tallies, now)
            return changes, wait

        _refuse(await self._store.change([*rules], decide))

    def _key(self, *parts: str) -> str:
        # What a part may hold is the sender's choice: its length keeps two lists of parts from reading alike.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        secret = self._keyring.derive("throttles")[0].secret
        return hmac.new(secret, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _counted(rules: Mapping[str, Rule], tallies: Mapping[str, Tally], now: datetime) -> tuple[timedelta, Changes]:
    """Return the longest wait and, where there is none, the counts with one more."""
    current = {key: tallies.get(key, Tally(0, now, now)) for key in rules}
    wait = max(rule.wait(current[key], now) for key, rule in rules.items())
    if wait > timedelta():
        return wait, {}
    return wait, {key: rule.counted(current[key], now) for key, rule in rules.items()}


def _refuse(wait: timedelta) -> None:
    """
    Raises:
        TooManyAttempts: there is something to wait for.
    """
    if wait > timedelta():
        raise TooManyAttempts(wait)


def _place(address: str | None) -> str:
    """Return what counts as one address: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _IPV6_PREFIX), strict=False))
