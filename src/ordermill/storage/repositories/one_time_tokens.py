"""Links that work once, in SQL: the DELETE that finds one is the one use it has."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Delete, delete, insert, select

from ordermill.accounts.one_time import LinkInvalid, OneTimeToken, Purpose
from ordermill.storage import entities
from ordermill.storage.gathering import Store, Told
from ordermill.storage.tables import OneTimeTokenRow


class SqlOneTimeTokens:
    """`accounts.ports.OneTimeTokens`."""

    def __init__(self, store: Store[Connection], told: Told[Connection]) -> None:
        self._store = store
        self._told = told

    async def find(self, hash: str, *, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        query = select(*OneTimeTokenRow.__table__.c).where(
            OneTimeTokenRow.hash == hash, OneTimeTokenRow.purpose == purpose.value, OneTimeTokenRow.expires_at > now
        )
        row = await self._store.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else entities.one_time_token(row)

    async def add(self, token: OneTimeToken) -> None:
        # Whoever adds one sweeps: no other job has to look after what nobody followed.
        sweep = delete(OneTimeTokenRow).where(OneTimeTokenRow.expires_at <= token.created_at)
        kept = insert(OneTimeTokenRow).values(**entities.one_time_token_row(token))

        def write(connection: Connection) -> None:
            connection.execute(sweep)
            connection.execute(kept)

        self._told.change(write)

    async def spend(self, token: OneTimeToken) -> None:
        used = _all_of((token.purpose,), user_id=token.user_id).returning(OneTimeTokenRow.hash)

        def write(connection: Connection) -> None:
            if token.hash not in connection.execute(used).scalars().all():
                raise LinkInvalid

        self._told.change(write)

    async def withdraw(self, *purposes: Purpose, user_id: int | None) -> None:
        statement = _all_of(purposes, user_id=user_id)

        def write(connection: Connection) -> None:
            connection.execute(statement)

        self._told.change(write)


def _all_of(purposes: Sequence[Purpose], *, user_id: int | None) -> Delete:
    theirs: ColumnElement[bool] = OneTimeTokenRow.user_id.is_(None) if user_id is None else OneTimeTokenRow.user_id == user_id
    return delete(OneTimeTokenRow).where(OneTimeTokenRow.purpose.in_([purpose.value for purpose in purposes]), theirs)
