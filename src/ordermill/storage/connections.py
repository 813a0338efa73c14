"""
A few PostgreSQL connections as asyncpg has them, lent one after the other: for what is asked a thousand times a second.

SQLAlchemy's pool costs 0.2 ms of Python each time, more than a read by primary key takes, and asyncpg's own asks the server
to reset a connection whenever it comes back. What is lent here is used for statements that are transactions of their own
and leave nothing behind.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ordermill.kit.errors import ServiceError, Unavailable


class Connections:
    """
    At most `size` connections, made when they are needed.

    Args:
        connect: opens one.
        timeout_s: how long is waited for one when all are lent.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], *, size: int, timeout_s: int) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._free = asyncio.Semaphore(size)
        self._idle: list[Any] = []
        self.size = size
        self.in_use = 0

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Any]:
        """
        Lend a connection.

        Raises:
            Unavailable: `database_busy`; all were lent for too long. What else is raised is the driver's.
        """
        await self._wait()
        self.in_use += 1
        try:
            connection = self._kept() or await self._connect()
            try:
                yield connection
            except asyncpg.ReadOnlySQLTransactionError:
                connection.terminate()  # the server is no primary any more: the next one is asked for at the address
                raise
            except (asyncpg.PostgresError, ServiceError):
                self._idle.append(connection)  # refused; it is as good as before, or known to be closed
                raise
            except BaseException:
                connection.terminate()  # the server may still be at work on it
                raise
            self._idle.append(connection)
        finally:
            self.in_use -= 1
            self._free.release()

    async def close(self) -> None:
        """Close those that are not lent."""
        while self._idle:
            await self._idle.pop().close()

    async def _wait(self) -> None:
        if not self._free.locked():
            await self._free.acquire()  # at once
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable("All database connections are busy; try again in a moment.", code="database_busy") from None

    def _kept(self) -> Any:
        """Return one that came back, the last first; those that died meanwhile are forgotten."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None
