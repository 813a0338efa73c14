"""
How often somebody may try: which counts an attempt belongs to.

    a stranger's sign-in   counts for the pair of account and address, the account, the address, and all together
    one from an address    counts for that pair, and for the account's known addresses; so no stranger's failures
    that signed in before  ever keep the owner out at home
    other requests         (registering, asking for a link) for the address they name, the one they come from, all together

An attempt is counted before it is judged, in one transaction: a hundred at once are a hundred. A success gives back.
Not here: what a count means (throttle_rules), where the counts are kept (storage), and what is attempted.
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeVar

from ordermill.accounts.keyring import KeyRing
from ordermill.accounts.throttle_rules import (
    ADDRESS,
    EVERYBODY,
    KNOWN,
    KNOWNS,
    STRANGER,
    STRANGERS,
    Leaking,
    Rule,
    Tally,
)
from ordermill.kit.clock import SharedClock
from ordermill.kit.errors import Forbidden
from ordermill.kit.networks import counted_as
from ordermill.kit.text import email_key

T = TypeVar("T")

_SECOND: Final = timedelta(seconds=1)
# How long an address is known after the last sign-in from there.
_KNOWN_FOR: Final = timedelta(days=90)


class TooManyAttempts(Forbidden):
    """Not now; `retry_after_s` says when."""

    default_code = "too_many_attempts"

    def __init__(self, wait: timedelta) -> None:
        seconds = max(1, math.ceil(wait / _SECOND))
        super().__init__(f"Too many attempts; try again in {seconds} s.", details={"retry_after_s": seconds})


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
        account, place = email_key(email), counted_as(address or "")
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
        account, place = email_key(email), counted_as(address or "")
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
            self._key(action, "from", counted_as(address or "")): of_address,
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
