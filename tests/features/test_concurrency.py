"""Bounded concurrency: order, bound, failure, cancellation, and nothing left behind."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from ordermill.kit.concurrency import gather_with_concurrency, map_as_completed, map_concurrently

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """No test may leave a task running or a coroutine that was never awaited."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        left = [task for task in asyncio.all_tasks() if "TestRunner" not in repr(task)]  # that one is anyio's own
        gc.collect()
    assert left == []
    assert [str(warning.message) for warning in caught] == []


class Crew:
    """Work that counts who is at it, who was sent home and who came to the end."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.finished: list[int] = []
        self.cancelled: list[int] = []
        self.at_work = 0
        self.most = 0

    async def work(self, number: int) -> int:
        self.started.append(number)
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            await asyncio.sleep(0.001 * (number % 3))
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        finally:
            self.at_work -= 1
        self.finished.append(number)
        return number * 10

    async def linger(self, number: int) -> int:
        """Work that ends only by cancellation, and takes its time about it."""
        self.started.append(number)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.001)
            self.cancelled.append(number)
        return number


async def fail() -> int:
    await asyncio.sleep(0)
    raise LookupError("the second")


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 -- what is waited for is the number of steps, which no event tells
        await asyncio.sleep(0)


class TestGather:
    async def test_keeps_the_order_given(self) -> None:
        crew = Crew()

        results = await gather_with_concurrency(3, *(crew.work(number) for number in range(8)))

        assert results == [0, 10, 20, 30, 40, 50, 60, 70]
        assert crew.finished != sorted(crew.finished)

    async def test_lets_no_more_than_the_limit_run(self) -> None:
        crew = Crew()

        await gather_with_concurrency(3, *(crew.work(number) for number in range(20)))

        assert crew.most == 3

    async def test_of_nothing_is_nothing(self) -> None:
        assert await gather_with_concurrency(1) == []

    async def test_raises_the_failure_itself(self) -> None:
        crew = Crew()

        with pytest.raises(LookupError, match="the second"):
            await gather_with_concurrency(2, crew.linger(1), fail())

    async def test_cancels_and_awaits_the_siblings_of_a_failure(self) -> None:
        crew = Crew()

        with pytest.raises(LookupError):
            await gather_with_concurrency(3, crew.linger(1), fail(), crew.linger(3), crew.linger(4))

        assert sorted(crew.cancelled) == [1, 3]
        assert crew.started == [1, 3]

    async def test_closes_what_never_started(self) -> None:
        coros = [fail(), *(Crew().work(number) for number in range(5))]

        with pytest.raises(LookupError):
            await gather_with_concurrency(1, *coros)

        with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
            await coros[5]

    async def test_groups_several_failures(self) -> None:
        async def fail_when_cancelled() -> int:
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError("the first")

        with pytest.raises(ExceptionGroup) as refused:
            await gather_with_concurrency(2, fail_when_cancelled(), fail())

        assert [str(error) for error in refused.value.exceptions] == ["the second", "the first"]

    async def test_keeps_the_cause_and_context_of_a_failure(self) -> None:
        async def translate() -> int:
            try:
                return await fail()
            except LookupError as error:
                raise ValueError("translated") from error

        with pytest.raises(ValueError, match="translated") as refused:
            await gather_with_concurrency(1, translate())

        assert isinstance(refused.value.__cause__, LookupError)
        assert refused.value.__context__ is refused.value.__cause__

    async def test_hands_a_group_raised_by_one_member_on_as_it_is(self) -> None:
        group = ExceptionGroup("mine", [LookupError("inside")])

        async def fail_with_a_group() -> int:
            raise group

        with pytest.raises(ExceptionGroup) as refused:
            await gather_with_concurrency(1, fail_with_a_group())

        assert refused.value is group

    async def test_cancelled_from_outside_cancels_and_awaits_all(self) -> None:
        crew = Crew()
        gathering = asyncio.create_task(gather_with_concurrency(2, *(crew.linger(number) for number in range(5))))
        await until(lambda: crew.started == [0, 1])

        gathering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gathering

        assert sorted(crew.cancelled) == [0, 1]
        assert crew.started == [0, 1]

    async def test_cancelled_before_its_first_step_closes_all(self) -> None:
        """asyncio.wait_for with no time left does this."""
        crew = Crew()
        gathering = asyncio.create_task(gather_with_concurrency(2, crew.work(1), crew.work(2)))

        gathering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gathering

        assert crew.started == []

    async def test_a_member_that_was_cancelled_elsewhere_cancels_all(self) -> None:
        """asyncio.gather does the same; swallowing it would leave a result missing."""
        crew = Crew()
        elsewhere: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def wait_elsewhere() -> int:
            return await elsewhere

        elsewhere.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gather_with_concurrency(2, crew.linger(1), wait_elsewhere())

        assert sorted(crew.cancelled) == [1]

    @pytest.mark.parametrize("limit", [0, -1])
    async def test_refuses_a_limit_below_one(self, limit: int) -> None:
        crew = Crew()

        with pytest.raises(ValueError, match=f"not {limit}"):
            await gather_with_concurrency(limit, crew.work(1))

        assert crew.started == []


class TestMapConcurrently:
    async def test_keeps_the_order_of_the_items(self) -> None:
        crew = Crew()

        assert await map_concurrently(crew.work, range(7), limit=3) == [0, 10, 20, 30, 40, 50, 60]
        assert crew.most == 3

    async def test_takes_an_item_only_when_there_is_room(self) -> None:
        taken: list[int] = []
        gate = asyncio.Event()

        def items() -> Iterator[int]:
            for number in range(10):
                taken.append(number)
                yield number

        async def wait(number: int) -> int:
            await gate.wait()
            return number

        mapping = asyncio.create_task(map_concurrently(wait, items(), limit=3))
        for _ in range(50):
            await asyncio.sleep(0)

        assert taken == [0, 1, 2]
        gate.set()
        assert await mapping == list(range(10))

    async def test_takes_items_that_are_awaited(self) -> None:
        async def items() -> AsyncIterator[int]:
            for number in (3, 1, 2):
                await asyncio.sleep(0)
                yield number

        assert await map_concurrently(Crew().work, items(), limit=2) == [30, 10, 20]

    async def test_takes_an_iterator_that_cannot_be_closed(self) -> None:
        class Countdown:
            def __init__(self) -> None:
                self.left = 3

            def __aiter__(self) -> AsyncIterator[int]:
                return self

            async def __anext__(self) -> int:
                if self.left == 0:
                    raise StopAsyncIteration
                self.left -= 1
                return self.left

        assert await map_concurrently(Crew().work, Countdown(), limit=2) == [20, 10, 0]

    async def test_calls_no_function_after_a_failure(self) -> None:
        called: list[int] = []

        async def refuse(number: int) -> int:
            called.append(number)
            raise LookupError(number)

        with pytest.raises(LookupError):
            await map_concurrently(refuse, range(5), limit=1)

        assert called == [0]

    async def test_a_failing_source_cancels_the_members_and_raises_itself(self) -> None:
        crew = Crew()

        async def items() -> AsyncIterator[int]:
            yield 1
            await until(lambda: crew.started == [1])
            raise OSError("the file ends here")

        with pytest.raises(OSError, match="the file ends here"):
            await map_concurrently(crew.linger, items(), limit=2)

        assert sorted(crew.cancelled) == [1]

    async def test_a_source_that_was_cancelled_is_not_taken_for_one_that_ended(self) -> None:
        async def items() -> AsyncIterator[int]:
            yield 1
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await map_concurrently(Crew().work, items(), limit=2)

    async def test_closes_an_asynchronous_generator_after_a_failure(self) -> None:
        closed: list[bool] = []

        async def items() -> AsyncIterator[int]:
            try:
                while True:
                    yield 1
            finally:
                await asyncio.sleep(0)
                closed.append(True)

        async def refuse(_: int) -> int:
            return await fail()

        with pytest.raises(LookupError):
            await map_concurrently(refuse, items(), limit=1)

        assert closed == [True]

    async def test_refuses_a_limit_below_one(self) -> None:
        with pytest.raises(ValueError, match="not 0"):
            await map_concurrently(Crew().work, [1], limit=0)


class TestMapAsCompleted:
    async def test_hands_results_out_as_they_come(self) -> None:
        gates = {number: asyncio.Event() for number in range(3)}

        async def wait(number: int) -> int:
            await gates[number].wait()
            return number

        came: list[int] = []
        gates[2].set()
        async with map_as_completed(wait, range(3), limit=3) as results:
            async for number in results:
                came.append(number)
                gates[(number + 1) % 3].set()

        assert came == [2, 0, 1]

    async def test_leaves_nothing_running_when_the_consumer_has_seen_enough(self) -> None:
        crew = Crew()

        async def work(number: int) -> int:
            return number if number == 0 else await crew.linger(number)

        async with map_as_completed(work, range(9), limit=3) as results:
            async for number in results:
                assert number == 0
                await until(lambda: crew.started == [1, 2, 3])
                break

        assert sorted(crew.cancelled) == [1, 2, 3]
        assert crew.started == [1, 2, 3]

    async def test_leaves_nothing_running_when_the_consumer_fails(self) -> None:
        crew = Crew()

        with pytest.raises(ZeroDivisionError):  # noqa: PT012 -- the block is what is tested
            async with map_as_completed(crew.linger, range(9), limit=2):
                await until(lambda: crew.started == [0, 1])
                raise ZeroDivisionError

        assert sorted(crew.cancelled) == [0, 1]

    async def test_a_slow_consumer_slows_the_work_down(self) -> None:
        crew = Crew()

        async with map_as_completed(crew.work, range(9), limit=2) as results:
            await asyncio.sleep(0.02)
            assert crew.finished == [0, 1]
            assert sorted([result async for result in results]) == [0, 10, 20, 30, 40, 50, 60, 70, 80]

    async def test_a_failure_interrupts_the_block_and_raises_itself(self) -> None:
        crew = Crew()

        async def work(number: int) -> int:
            return await (fail() if number == 1 else crew.linger(number))

        with pytest.raises(LookupError, match="the second"):  # noqa: PT012 -- the block is what is tested
            async with map_as_completed(work, range(4), limit=2) as results:
                async for _ in results:
                    pytest.fail("There is no result to be had.")

        assert sorted(crew.cancelled) == [0]

    async def test_stays_at_its_end(self) -> None:
        async with map_as_completed(Crew().work, [1], limit=1) as results:
            assert [result async for result in results] == [10]
            assert [result async for result in results] == []
