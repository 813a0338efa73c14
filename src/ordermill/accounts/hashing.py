"""
Passwords are hashed and compared in threads of their own, few at a time: the event loop goes on, and memory stays bounded.

One `Hashing` serves the whole process; sign-in and registration share its threads.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from ordermill.accounts import passwords

T = TypeVar("T")

# Each takes 19 MiB and a core while it runs; more at once would only wait for the cores.
HASHES_AT_ONCE: Final = 4
_NICE: Final = 10


class Hashing:
    """`accounts.passwords` off the event loop; what waits for its turn waits in the threads' queue."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="hashing", initializer=_stand_back)

    async def hash(self, password: str) -> str:
        """
        Return what `hash_password` does.

        Raises:
            Invalid: as it does.
        """
        return await self._apart(lambda: passwords.hash_password(password))

    async def verify(self, password: str, hash: str | None) -> bool:
        """Return what `verify_password` does."""
        return await self._apart(lambda: passwords.verify_password(password, hash))

    async def compare(self, password: str, hash: str | None) -> bool:
        """Return what `compare` does."""
        return await self._apart(lambda: passwords.compare(password, hash))

    async def _apart(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _stand_back() -> None:
    """Let this thread give way to the one that answers requests, where the system knows priorities of threads."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
