"""The time that all processes of a server database agree on: the server's own."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from ordermill.kit.clock import Clock
from ordermill.kit.errors import Unavailable
from ordermill.storage.database import Database

# Between two questions the monotonic clock goes on by itself; quartz loses some 10 ms in a minute at the worst.
_ASKED_EVERY_S: Final = 60
# The wall clock and the monotonic one disagree by this: somebody set the former, or the machine slept and the latter stood.
_JUMP: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Asked:
    moment: datetime
    monotonic: float  # allow float: a duration
    wall: datetime


class DatabaseClock:
    """
    `kit.clock.SharedClock`: the database's time, asked for once a minute and carried on by the monotonic clock.

    Hosts whose clocks are minutes apart, or jump, so agree on it. A database that does not answer is asked again later.

    Args:
        clock: the host's; only how far it goes is looked at, and not what it says.
    """

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._asked: _Asked | None = None
        self._asking = asyncio.Lock()

    async def now(self) -> datetime:
        """
        Raises:
            Unavailable: the database never answered yet.
        """
        asked = self._asked
        if asked is None or self._is_old(asked):
            async with self._asking:
                if self._asked is asked:
                    self._asked = await self._ask(asked)
                asked = self._asked or await self._ask(None)
        return asked.moment + timedelta(seconds=time.monotonic() - asked.monotonic)

    def _is_old(self, asked: _Asked) -> bool:
        gone = time.monotonic() - asked.monotonic
        return gone > _ASKED_EVERY_S or abs(self._clock.now() - asked.wall - timedelta(seconds=gone)) > _JUMP

    async def _ask(self, before: _Asked | None) -> _Asked:
        started = time.monotonic()
        try:
            moment = await self._database.read(_now)
        except Unavailable:
            if before is None:
                raise
            return before
        # The answer was given some time between question and arrival.
        ended = time.monotonic()
        return _Asked(moment + timedelta(seconds=(ended - started) / 2), ended, self._clock.now())


def _now(connection: Connection) -> datetime:
    # Not now(), which is the start of the transaction.
    moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)
