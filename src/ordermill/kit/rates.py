"""How often something may happen: what a counter of requests promises, and what it answers. The counters are in `caching`."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Quota:
    """So many in so many seconds, at once or spread: what is used up comes back evenly."""

    name: str
    count: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What is left of a quota.

    `wait_s` is when there is more: where nothing is left until the next one, else until all of it is back.
    """

    granted: bool
    remaining: int
    wait_s: float


class RateCounter(Protocol):
    """Counts per key, which names whom and what for."""

    async def take(self, key: str, quota: Quota) -> Allowance:
        """Take one from a key's quota; where nothing is left nothing is taken. It never fails, and never waits for long."""
        ...

    async def look(self, key: str, quota: Quota) -> Allowance:
        """Say what `take` would, and take nothing."""
        ...
