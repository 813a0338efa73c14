"""API keys in SQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from ordermill.accounts.api_keys import ApiKey, ApiKeyNotFound
from ordermill.storage import entities
from ordermill.storage.gathering import Store, Told
from ordermill.storage.tables import ApiKeyRow


class SqlApiKeys:
    """`accounts.api_keys.ApiKeyRepository`."""

    def __init__(self, store: Store[Connection], told: Told[Connection]) -> None:
        self._store = store
        self._told = told

    async def get_all(self, *, limit: int = 100, after: UUID | None = None) -> Sequence[ApiKey]:
        query = _WORKING.order_by(ApiKeyRow.id).limit(limit)
        if after is not None:
            query = query.where(ApiKeyRow.id > after)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return [entities.api_key(row) for row in rows]

    async def by_secret(self, hash: str) -> ApiKey | None:
        query = _WORKING.where(ApiKeyRow.secret_hash == hash)
        row = await self._store.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else entities.api_key(row)

    async def add(self, key: ApiKey) -> None:
        def write(connection: Connection) -> None:
            connection.execute(insert(ApiKeyRow).values(**entities.api_key_row(key)))

        self._told.change(write)

    async def revoke(self, id: UUID, *, at: datetime) -> None:
        statement = update(ApiKeyRow).where(ApiKeyRow.id == id, ApiKeyRow.revoked_at.is_(None)).values(revoked_at=at)

        def write(connection: Connection) -> None:
            if connection.execute(statement).rowcount == 0:
                raise ApiKeyNotFound

        self._told.change(write)

    async def revoke_made_by(self, actor: str, *, at: datetime) -> None:
        self._told.change(lambda connection: revoke_made_by(connection, actor, at=at))


def revoke_made_by(connection: Connection, actor: str, *, at: datetime) -> None:
    """Revoke what works of an actor's keys, in the transaction that is open."""
    theirs = update(ApiKeyRow).where(ApiKeyRow.created_by == actor, ApiKeyRow.revoked_at.is_(None))
    connection.execute(theirs.values(revoked_at=at))


_WORKING = select(*ApiKeyRow.__table__.c).where(ApiKeyRow.revoked_at.is_(None))
