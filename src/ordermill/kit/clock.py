"""The only module that asks the system for the time. Every moment is aware UTC."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time for stamps; durations are measured with `time.monotonic`."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """Stands still where it was set; for tests and repeatable runs."""

    def __init__(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("A clock needs an aware moment.")
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment


class SharedClock(Protocol):
    """The time that all processes of an order book agree on, whatever their hosts' clocks say."""

    async def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class LocalClock:
    """One host's clock, where all processes are on that host."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def now(self) -> datetime:
        return self._clock.now()
