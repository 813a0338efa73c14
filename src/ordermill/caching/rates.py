"""
Counting requests against a quota: memory for one process, Redis for many. Both fit `kit.rates.RateCounter`.

A quota is a bucket that fills evenly (the "generic cell rate algorithm"): one number a key says when it will be full
again, and nothing has to run beside it.

    full_at ─ now ≤ window ─ one share   there is one left to take
    take it                              full_at moves on by one share
"""

import time
from collections.abc import Callable
from typing import Final

from ordermill.caching.link import RedisLink
from ordermill.kit.rates import Allowance, Quota

# As many keys as one process remembers; each takes some 150 bytes. Beyond, those that would be full soonest are forgotten.
CAPACITY: Final = 50_000

# Redis's own clock, so that hosts whose clocks differ count alike. One round trip; microseconds, for Lua's numbers hold them.
_TAKE: Final = """
local window, share = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
if full - now > window - share then return {0, full - now} end
if ARGV[3] == '0' then return {1, full - now} end
redis.call('SET', KEYS[1], string.format('%.0f', full + share), 'PX', math.ceil((full + share - now) / 1000) + 1)
return {1, full + share - now}
"""


class MemoryRates:
    """
    Quotas of one process, used from one event loop.

    Args:
        capacity: how many keys are remembered at most.
        monotonic: tells seconds that never go back.
    """

    def __init__(self, *, capacity: int = CAPACITY, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._monotonic = monotonic
        self._full_at: dict[str, float] = {}

    async def take(self, key: str, quota: Quota) -> Allowance:
        return self._asked(key, quota, taken=1)

    async def look(self, key: str, quota: Quota) -> Allowance:
        return self._asked(key, quota, taken=0)

    def _asked(self, key: str, quota: Quota, *, taken: int) -> Allowance:
        now = self._monotonic()
        share = quota.window_s / quota.count
        lacking = max(self._full_at.get(key, now) - now, 0)
        granted = lacking <= quota.window_s - share + _ROUNDING_S
        if granted and taken:
            lacking += share
            self._full_at[key] = now + lacking
            if len(self._full_at) > self._capacity:
                self._forget(now)
        return _allowance(quota, lacking, granted=granted)

    def _forget(self, now: float) -> None:
        kept = sorted((full_at, key) for key, full_at in self._full_at.items() if full_at > now)
        self._full_at = {key: full_at for full_at, key in kept[-self._capacity // 2 :]}


class SharedRates:
    """
    Quotas that all processes count together in Redis; while it does not answer, each process counts for itself.

    Args:
        url: of Redis.
        alone: counts meanwhile.
    """

    def __init__(self, url: str, *, alone: MemoryRates, prefix: str = "ordermill:rate:") -> None:
        self._link = RedisLink(url)
        self._alone = alone
        self._prefix = prefix

    async def take(self, key: str, quota: Quota) -> Allowance:
        return await self._asked(key, quota, taken=1) or await self._alone.take(key, quota)

    async def look(self, key: str, quota: Quota) -> Allowance:
        return await self._asked(key, quota, taken=0) or await self._alone.look(key, quota)

    async def _asked(self, key: str, quota: Quota, *, taken: int) -> Allowance | None:
        window = quota.window_s * _MICROSECONDS
        answer = await self._link.ask("EVAL", _TAKE, 1, f"{self._prefix}{key}", window, window // quota.count, taken)
        if answer is None:
            return None
        granted, lacking = answer
        return _allowance(quota, lacking / _MICROSECONDS, granted=bool(granted))

    async def aclose(self) -> None:
        await self._link.aclose()


_MICROSECONDS: Final = 1_000_000
# Sums of shares are off by less; without it the last of a quota would be refused now and then.
_ROUNDING_S: Final = 1e-6


def _allowance(quota: Quota, lacking: float, *, granted: bool) -> Allowance:
    share = quota.window_s / quota.count
    remaining = max(int((quota.window_s - lacking) / share + _ROUNDING_S), 0)
    wait = lacking if remaining else lacking - quota.window_s + share
    return Allowance(granted=granted, remaining=remaining, wait_s=max(wait, 0))
