"""
The cache that several processes share. A dead, silent or refusing Redis is a miss, never an error and never a wait: see
`link`.
"""

import time
from collections.abc import Callable

from ordermill.caching.link import DEADLINE_S, RedisLink


class RedisCache:
    """
    Texts in a Redis database under a prefix of their own.

    A call that got no answer may still be carried out once a stopped Redis goes on: a key that
    names a version is safe from that, a key that is overwritten is not.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        prefix: stands before every key, so that several programs may share one database.
        deadline_s: when an unanswered call becomes a miss.
        pause_s: how long a Redis that does not answer is left alone between two probes.
        monotonic: tells seconds that never go back.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "ordermill:",
        deadline_s: float = DEADLINE_S,
        pause_s: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefix = prefix
        self._link = RedisLink(url, deadline_s=deadline_s, pause_s=pause_s, monotonic=monotonic)

    async def get(self, key: str) -> str | None:
        answer = await self._link.ask("GET", self._bytes(key))
        try:
            return None if answer is None else answer.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None  # not ours, for we write nothing else

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        """Keep `value` for `ttl` seconds, or until it is pushed out; a `ttl` below 1 is over already and only forgets."""
        if ttl is not None and ttl < 1:
            await self.delete(key)
            return
        lifetime = () if ttl is None else ("EX", ttl)
        await self._link.ask("SET", self._bytes(key), value.encode("utf-8", "surrogatepass"), *lifetime)

    async def delete(self, key: str) -> bool:
        return bool(await self._link.ask("DEL", self._bytes(key)))

    async def aclose(self) -> None:
        """Close the connections; the cache must not be used afterwards."""
        await self._link.aclose()

    def _bytes(self, key: str) -> bytes:
        return f"{self._prefix}{key}".encode("utf-8", "surrogatepass")
