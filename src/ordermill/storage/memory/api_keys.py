"""API keys in memory."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ordermill.accounts.api_keys import ApiKey, ApiKeyNotFound
from ordermill.storage import entities
from ordermill.storage.gathering import Store, Told
from ordermill.storage.memory.book import Book


class MemoryApiKeys:
    """`accounts.api_keys.ApiKeyRepository`."""

    def __init__(self, store: Store[Book], told: Told[Book]) -> None:
        self._store = store
        self._told = told

    async def get_all(self, *, limit: int = 100, after: UUID | None = None) -> Sequence[ApiKey]:
        def look(book: Book) -> list[ApiKey]:
            rows = [row for _, row in sorted(book.api_keys.rows.items()) if row["revoked_at"] is None]
            return [entities.api_key(row) for row in rows if after is None or row["id"] > after][:limit]

        return await self._store.read(look)

    async def by_secret(self, hash: str) -> ApiKey | None:
        def look(book: Book) -> ApiKey | None:
            id = book.api_keys.owner("api_keys_secret_hash", hash)
            if id is None or book.api_keys.rows[id]["revoked_at"] is not None:
                return None
            return entities.api_key(book.api_keys.rows[id])

        return await self._store.read(look)

    async def add(self, key: ApiKey) -> None:
        self._told.change(lambda book: book.api_keys.insert(key.id, entities.api_key_row(key)))

    async def revoke(self, id: UUID, *, at: datetime) -> None:
        def write(book: Book) -> None:
            row = book.api_keys.rows.get(id)
            if row is None or row["revoked_at"] is not None:
                raise ApiKeyNotFound
            book.api_keys.replace(id, {**row, "revoked_at": at})

        self._told.change(write)

    async def revoke_made_by(self, actor: str, *, at: datetime) -> None:
        self._told.change(lambda book: revoke_made_by(book, actor, at=at))


def revoke_made_by(book: Book, actor: str, *, at: datetime) -> None:
    for id, row in list(book.api_keys.rows.items()):
        if row["created_by"] == actor and row["revoked_at"] is None:
            book.api_keys.replace(id, {**row, "revoked_at": at})
