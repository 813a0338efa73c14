"""
PostgreSQL through asyncpg under SQLAlchemy, with a time limit on everything.

Not here: what is written. The functions handed in run on SQLAlchemy's greenlet bridge (`run_sync`), so they
are the same ones that the embedded database runs in its writer thread.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ordermill.storage.connections import Connections
from ordermill.storage.database import origin, refuse

T = TypeVar("T")

# For units of work and their reads.
POOL_SIZE: Final = 6
# For what is asked all the time. Measured with 2 cores and 64 clients: 4 is slower, 16 is no faster.
HOT_SIZE: Final = 8
POOL_TIMEOUT_S: Final = 5
CONNECT_TIMEOUT_S: Final = 5
ATTEMPTS: Final = 5
# The whole unit is run again (PostgreSQL documentation, 13.5).
_LOST_RACES: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
GONE: Final = (asyncpg.ConnectionDoesNotExistError, asyncpg.InterfaceError)
_SETTINGS: Final = {
    "application_name": "ordermill",
    "timezone": "UTC",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}


class PostgresDatabase:
    """One PostgreSQL database; of the URL asyncpg reads what `config.QUERY_OPTIONS` lets through, as libpq does for Django."""

    embedded = False

    def __init__(self, url: str) -> None:
        async def connect() -> Any:
            return await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S, server_settings=_SETTINGS)

        self._hot = Connections(connect, size=HOT_SIZE, timeout_s=POOL_TIMEOUT_S)
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            hide_parameters=True,
        )

    async def read(self, work: Callable[[Connection], T], /, *, patient: bool = False) -> T:
        def look(connection: Connection) -> T:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            if patient:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
            return work(connection)

        try:
            return await self._read(look)
        except Exception as error:  # noqa: BLE001  # `refuse` raises it again
            if not isinstance(origin(error), GONE):
                refuse(error)
        # The connection died while it lay in the pool, which has thrown all of that age away by now.
        try:
            return await self._read(look)
        except Exception as error:  # noqa: BLE001  # `refuse` raises it again
            refuse(error)

    async def _read(self, look: Callable[[Connection], T]) -> T:
        async with self._engine.connect() as connection:
            return await connection.run_sync(look)

    async def ask(self, statement: str, parameters: Sequence[Any], /) -> Sequence[Sequence[Any]]:
        for attempt in range(HOT_SIZE + 1):
            try:
                return await self._ask(statement, parameters)
            except Exception as error:  # noqa: BLE001  # `refuse` raises it again
                # A connection that died while it lay in the pool says so at once; the pool holds no more of them than that.
                if attempt == HOT_SIZE or not isinstance(origin(error), GONE):
                    refuse(error)
        raise AssertionError("the last attempt returns or raises")

    async def _ask(self, statement: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]:
        async with self._hot.lend() as driver:
            rows: Sequence[Sequence[Any]] = await driver.fetch(statement, *parameters)
        return rows

    async def write(self, work: Callable[[Connection], T], /) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._engine.begin() as connection:
                    return await connection.run_sync(work)
            except Exception as error:  # noqa: BLE001  # `refuse` raises it again
                if isinstance(origin(error), asyncpg.ReadOnlySQLTransactionError):
                    await self._engine.dispose()  # the server is no primary any more; the pool must not hold on to it
                lost_race = isinstance(origin(error), _LOST_RACES)
                if attempt == ATTEMPTS or not lost_race:
                    refuse(error)
            await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  # jitter, not a secret
        raise AssertionError("the last attempt returns or raises")

    def load(self) -> dict[str, int]:
        pool: Any = self._engine.pool
        return {"connections": POOL_SIZE + HOT_SIZE, "connections_in_use": pool.checkedout() + self._hot.in_use}

    def driver(self) -> AbstractAsyncContextManager[Any]:
        """
        Lend a connection as asyncpg has it: for writes that must cost no more than their statements do.

        Each statement is a transaction of its own. What is raised is the driver's: `database.refuse` translates it.
        """
        return self._hot.lend()

    async def close(self) -> None:
        await self._hot.close()
        await self._engine.dispose()
