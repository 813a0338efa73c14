"""The cache of one process; it holds a bounded number of texts and forgets the least recently used first."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable


class MemoryCache:
    """
    Texts in a dictionary of one process, used from one event loop.

    Args:
        capacity: how many texts are kept at most.
        monotonic: tells seconds that never go back; lifetimes are measured with it.
    """

    def __init__(self, *, capacity: int = 10_000, monotonic: Callable[[], float] = time.monotonic) -> None:
        if capacity < 1:
            raise ValueError(f"A cache must be able to hold at least one text, not {capacity}.")
        self._capacity = capacity
        self._monotonic = monotonic
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def get(self, key: str) -> str | None:
        if not self._holds(key):
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        """Keep `value` for `ttl` seconds, or until it is pushed out; a `ttl` below 1 is over already and only forgets."""
        self._kept.pop(key, None)
        if ttl is not None and ttl < 1:
            return
        self._kept[key] = value, math.inf if ttl is None else self._monotonic() + ttl
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    async def delete(self, key: str) -> bool:
        held = self._holds(key)
        self._kept.pop(key, None)
        return held

    def _holds(self, key: str) -> bool:
        """Return whether `key` is there and alive; forget it when its time is over."""
        if key not in self._kept:
            return False
        if self._kept[key][1] > self._monotonic():
            return True
        del self._kept[key]
        return False
