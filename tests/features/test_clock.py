"""Every moment is aware and in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine

from ordermill.kit.clock import FixedClock, SystemClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class TestSystemClock:
    def test_tells_the_time_of_the_machine_in_utc(self) -> None:
        with time_machine.travel(NOON, tick=False):
            now = SystemClock().now()

        assert (now, now.tzinfo) == (NOON, UTC)


class TestFixedClock:
    def test_stands_still_in_utc(self) -> None:
        clock = FixedClock(datetime(2026, 11, 22, 7, tzinfo=timezone(timedelta(hours=-5))))

        assert (clock.now(), clock.now().tzinfo) == (NOON, UTC)

    def test_refuses_a_naive_moment(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            FixedClock(datetime(2026, 11, 22))  # noqa: DTZ001 -- that is the point
