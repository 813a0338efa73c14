"""Sessions in memory."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from ordermill.accounts.sessions import KEPT, REVOKED_FOR, SWEPT, Session
from ordermill.kit.errors import StaleVersion
from ordermill.storage import entities
from ordermill.storage.entities import Row
from ordermill.storage.gathering import Store, Told
from ordermill.storage.memory.book import Book


class MemorySessions:
    """`accounts.sessions.Sessions`."""

    def __init__(self, store: Store[Book], told: Told[Book]) -> None:
        self._store = store
        self._told = told

    async def get(self, id: UUID, /) -> Session | None:
        row = await self._store.read(lambda book: book.sessions.rows.get(id))
        return None if row is None else entities.session(row)

    async def add(self, session: Session, *, password_hash: str) -> None:
        def write(book: Book) -> None:
            account = book.users.rows.get(session.user_id)
            if account is None or not account["is_active"] or account["password"] != password_hash:
                raise StaleVersion(f"The user {session.user_id}")
            theirs = [id for id, row in book.sessions.rows.items() if row["user_id"] == session.user_id]
            over = [id for id in theirs if not entities.session(book.sessions.rows[id]).lives(session.created_at)]
            surplus = sorted(set(theirs).difference(over), reverse=True)[KEPT - 1 :]
            for id in (*over, *surplus):
                book.sessions.remove(id)
            book.sessions.insert(session.id, entities.session_row(session))

        self._told.change(write)

    async def rotate(self, id: UUID, *, current: str, successor: str, at: datetime, expires_at: datetime) -> None:
        def write(book: Book) -> None:
            row = book.sessions.rows.get(id)
            if row is None or row["current_hash"] != current or row["revoked_at"] is not None:
                raise StaleVersion("The session")
            _change(book, id, current_hash=successor, previous_hash=current, refreshed_at=at, expires_at=expires_at)

        self._told.change(write)

    async def revoke(self, id: UUID, *, at: datetime) -> None:
        self._told.change(lambda book: _revoke(book, lambda row: row["id"] == id, at=at))

    async def revoke_all(self, user_id: int, *, at: datetime) -> None:
        self._told.change(lambda book: _revoke(book, lambda row: row["user_id"] == user_id, at=at))

    async def sweep(self, *, now: datetime) -> None:
        def write(book: Book) -> None:
            def over(row: Row) -> bool:
                revoked = row["revoked_at"]
                return row["expires_at"] <= now or (revoked is not None and revoked <= now - REVOKED_FOR)

            for id in [id for id, row in sorted(book.sessions.rows.items()) if over(row)][:SWEPT]:
                book.sessions.remove(id)

        self._told.change(write)


def _revoke(book: Book, concerns: Callable[[Row], bool], *, at: datetime) -> None:
    for id, row in list(book.sessions.rows.items()):
        if concerns(row) and row["revoked_at"] is None:
            _change(book, id, revoked_at=at)


def _change(book: Book, id: UUID, **values: Any) -> None:
    book.sessions.replace(id, {**book.sessions.rows[id], **values})
