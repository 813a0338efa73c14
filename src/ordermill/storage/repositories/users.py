"""Accounts in SQL."""

from typing import Any

from sqlalchemy import Connection, Select, select

from ordermill.accounts.model import User
from ordermill.kit.text import email_key
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

    def to_row(self, entity: User) -> dict[str, Any]:
        return entities.user_row(entity)

    def load(self, connection: Connection, query: Select[Any]) -> list[User]:
        rows = connection.execute(query.with_only_columns(*UserRow.__table__.c))
        return [entities.user(row) for row in rows.mappings()]
