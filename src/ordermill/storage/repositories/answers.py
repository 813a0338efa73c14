"""Answers to requests that carried a key, in SQL: added and read, never changed."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, insert, select

from ordermill.orders.idempotency import Answer, Once
from ordermill.storage.gathering import Store, Told
from ordermill.storage.tables import IdempotencyRow


class SqlAnswers:
    """`orders.idempotency.Answers`."""

    def __init__(self, store: Store[Connection], told: Told[Connection]) -> None:
        self._store = store
        self._told = told

    async def find(self, once: Once) -> Answer | None:
        query = select(IdempotencyRow.fingerprint, IdempotencyRow.answer).where(
            IdempotencyRow.principal == once.principal, IdempotencyRow.route == once.route, IdempotencyRow.key == once.key
        )
        found = await self._store.read(lambda connection: connection.execute(query).first())
        return None if found is None else once.recall(found.fingerprint, found.answer)

    async def keep(self, once: Once, body: Callable[[], str], *, at: datetime) -> None:
        def write(connection: Connection) -> None:
            row = {"principal": once.principal, "route": once.route, "key": once.key, "fingerprint": once.fingerprint}
            connection.execute(insert(IdempotencyRow).values(**row, answer=body(), created_at=at))

        self._told.change(write)
