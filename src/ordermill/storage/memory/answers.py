"""Answers to requests that carried a key, in memory: added and read, never changed."""

from collections.abc import Callable
from datetime import datetime

from ordermill.orders.idempotency import Answer, Once
from ordermill.storage.gathering import Store, Told
from ordermill.storage.memory.book import Book


class MemoryAnswers:
    """`orders.idempotency.Answers`."""

    def __init__(self, store: Store[Book], told: Told[Book]) -> None:
        self._store = store
        self._told = told

    async def find(self, once: Once) -> Answer | None:
        return await self._store.read(lambda book: kept(book, once))

    async def keep(self, once: Once, body: Callable[[], str], *, at: datetime) -> None:
        self._told.change(lambda book: keep(book, once, body(), at=at))


def kept(book: Book, once: Once) -> Answer | None:
    """
    Return what was answered to this request before.

    Raises:
        KeyReused: the key stands for another request.
    """
    row = book.idempotency_keys.rows.get((once.principal, once.route, once.key))
    return None if row is None else once.recall(row["fingerprint"], row["answer"])


def keep(book: Book, once: Once, body: str, *, at: datetime) -> None:
    key = (once.principal, once.route, once.key)
    row = {"principal": once.principal, "route": once.route, "key": once.key, "fingerprint": once.fingerprint}
    book.idempotency_keys.insert(key, {**row, "answer": body, "created_at": at})
