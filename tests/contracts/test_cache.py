"""What every cache promises, over memory and a real Redis; then what is left of Redis when it is ill."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from servers import NO_REDIS, Redis, running_redis
from structlog.testing import capture_logs

from ordermill.caching.link import MAX_CONNECTIONS, TOLERATED
from ordermill.caching.memory import MemoryCache
from ordermill.caching.redis import RedisCache
from ordermill.kit.ports import CacheProtocol

pytestmark = pytest.mark.anyio

# What a call may take when Redis is ill (RELIABILITY.md G10).
PROMISED_S = 0.1


class Monotonic:
    """A clock for lifetimes and pauses that moves when it is told to."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest, monotonic: Monotonic) -> AsyncIterator[CacheProtocol]:
    if request.param == "memory":
        yield MemoryCache(monotonic=monotonic)
        return
    shared = RedisCache(request.getfixturevalue("redis_url"), deadline_s=5)
    yield shared
    await shared.aclose()


@pytest.fixture
def elapse(cache: CacheProtocol, monotonic: Monotonic) -> Callable[[float], Awaitable[None]]:
    """Let seconds pass for the cache; Redis has a clock of its own, so there they really pass."""

    async def pass_by(seconds: float) -> None:
        monotonic.at += seconds
        if isinstance(cache, RedisCache):
            await asyncio.sleep(seconds)

    return pass_by


class TestEveryCache:
    async def test_fits_the_port(self, cache: CacheProtocol) -> None:
        assert isinstance(cache, CacheProtocol)

    async def test_misses_what_it_was_never_told(self, cache: CacheProtocol) -> None:
        assert await cache.get("order:1") is None

    async def test_gives_back_what_it_was_told(self, cache: CacheProtocol) -> None:
        await cache.set("order:1", "one")
        await cache.set("order:2", "two")

        assert await cache.get("order:1") == "one"
        assert await cache.get("order:2") == "two"

    @pytest.mark.parametrize("text", ["", "Tee für Ærøskøbing", "茶 🍵", "a\x00b\r\n", "\ud800"])
    async def test_keeps_any_text_as_key_and_value(self, cache: CacheProtocol, text: str) -> None:
        await cache.set(text, text)

        assert await cache.get(text) == text

    async def test_overwrites(self, cache: CacheProtocol) -> None:
        await cache.set("order:1", "old")
        await cache.set("order:1", "new")

        assert await cache.get("order:1") == "new"

    async def test_deletes_and_says_whether_something_was_there(self, cache: CacheProtocol) -> None:
        await cache.set("order:1", "one")

        assert await cache.delete("order:1") is True
        assert await cache.delete("order:1") is False
        assert await cache.get("order:1") is None

    async def test_forgets_when_the_ttl_is_over(self, cache: CacheProtocol, elapse: Callable[[float], Awaitable[None]]) -> None:
        await cache.set("short", "one", ttl=1)
        await cache.set("long", "two", ttl=60)
        await cache.set("for good", "three")
        await elapse(0.5)
        assert await cache.get("short") == "one"

        await elapse(0.6)

        assert await cache.get("short") is None
        assert await cache.delete("short") is False
        assert [await cache.get("long"), await cache.get("for good")] == ["two", "three"]

    async def test_a_new_value_has_a_new_life(self, cache: CacheProtocol, elapse: Callable[[float], Awaitable[None]]) -> None:
        await cache.set("order:1", "old", ttl=1)
        await cache.set("order:1", "new")

        await elapse(1.1)

        assert await cache.get("order:1") == "new"

    @pytest.mark.parametrize("ttl", [0, -1])
    async def test_a_ttl_that_is_over_already_only_forgets(self, cache: CacheProtocol, ttl: int) -> None:
        await cache.set("order:1", "old")

        await cache.set("order:1", "new", ttl=ttl)

        assert await cache.get("order:1") is None


class TestMemory:
    async def test_forgets_the_least_recently_used_beyond_its_capacity(self) -> None:
        cache = MemoryCache(capacity=2)
        await cache.set("a", "1")
        await cache.set("b", "2")
        await cache.get("a")

        await cache.set("c", "3")

        assert [await cache.get(key) for key in "abc"] == ["1", None, "3"]

    async def test_overwriting_pushes_nothing_out(self) -> None:
        cache = MemoryCache(capacity=2)
        await cache.set("a", "1")
        await cache.set("b", "2")

        await cache.set("b", "3")

        assert [await cache.get(key) for key in "ab"] == ["1", "3"]

    def test_refuses_to_hold_nothing(self) -> None:
        with pytest.raises(ValueError, match="not 0"):
            MemoryCache(capacity=0)


@pytest.fixture
def patient() -> Iterator[Redis]:
    """A Redis of this test's own, to be made ill."""
    try:
        with running_redis() as server:
            yield server
    except LookupError:
        pytest.skip(NO_REDIS)


@pytest.fixture
async def shared(patient: Redis, monotonic: Monotonic) -> AsyncIterator[RedisCache]:
    """A cache with production's deadline on the patient; it holds `order:1`."""
    cache = RedisCache(patient.url, monotonic=monotonic)
    await cache.set("order:1", "one")
    assert await cache.get("order:1") == "one"
    yield cache
    await cache.aclose()


async def timed(call: Awaitable[object]) -> tuple[object, float]:
    started = time.perf_counter()
    answer = await call
    return answer, time.perf_counter() - started


class TestRedisThatDoesNotAnswer:
    @pytest.mark.parametrize("illness", ["pause", "kill"])
    async def test_is_a_miss_within_the_promised_time(self, shared: RedisCache, patient: Redis, illness: str) -> None:
        getattr(patient, illness)()

        answers = [
            await timed(shared.get("order:1")),
            await timed(shared.set("order:1", "two", ttl=5)),
            await timed(shared.delete("order:1")),
            await timed(shared.get("order:1")),
        ]

        assert [answer for answer, _ in answers] == [None, None, False, None]
        assert max(seconds for _, seconds in answers) < PROMISED_S

    @pytest.mark.parametrize("illness", ["pause", "kill"])
    async def test_costs_nothing_after_a_few_calls(self, shared: RedisCache, patient: Redis, illness: str) -> None:
        getattr(patient, illness)()
        for _ in range(TOLERATED):
            await shared.get("order:1")

        answers, seconds = await timed(asyncio.gather(*(shared.get("order:1") for _ in range(1_000))))

        assert answers == [None] * 1_000
        assert seconds < PROMISED_S

    async def test_is_found_again_when_it_goes_on(self, shared: RedisCache, patient: Redis, monotonic: Monotonic) -> None:
        patient.pause()
        for _ in range(TOLERATED):
            await shared.get("order:1")
        patient.resume()
        assert await shared.get("order:1") is None

        monotonic.at += 1.1

        assert await shared.get("order:1") == "one"
        assert await shared.get("order:1") == "one"

    async def test_is_found_again_when_it_was_started_anew(
        self, shared: RedisCache, patient: Redis, monotonic: Monotonic
    ) -> None:
        patient.kill()
        for _ in range(TOLERATED):
            await shared.get("order:1")
        patient.start()

        monotonic.at += 1.1
        await shared.set("order:2", "two")

        assert await shared.get("order:2") == "two"
        assert await shared.get("order:1") is None

    async def test_is_asked_by_one_caller_a_pause(self, shared: RedisCache, patient: Redis, monotonic: Monotonic) -> None:
        patient.pause()
        for _ in range(TOLERATED):
            await shared.get("order:1")
        patient.resume()
        monotonic.at += 1.1

        answers = await asyncio.gather(*(shared.get("order:1") for _ in range(20)))

        assert answers == ["one", *[None] * 19]

    async def test_a_cancelled_probe_blocks_nobody(self, shared: RedisCache, patient: Redis, monotonic: Monotonic) -> None:
        patient.pause()
        for _ in range(TOLERATED):
            await shared.get("order:1")
        monotonic.at += 1.1
        probe = asyncio.create_task(shared.get("order:1"))
        await asyncio.sleep(0.01)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        patient.resume()

        monotonic.at += 1.1

        assert await shared.get("order:1") == "one"

    async def test_is_logged_once_when_lost_and_once_when_found(
        self, shared: RedisCache, patient: Redis, monotonic: Monotonic
    ) -> None:
        with capture_logs() as log:
            patient.kill()
            for _ in range(10):
                await shared.get("order:1")
                monotonic.at += 1.1
            patient.start()
            for _ in range(10):
                await shared.get("order:1")

        assert [(entry["log_level"], entry["event"]) for entry in log] == [("warning", "redis_lost"), ("info", "redis_found")]

    async def test_is_a_miss_where_there_never_was_one(self) -> None:
        cache = RedisCache("unix:///nowhere/redis.sock")

        await cache.set("a", "1")

        assert await cache.get("a") is None
        assert await cache.delete("a") is False
        await cache.aclose()

    async def test_is_not_taken_for_lost_while_others_are_answered(self, shared: RedisCache, patient: Redis) -> None:
        """In a crowd some callers wait too long; were that held against Redis, nobody would be served at all."""
        patient.command("CLIENT", "PAUSE", "60000", "WRITE")

        with capture_logs() as log:
            crowd = (shared.set("order:1", "two") for _ in range(TOLERATED))
            assert (await asyncio.gather(shared.get("order:1"), *crowd))[0] == "one"
            assert await shared.get("order:1") == "one"

        assert log == []

    async def test_a_single_failure_does_not_open_the_breaker(self, shared: RedisCache, patient: Redis) -> None:
        patient.pause()
        await shared.get("order:1")
        patient.resume()

        assert await shared.get("order:1") == "one"


class TestRedisThatRefuses:
    async def test_out_of_memory_loses_writes_and_goes_on_reading(self, shared: RedisCache, patient: Redis) -> None:
        patient.command("CONFIG", "SET", "maxmemory", "1")

        with capture_logs() as log:
            for number in range(10):
                await shared.set("order:2", str(number))
                assert await shared.get("order:1") == "one"
            patient.command("CONFIG", "SET", "maxmemory", "0")
            await shared.set("order:2", "two")

        assert await shared.get("order:2") == "two"
        assert [(entry["event"], entry["command"]) for entry in log] == [("redis_refuses", "SET"), ("redis_accepts", "SET")]

    async def test_a_read_only_replica_is_a_miss_to_writers(self, shared: RedisCache, patient: Redis) -> None:
        patient.command("REPLICAOF", "127.0.0.1", "1")
        patient.command("CONFIG", "SET", "replica-serve-stale-data", "yes")

        await shared.set("order:2", "two")

        assert await shared.delete("order:1") is False
        assert await shared.get("order:1") == "one"

    async def test_another_kind_of_value_is_a_miss(self, shared: RedisCache, patient: Redis) -> None:
        patient.command("LPUSH", "ordermill:list", "a")

        assert await shared.get("list") is None

    async def test_bytes_that_are_no_text_are_a_miss(self, shared: RedisCache, patient: Redis) -> None:
        patient.command("SETBIT", "ordermill:bits", "0", "1")

        assert await shared.get("bits") is None

    async def test_the_cache_stays_under_its_prefix(self, shared: RedisCache, patient: Redis) -> None:
        other = RedisCache(patient.url, prefix="shop:")

        await other.set("order:1", "theirs")

        assert [await shared.get("order:1"), await other.get("order:1")] == ["one", "theirs"]
        assert patient.command("EXISTS", "ordermill:order:1", "shop:order:1") == b":2"
        await other.aclose()

    async def test_a_deadline_in_the_url_is_not_obeyed(self, patient: Redis) -> None:
        cache = RedisCache(f"{patient.url}?socket_timeout=30&socket_connect_timeout=30")
        patient.pause()

        assert (await timed(cache.get("order:1")))[1] < PROMISED_S
        await cache.aclose()

    async def test_many_callers_share_few_connections(self, shared: RedisCache, patient: Redis) -> None:
        await asyncio.gather(*(shared.get("order:1") for _ in range(200)))

        count = "return tonumber(string.match(redis.call('INFO', 'clients'), 'connected_clients:(%d+)'))"
        assert int(patient.command("EVAL", count, "0").removeprefix(b":")) <= MAX_CONNECTIONS + 1
