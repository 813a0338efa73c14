"""Whether this process can answer requests: asked once for everybody who wants to know at the same moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ordermill.kit.errors import ServiceError

# A load balancer must have its answer before it gives up by itself, which most do after some seconds.
WITHIN_S: Final = 2
# However many ask, the database is asked once in this time.
REMEMBERED_S: Final = 0.5


class Readiness:
    """`stopping` is set by the server when it has been told to end, so that nobody is sent here any more."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.stopping = False
        self._monotonic = monotonic
        self._asking: asyncio.Task[bool] | None = None
        self._asked_at = float("-inf")

    async def ask(self, require_ready: Callable[[], Awaitable[None]]) -> bool:
        """Return whether `require_ready` went through in time, now or a moment ago."""
        now = self._monotonic()
        if self._asking is None or (self._asking.done() and now - self._asked_at > REMEMBERED_S):
            self._asked_at = now
            self._asking = asyncio.create_task(_goes_through(require_ready))
        # Shielded: whoever goes away must not take the answer from the others who wait for it.
        return await asyncio.shield(self._asking)


async def _goes_through(require_ready: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(WITHIN_S):
            await require_ready()
    except (ServiceError, TimeoutError):
        return False
    return True
