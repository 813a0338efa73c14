"""Small jobs that are done again and again beside everything else, such as forgetting what need not be remembered."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

_log = logging.getLogger(__name__)


class Periodic:
    """
    Does each job when it is started, and then every so often; a failure is logged, and the job has its next turn all the same.

    Args:
        every_s: seconds between two turns, give or take a tenth, so that several processes do not do it at one moment.
    """

    def __init__(self, jobs: Sequence[Callable[[], Awaitable[object]]], *, every_s: int) -> None:
        self._jobs = jobs
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; a job that is at work is cancelled, and its transaction undone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            for job in self._jobs:
                try:
                    await job()
                except Exception:  # noqa: BLE001  # whatever it is, the others go on
                    _log.exception("A periodic job failed; it has its next turn in %s seconds.", self._every_s)
            await asyncio.sleep(self._every_s * random.uniform(0.9, 1.1))  # noqa: S311  # jitter, not a secret
