"""Accounts in memory."""

from collections.abc import Sequence

from ordermill.accounts.model import User
from ordermill.accounts.ports import UserFilter
from ordermill.accounts.standing import LastStaff
from ordermill.kit.errors import NotFound, StaleVersion
from ordermill.kit.text import ascii_lower, email_key
from ordermill.storage import entities
from ordermill.storage.entities import Row
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

    async def search(self, wanted: UserFilter, *, limit: int, after: int | None = None) -> Sequence[User]:
        def look(book: Book) -> list[User]:
            rows = (book.users.rows[id] for id in sorted(book.users.rows) if after is None or id > after)
            return [entities.user(row) for row in rows if _is_wanted(row, wanted)][:limit]

        found = await self._store.read(look)
        return [user for user in map(self.told, found) if user is not None]

    async def leave_staff(self, id: int) -> None:
        self._told.change(lambda book: leave_staff(book, id))

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


def leave_staff(book: Book, user_id: int) -> None:
    """
    Raises:
        LastStaff: nobody but this user is active staff.
    """
    if [id for id, row in book.users.rows.items() if row["is_staff"] and row["is_active"]] == [user_id]:
        raise LastStaff


def _is_wanted(row: Row, wanted: UserFilter) -> bool:
    facts = (
        (wanted.email is None or row["email_key"].startswith(email_key(wanted.email))),
        (wanted.name is None or ascii_lower(wanted.name) in ascii_lower(row["name"])),
        wanted.is_staff in {None, row["is_staff"]},
        wanted.is_active in {None, row["is_active"]},
        wanted.claimed in {None, row["password"] is not None},
    )
    return row["erased_at"] is None and all(facts)
