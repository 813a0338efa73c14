"""What accounts ask of storage."""

from typing import Protocol

from ordermill.accounts.model import User
from ordermill.kit.events import EventLedger
from ordermill.kit.ports import Repository, UnitOfWork


class UserRepository(Repository[User, int], Protocol):
    """Accounts; `email_key` is unique, and the database is the judge: `Taken("users_email_key")` at `commit`."""

    async def by_email(self, email: str) -> User | None:
        """Find an account by its address, however it is spelt."""
        ...


class AccountsUnit(UnitOfWork, Protocol):
    """An open unit in which accounts can be read and changed."""

    @property
    def users(self) -> UserRepository: ...

    @property
    def events(self) -> EventLedger: ...
