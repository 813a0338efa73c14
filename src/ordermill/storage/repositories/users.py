"""Accounts in SQL."""

from typing import Any

from sqlalchemy import Connection, Select, select

from ordermill.accounts.model import User
from ordermill.kit.text import email_key
from ordermill.storage.repositories.entity import SqlRepository
from ordermill.storage.tables import UserRow


class SqlUsers(SqlRepository[User, int]):
    """`accounts.ports.UserRepository`."""

    row = UserRow
    noun = "user"

    async def by_email(self, email: str) -> User | None:
        key = email_key(email)
        query = select(UserRow).where(UserRow.email_key == key)
        found = await self._database.read(lambda connection: self.load(connection, query))
        return self._told.get(found[0].id or 0, found[0]) if found else None

    def to_row(self, entity: User) -> dict[str, Any]:
        return {
            "email": entity.email,
            "email_key": entity.email_key,
            "name": entity.name,
            "password": entity.password_hash,
            "is_active": entity.is_active,
            "is_staff": entity.is_staff,
            "email_verified_at": entity.email_verified_at,
            "created_at": entity.created_at,
            "erased_at": entity.erased_at,
            "version": entity.version,
        }

    def load(self, connection: Connection, query: Select[Any]) -> list[User]:
        table = UserRow.__table__
        return [_user(row) for row in connection.execute(query.with_only_columns(*table.c)).mappings()]


def _user(row: Any) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        created_at=row["created_at"],
        password_hash=row["password"],
        is_active=row["is_active"],
        is_staff=row["is_staff"],
        email_verified_at=row["email_verified_at"],
        erased_at=row["erased_at"],
        version=row["version"],
    )
