"""Accounts in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, collate, func, select

from ordermill.accounts.model import User
from ordermill.accounts.ports import UserFilter
from ordermill.accounts.standing import LastStaff
from ordermill.kit.text import ascii_lower, email_key
from ordermill.storage import entities
from ordermill.storage.repositories.entity import SqlRepository
from ordermill.storage.tables import UserRow


class SqlUsers(SqlRepository[User, int]):
    """`accounts.ports.UserRepository`."""

    row = UserRow
    noun = "user"

    async def by_email(self, email: str) -> User | None:
        query = select(UserRow).where(UserRow.email_key == email_key(email))
        found = await self._store.read(lambda connection: self.load(connection, query))
        return self.told(found[0]) if found else None

    async def search(self, wanted: UserFilter, *, limit: int, after: int | None = None) -> Sequence[User]:
        def look(connection: Connection) -> list[User]:
            query = _filtered(wanted, connection.dialect.name).order_by(UserRow.id).limit(limit)
            return self.load(connection, query if after is None else query.where(UserRow.id > after))

        found = await self._store.read(look)
        return [user for user in map(self.told, found) if user is not None]

    async def leave_staff(self, id: int) -> None:
        self._told.change(lambda connection: leave_staff(connection, id))

    def to_row(self, entity: User) -> dict[str, Any]:
        return entities.user_row(entity)

    def load(self, connection: Connection, query: Select[Any]) -> list[User]:
        rows = connection.execute(query.with_only_columns(*UserRow.__table__.c))
        return [entities.user(row) for row in rows.mappings()]


def leave_staff(connection: Connection, user_id: int) -> None:
    """
    Lock all who are staff, in one order: whoever is being deactivated at this moment counts no more.

    Raises:
        LastStaff: there is nobody but this user.
    """
    query = select(UserRow.id).where(UserRow.is_staff.is_(True), UserRow.is_active.is_(True)).order_by(UserRow.id)
    staff = connection.execute(query.with_for_update()).scalars().all()
    if staff == [user_id]:
        raise LastStaff


def _filtered(wanted: UserFilter, dialect: str) -> Select[Any]:
    query = select(UserRow).where(UserRow.erased_at.is_(None))
    if wanted.email is not None:
        query = query.where(UserRow.email_key.startswith(email_key(wanted.email), autoescape=True))
    if wanted.name is not None:
        # What SQLite's lower() does is what PostgreSQL's does in the collation "C": to ASCII letters alone.
        name = UserRow.name if dialect == "sqlite" else collate(UserRow.name, "C")
        query = query.where(func.lower(name).contains(ascii_lower(wanted.name), autoescape=True))
    plain = {"is_staff": wanted.is_staff, "is_active": wanted.is_active}
    query = query.filter_by(**{name: value for name, value in plain.items() if value is not None})
    if wanted.claimed is not None:
        query = query.where(UserRow.password.is_not(None) if wanted.claimed else UserRow.password.is_(None))
    return query
