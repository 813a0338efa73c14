"""Accounts in memory."""

from collections.abc import Sequence

from ordermill.accounts.model import User
from ordermill.kit.errors import NotFound, StaleVersion
from ordermill.kit.text import email_key
from ordermill.storage import entities
from ordermill.storage.gathering import Gathering
from ordermill.storage.memory.book import Book


class MemoryUsers(Gathering[User, int, Book]):
    """`accounts.ports.UserRepository`."""

    noun = "user"

    async def by_email(self, email: str) -> User | None:
        def find(book: Book) -> User | None:
            id = book.users.owner("users_email_key", email_key(email))
            return None if id is None else self.find(book, id)

        found = await self._store.read(find)
        return None if found is None else self.told(found)

    def find(self, book: Book, id: int, /) -> User | None:
        row = book.users.rows.get(id)
        return None if row is None else entities.user(row)

    def page(self, book: Book, /, *, limit: int, after: int | None) -> Sequence[User]:
        ids = sorted(id for id in book.users.rows if after is None or id > after)[:limit]
        return [entities.user(book.users.rows[id]) for id in ids]

    def insert(self, book: Book, entity: User, id: int | None, /) -> int:
        new = book.new_user_id() if id is None else id
        book.last_user = max(book.last_user, new)
        book.users.insert(new, {"id": new, **entities.user_row(entity)})
        return new

    def replace(self, book: Book, entity: User, expected: int, /) -> None:
        stored = book.users.rows.get(entity.id or 0)
        if stored is None:
            raise NotFound(f"There is no user {entity.id!s}.")
        if stored["version"] != expected:
            raise StaleVersion(f"The user {entity.id!s}")
        book.users.replace(stored["id"], {**stored, **entities.user_row(entity), "version": expected + 1})

    def remove(self, book: Book, id: int, /) -> None:
        if id in book.users.rows:
            book.users.remove(id)
            book.removed_users.add(id)
