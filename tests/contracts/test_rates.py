"""Quotas: what every counter promises, and what becomes of a shared one when Redis falls silent."""

import time
from collections.abc import AsyncIterator

import pytest
from servers import Redis

from ordermill.caching.rates import MemoryRates, SharedRates
from ordermill.kit.rates import Quota, RateCounter

pytestmark = pytest.mark.anyio

THREE = Quota("test", count=3, window_s=60)
QUICK = Quota("quick", count=2, window_s=1)


class Monotonic:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "redis"])
async def rates(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[RateCounter]:
    if request.param == "memory":
        yield MemoryRates()
        return
    shared = SharedRates(request.getfixturevalue("redis_url"), alone=MemoryRates(capacity=1))
    yield shared
    await shared.aclose()


class TestTake:
    async def test_grants_as_many_as_the_quota_says_and_counts_down(self, rates: RateCounter) -> None:
        taken = [await rates.take("ada", THREE) for _ in range(4)]
        assert [each.granted for each in taken] == [True, True, True, False]
        assert [each.remaining for each in taken] == [2, 1, 0, 0]

    async def test_says_how_long_to_wait(self, rates: RateCounter) -> None:
        """With something left until all of it is back, else until the next one."""
        taken = [await rates.take("ada", THREE) for _ in range(4)]
        assert [round(each.wait_s) for each in taken] == [20, 40, 20, 20]

    async def test_counts_each_key_by_itself(self, rates: RateCounter) -> None:
        for _ in range(4):
            await rates.take("ada", THREE)
        assert (await rates.take("bob", THREE)).remaining == 2

    async def test_what_was_used_comes_back_evenly(self, rates: RateCounter) -> None:
        taken = [await rates.take("ada", QUICK) for _ in range(3)]
        assert [each.granted for each in taken] == [True, True, False]
        time.sleep(taken[-1].wait_s + 0.05)  # noqa: ASYNC251  # nothing else runs here
        again = [await rates.take("ada", QUICK) for _ in range(2)]
        assert [each.granted for each in again] == [True, False]

    async def test_looking_takes_nothing(self, rates: RateCounter) -> None:
        looked = [await rates.look("ada", THREE) for _ in range(5)]
        taken = [await rates.take("ada", THREE) for _ in range(3)]
        assert [(each.granted, each.remaining) for each in looked] == [(True, 3)] * 5
        assert [each.granted for each in taken] == [True] * 3
        assert not (await rates.look("ada", THREE)).granted

    async def test_a_refused_one_costs_nothing(self, rates: RateCounter) -> None:
        for _ in range(3):
            await rates.take("ada", THREE)
        waits = [(await rates.take("ada", THREE)).wait_s for _ in range(50)]
        assert waits[-1] <= waits[0]


class TestMemory:
    async def test_forgets_first_who_waited_longest(self) -> None:
        monotonic = Monotonic()
        rates = MemoryRates(capacity=4, monotonic=monotonic)
        for _ in range(3):
            await rates.take("greedy", THREE)
        for name in "abcd":
            await rates.take(name, THREE)
        assert not (await rates.take("greedy", THREE)).granted
        assert (await rates.take("a", THREE)).remaining == 2

    async def test_keeps_no_more_than_its_capacity(self) -> None:
        rates = MemoryRates(capacity=10)
        for number in range(1000):
            await rates.take(str(number), THREE)
        assert len(rates._full_at) <= 10


class TestShared:
    async def test_two_processes_count_together(self, redis_url: str) -> None:
        one, other = SharedRates(redis_url, alone=MemoryRates()), SharedRates(redis_url, alone=MemoryRates())
        taken = [await each.take("ada", THREE) for each in (one, other, one, other)]
        assert [each.granted for each in taken] == [True, True, True, False]
        await one.aclose()
        await other.aclose()

    async def test_keys_leave_redis_by_themselves(self, redis: Redis, redis_url: str) -> None:
        shared = SharedRates(redis_url, alone=MemoryRates())
        await shared.take("ada", QUICK)
        assert int(redis.command("PTTL", "ordermill:rate:ada").removeprefix(b":")) in range(1, 600)
        await shared.aclose()

    async def test_a_silent_redis_costs_a_moment_and_each_process_counts_for_itself(self, redis: Redis, redis_url: str) -> None:
        shared = SharedRates(redis_url, alone=MemoryRates())
        await shared.take("ada", THREE)
        redis.pause()
        try:
            times, granted = [], []
            for _ in range(8):
                began = time.perf_counter()
                granted.append((await shared.take("ada", THREE)).granted)
                times.append(time.perf_counter() - began)
        finally:
            redis.resume()
        assert granted == [True] * 3 + [False] * 5
        assert max(times) < 0.1
        assert max(times[3:]) < 0.01  # the breaker is open
        await shared.aclose()

    async def test_a_redis_that_is_gone_is_found_again(self, redis: Redis, redis_url: str) -> None:
        shared = SharedRates(redis_url, alone=MemoryRates())
        redis.kill()
        assert (await shared.take("ada", THREE)).remaining == 2
        redis.start()
        time.sleep(1.1)  # noqa: ASYNC251  # the pause of the breaker
        for _ in range(3):
            await shared.take("bob", THREE)
        assert redis.command("EXISTS", "ordermill:rate:bob") == b":1"
        await shared.aclose()
