"""
Many awaitable things at once, never more than a given number, and none left behind.

    gather_with_concurrency(limit, *coros)               ready-made coroutines, results in order
    map_concurrently(function, items, limit=)            one call an item, results in order
    map_as_completed(function, items, limit=)            the same, results as they come
    iterate_pages(open_client, fetch_page)               page after page through one client

Whatever happens (a member fails, the caller is cancelled, the consumer has seen enough), the other
members are cancelled and awaited before control comes back. One failure raises as itself; only when
several fail at once is there an `ExceptionGroup` of them.
"""

import asyncio
import weakref
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from ordermill.kit.errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")
Client = TypeVar("Client")

# 1,000 pages of 100 is more than a pull between two checkpoints has any business fetching.
MAX_PAGES: Final = 1_000


def gather_with_concurrency(limit: int, *coros: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, list[T]]:
    """
    Await all coroutines, at most `limit` at a time, and return their results in the order given.

    Coroutines that never got their turn are closed, so Python does not report them as never awaited.

    Raises:
        ValueError: `limit` is below 1.
    """
    if limit < 1:
        _close(coros)
        _refuse(limit)
    gathering = map_concurrently(_itself, coros, limit=limit)
    # Not in a `finally` within: a task that is cancelled before its first step never enters its coroutine.
    weakref.finalize(gathering, _close, coros).atexit = False
    return gathering


async def map_concurrently(
    function: Callable[[T], Awaitable[R]], items: Iterable[T] | AsyncIterable[T], *, limit: int
) -> list[R]:
    """
    Call `function` on every item, at most `limit` calls at a time, and return the results in the order of the items.

    An item is taken only when there is room to work on it. An asynchronous generator is closed at the end.

    Raises:
        ValueError: `limit` is below 1.
    """

    async def numbered(member: tuple[int, T]) -> tuple[int, R]:
        place, item = member
        return place, await function(item)

    async with map_as_completed(numbered, _numbered(items), limit=limit) as finished:
        results = {place: result async for place, result in finished}
    return [results[place] for place in range(len(results))]


@asynccontextmanager
async def map_as_completed(
    function: Callable[[T], Awaitable[R]], items: Iterable[T] | AsyncIterable[T], *, limit: int
) -> AsyncGenerator[AsyncIterator[R], None]:
    """
    Call `function` on every item and hand out the results as they come.

        async with map_as_completed(fetch, addresses, limit=8) as answers:
            async for answer in answers: ...

    At most `limit` items are being worked on or waiting to be taken, so a slow consumer slows the
    work down instead of filling memory. Leaving the block, early or by an exception, cancels and awaits
    what still runs. A failing member interrupts the block like a sibling in a `TaskGroup`; iterate in
    the task that opened it. An asynchronous generator given as `items` is closed at the end.

    Raises:
        ValueError: `limit` is below 1.
    """
    if limit < 1:
        _refuse(limit)
    try:
        async with asyncio.TaskGroup() as group:
            work = _Work(function, group=group, limit=limit)
            work.start(items)
            yield work
            work.cancel()
    except BaseExceptionGroup as failures:
        failure = failures.exceptions[0] if len(failures.exceptions) == 1 else failures
    else:
        return
    context = failure.__context__
    try:
        raise failure
    finally:
        # The raise wrote over it: the group, or the cancellation that woke the block, is no part of the member's story.
        failure.__context__ = context
        del failure, context  # the failure holds this frame through its traceback


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One answer of a paged source; `next_cursor` asks for the following one and is None on the last."""

    items: Sequence[T]
    next_cursor: str | None


async def iterate_pages(
    open_client: Callable[[], AbstractAsyncContextManager[Client]],
    fetch_page: Callable[[Client, str | None], Awaitable[Page[T]]],
    *,
    start: str | None = None,
    max_pages: int = MAX_PAGES,
) -> AsyncGenerator[Page[T], None]:
    """
    Fetch page after page through one client, opened before the first and closed behind the last.

    Pages are fetched when asked for. A consumer that may stop early closes the iterator, which closes the client:

        async with aclosing(iterate_pages(open_client, fetch_page)) as pages:
            async for page in pages: ...

    Args:
        open_client: called once; its context is the life of the client.
        fetch_page: called with the client and a cursor, None for the first page.
        start: the cursor to resume from.
        max_pages: how many pages may be fetched.

    Raises:
        Unavailable: `page_cycle`, when a cursor comes back; `too_many_pages`, when there are more than `max_pages`.
    """
    cursor, seen = start, {start}
    async with open_client() as client:
        for _ in range(max_pages):
            page = await fetch_page(client, cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            if cursor in seen:
                raise Unavailable(
                    f"The source sent the page cursor {cursor!r} twice; its pages go in a circle.", code="page_cycle"
                )
            seen.add(cursor)
    raise Unavailable(f"The source has more than {max_pages} pages; it may never end.", code="too_many_pages")


class _Work(Generic[T, R]):
    """The tasks of one map: a feeder that starts a member whenever there is room, and the members."""

    def __init__(self, function: Callable[[T], Awaitable[R]], *, group: asyncio.TaskGroup, limit: int) -> None:
        self._function = function
        self._group = group
        self._room = asyncio.Semaphore(limit)
        self._finished: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._feeder: asyncio.Task[None] | None = None
        self._fed = False
        self._untaken = 0

    def start(self, items: Iterable[T] | AsyncIterable[T]) -> None:
        self._feeder = self._spawn(self._feed(items))

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def __aiter__(self) -> AsyncIterator[R]:
        return self

    async def __anext__(self) -> R:
        while self._untaken or not self._fed:
            task = await self._finished.get()
            if task is self._feeder:
                task.result()  # items that ended by being cancelled have not come to their end
                self._fed = True
                continue
            self._untaken -= 1
            self._room.release()
            result: R = task.result()
            return result
        raise StopAsyncIteration

    async def _feed(self, items: Iterable[T] | AsyncIterable[T]) -> None:
        await self._room.acquire()
        async with _each(items) as source:
            async for item in source:
                self._spawn(self._call(item))
                self._untaken += 1
                await self._room.acquire()

    async def _call(self, item: T) -> R:
        return await self._function(item)

    def _spawn(self, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._group.create_task(coro)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        # Also one that was cancelled on its own account: no failure to a group, but the consumer must not wait for it.
        self._tasks.discard(task)
        self._finished.put_nowait(task)


async def _itself(coro: Coroutine[Any, Any, T]) -> T:
    return await coro


@asynccontextmanager
async def _each(items: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[AsyncIterator[T], None]:
    source = aiter(items) if isinstance(items, AsyncIterable) else _awaited(items)
    try:
        yield source
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


async def _awaited(items: Iterable[T]) -> AsyncGenerator[T, None]:
    for item in items:
        yield item


async def _numbered(items: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[tuple[int, T], None]:
    place = 0
    async with _each(items) as source:
        async for item in source:
            yield place, item
            place += 1


def _close(coros: Iterable[Coroutine[Any, Any, Any]]) -> None:
    for coro in coros:
        coro.close()


def _refuse(limit: int) -> None:
    raise ValueError(f"At least one must be allowed to run at a time, not {limit}.")
