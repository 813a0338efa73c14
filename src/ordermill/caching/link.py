"""
Asking Redis without ever waiting for it: what does not answer in time, has not answered.

    call ── breaker open? ──> nothing, at once
      └──── asked, deadline ──> answer
                    ├── no answer: nothing; after a few in a row the breaker opens and one caller a pause probes
                    └── an error as the answer (out of memory, read-only, wrong type): nothing; Redis is alive
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

# Every call must end within 100 ms; the other half is for a loop that is busy when the time is up.
DEADLINE_S: Final = 0.05
# redis-py gets some 9,000 answers a second over these, so 300 callers at once (34 ms) still meet the deadline.
MAX_CONNECTIONS: Final = 32
# One call may fall into the moment of a restart; three in a row cost a request 150 ms, and nobody pays more.
TOLERATED: Final = 3

_log = structlog.get_logger(__name__)


class RedisLink:
    """
    The connections of one process to one Redis.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        deadline_s: when an unanswered call is given up.
        pause_s: how long a Redis that does not answer is left alone between two probes.
        monotonic: tells seconds that never go back.
    """

    def __init__(
        self,
        url: str,
        *,
        deadline_s: float = DEADLINE_S,
        pause_s: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadline_s = deadline_s
        self._breaker = _Breaker(tolerated=TOLERATED, pause_s=pause_s, monotonic=monotonic)
        self._refused: set[str] = set()
        self._answers = 0
        # RESP2 and no client info: a new connection then needs no round trip before its first command.
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=deadline_s,
            socket_timeout=deadline_s,
            socket_connect_timeout=deadline_s,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        )
        self._redis = Redis.from_pool(pool)

    async def aclose(self) -> None:
        """Close the connections; nothing may be asked afterwards."""
        await self._redis.aclose()

    async def ask(self, command: str, *arguments: bytes | str | int) -> Any:
        """Return Redis's answer, or None when there is none to be had in time."""
        if not self._breaker.admits():
            return None
        answers_before = self._answers
        try:
            # One deadline around all of it: waiting for a connection, opening it, asking, and what the URL may set.
            async with asyncio.timeout(self._deadline_s):
                answer = await self._redis.execute_command(command, *arguments)  # type: ignore[no-untyped-call]  # redis-py's gap
        except ResponseError as error:
            self._note_answer(command, refusal=error)
            return None
        except (RedisError, OSError, TimeoutError) as error:
            # Others were answered meanwhile: Redis is well, and this call stood in a crowd or behind a busy loop.
            if self._answers == answers_before:
                self._note_silence(error)
            return None
        self._note_answer(command, refusal=None)
        return answer

    def _note_silence(self, error: Exception) -> None:
        if self._breaker.failed():
            _log.warning("redis_lost", error=type(error).__name__)

    def _note_answer(self, command: str, *, refusal: ResponseError | None) -> None:
        self._answers += 1
        # By command, for a full Redis refuses to SET and goes on to GET: one state for both would change with every call.
        if self._breaker.succeeded():
            _log.info("redis_found")
        if refusal is not None and command not in self._refused:
            self._refused.add(command)
            _log.warning("redis_refuses", command=command, error=type(refusal).__name__)
        elif refusal is None and command in self._refused:
            self._refused.discard(command)
            _log.info("redis_accepts", command=command)


class _Breaker:
    """Open after `tolerated` failures in a row; then it admits one call a pause until one succeeds."""

    def __init__(self, *, tolerated: int, pause_s: float, monotonic: Callable[[], float]) -> None:
        self._tolerated = tolerated
        self._pause_s = pause_s
        self._monotonic = monotonic
        self._failures = 0
        self._probe_at = 0.0

    def admits(self) -> bool:
        if self._failures < self._tolerated:
            return True
        if self._monotonic() < self._probe_at:
            return False
        # Moved on now, not when the probe is back: others go on missing meanwhile, and a cancelled probe blocks nobody.
        self._probe_at = self._monotonic() + self._pause_s
        return True

    def failed(self) -> bool:
        """Count a failure; True when it is the one that opens."""
        self._failures += 1
        self._probe_at = self._monotonic() + self._pause_s
        return self._failures == self._tolerated

    def succeeded(self) -> bool:
        """Close; True when it was open."""
        was_open = self._failures >= self._tolerated
        self._failures = 0
        return was_open
