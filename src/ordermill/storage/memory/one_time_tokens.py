"""Links that work once, in memory."""

from collections.abc import Collection
from datetime import datetime

from ordermill.accounts.one_time import LinkInvalid, OneTimeToken, Purpose
from ordermill.storage import entities
from ordermill.storage.gathering import Store, Told
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.checks import check_user_of


class MemoryOneTimeTokens:
    """`accounts.ports.OneTimeTokens`."""

    def __init__(self, store: Store[Book], told: Told[Book]) -> None:
        self._store = store
        self._told = told

    async def find(self, hash: str, *, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        row = await self._store.read(lambda book: book.one_time_tokens.rows.get(hash))
        if row is None or row["purpose"] != purpose.value or row["expires_at"] <= now:
            return None
        return entities.one_time_token(row)

    async def add(self, token: OneTimeToken) -> None:
        def write(book: Book) -> None:
            kept = book.one_time_tokens
            for hash in [hash for hash, row in kept.rows.items() if row["expires_at"] <= token.created_at]:
                kept.remove(hash)
            row = entities.one_time_token_row(token)
            check_user_of("one_time_tokens", row, book.users.rows)
            kept.insert(token.hash, row)

        self._told.change(write)

    async def spend(self, token: OneTimeToken) -> None:
        def write(book: Book) -> None:
            if token.hash not in _take(book, (token.purpose,), user_id=token.user_id):
                raise LinkInvalid

        self._told.change(write)

    async def withdraw(self, *purposes: Purpose, user_id: int | None) -> None:
        def write(book: Book) -> None:
            _take(book, purposes, user_id=user_id)

        self._told.change(write)


def _take(book: Book, purposes: Collection[Purpose], *, user_id: int | None) -> list[str]:
    """Remove all tokens of one user for these purposes; return their hashes."""
    kept = book.one_time_tokens
    theirs = [hash for hash, row in kept.rows.items() if row["user_id"] == user_id and row["purpose"] in purposes]
    for hash in theirs:
        kept.remove(hash)
    return theirs
