"""Sessions in SQL: each change is one statement that carries its guard."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, or_, select, update

from ordermill.accounts.sessions import KEPT, REVOKED_FOR, SWEPT, Session
from ordermill.kit.errors import StaleVersion
from ordermill.storage import entities
from ordermill.storage.gathering import Store, Told
from ordermill.storage.tables import SessionRow, UserRow


class SqlSessions:
    """`accounts.sessions.Sessions`."""

    def __init__(self, store: Store[Connection], told: Told[Connection]) -> None:
        self._store = store
        self._told = told

    async def get(self, id: UUID, /) -> Session | None:
        query = select(*SessionRow.__table__.c).where(SessionRow.id == id)
        row = await self._store.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else entities.session(row)

    async def add(self, session: Session, *, password_hash: str) -> None:
        theirs = SessionRow.user_id == session.user_id
        over = or_(SessionRow.expires_at <= session.created_at, SessionRow.revoked_at.is_not(None))
        # Ids are in the order of time.
        surplus = select(SessionRow.id).where(theirs).order_by(SessionRow.id.desc()).offset(KEPT - 1)

        def write(connection: Connection) -> None:
            account = _locked(connection, session.user_id)
            if account is None or not account["is_active"] or account["password"] != password_hash:
                raise StaleVersion(f"The user {session.user_id}")
            connection.execute(delete(SessionRow).where(theirs, over))
            connection.execute(delete(SessionRow).where(SessionRow.id.in_(surplus)))
            connection.execute(insert(SessionRow).values(**entities.session_row(session)))

        self._told.change(write)

    async def rotate(self, id: UUID, *, current: str, successor: str, at: datetime, expires_at: datetime) -> None:
        statement = (
            update(SessionRow)
            .where(SessionRow.id == id, SessionRow.current_hash == current, SessionRow.revoked_at.is_(None))
            .values(current_hash=successor, previous_hash=current, refreshed_at=at, expires_at=expires_at)
        )

        def write(connection: Connection) -> None:
            if connection.execute(statement).rowcount == 0:
                raise StaleVersion("The session")

        self._told.change(write)

    async def revoke(self, id: UUID, *, at: datetime) -> None:
        statement = update(SessionRow).where(SessionRow.id == id, SessionRow.revoked_at.is_(None)).values(revoked_at=at)
        self._told.change(lambda connection: _run(connection, statement))

    async def revoke_all(self, user_id: int, *, at: datetime) -> None:
        statement = update(SessionRow).where(SessionRow.user_id == user_id, SessionRow.revoked_at.is_(None))

        def write(connection: Connection) -> None:
            # Whoever is signing in at this moment has this lock too: their session is either there by now, or refused.
            _locked(connection, user_id)
            connection.execute(statement.values(revoked_at=at))

        self._told.change(write)

    async def sweep(self, *, now: datetime) -> None:
        over = or_(SessionRow.expires_at <= now, SessionRow.revoked_at <= now - REVOKED_FOR)
        some = select(SessionRow.id).where(over).order_by(SessionRow.id).limit(SWEPT)
        # Asked again, for a session may have been refreshed meanwhile.
        statement = delete(SessionRow).where(SessionRow.id.in_(some), over)
        self._told.change(lambda connection: _run(connection, statement))


def _run(connection: Connection, statement: Any) -> None:
    connection.execute(statement)


def _locked(connection: Connection, user_id: int) -> Any:
    # NO KEY: orders that refer to the account meanwhile need not wait. SQLite has one writer anyway.
    query = select(UserRow.is_active, UserRow.password).where(UserRow.id == user_id)
    return connection.execute(query.with_for_update(key_share=True)).mappings().first()
