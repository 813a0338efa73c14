"""
What a count of attempts means: how long the next one has to wait, and what becomes of the count. Pure.

Source of the hundred: NIST SP 800-63B-4, 3.2.2, "Rate Limiting".
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

_SECOND: Final = timedelta(seconds=1)
_LONGEST: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)


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
