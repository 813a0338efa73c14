"""Counts of attempts in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

from ordermill.accounts.throttle_rules import Tally
from ordermill.accounts.throttles import Changes
from ordermill.storage.gathering import Store
from ordermill.storage.memory.book import Book

T = TypeVar("T")


class MemoryThrottles:
    """`accounts.throttles.ThrottleStore`."""

    def __init__(self, store: Store[Book]) -> None:
        self._store = store

    async def change(self, keys: Sequence[str], decide: Callable[[Mapping[str, Tally]], tuple[Changes, T]]) -> T:
        def work(book: Book) -> T:
            kept = book.sign_in_throttles
            changes, answer = decide({key: _tally(book, key) for key in keys if key in kept.rows})
            for key, tally in changes.items():
                if key in kept.rows:
                    kept.remove(key)
                if tally is not None:
                    kept.insert(key, {"key": key, **asdict(tally)})
            return answer

        return await self._store.write(work)

    async def sweep(self, *, now: datetime) -> None:
        def work(book: Book) -> None:
            for key in [key for key in book.sign_in_throttles.rows if _tally(book, key).until <= now]:
                book.sign_in_throttles.remove(key)

        await self._store.write(work)


def _tally(book: Book, key: str) -> Tally:
    row = book.sign_in_throttles.rows[key]
    return Tally(row["failures"], row["since"], row["until"])
