"""What accounts ask of storage, and of whatever carries mails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ordermill.accounts.api_keys import ApiKeyRepository
from ordermill.accounts.mails import Mail
from ordermill.accounts.model import User
from ordermill.accounts.one_time import OneTimeToken, Purpose
from ordermill.accounts.sessions import Sessions
from ordermill.kit.events import EventLedger
from ordermill.kit.ports import Repository, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """Which accounts are wanted; what is None does not matter. Erased ones never are."""

    email: str | None = None  # the beginning of the address, without regard to case
    name: str | None = None  # a part of the name, without regard to the case of ASCII letters
    is_staff: bool | None = None
    is_active: bool | None = None
    claimed: bool | None = None


class UserRepository(Repository[User, int], Protocol):
    """Accounts; `email_key` is unique, and the database is the judge: `Taken("users_email_key")` at `commit`."""

    async def by_email(self, email: str) -> User | None:
        """Find an account by its address, however it is spelt."""
        ...

    async def search(self, wanted: UserFilter, *, limit: int, after: int | None = None) -> Sequence[User]:
        """Return accounts in the order of their ids, those behind `after` when given."""
        ...

    async def leave_staff(self, id: int) -> None:
        """
        Make sure that somebody else may use the back office, before the change that takes it from this user.

        Raises:
            LastStaff: at `commit`: nobody else may, whatever others change at the same moment.
        """
        ...


class OneTimeTokens(Protocol):
    """Links that were sent and not used yet; only hashes of them are kept."""

    async def find(self, hash: str, *, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """Return a token that still may be used for this; None tells not why."""
        ...

    async def add(self, token: OneTimeToken) -> None:
        """Keep a token, and forget those that are past their end."""
        ...

    async def spend(self, token: OneTimeToken) -> None:
        """
        Use a token up, and with it all others of its user for the same purpose.

        Raises:
            LinkInvalid: at `commit`, when somebody else has used it.
        """
        ...

    async def withdraw(self, *purposes: Purpose, user_id: int | None) -> None:
        """Forget a user's tokens for these purposes; of None, those that make the first staff user."""
        ...


class AccountsUnit(UnitOfWork, Protocol):
    """An open unit in which accounts can be read and changed."""

    @property
    def users(self) -> UserRepository: ...

    @property
    def one_time_tokens(self) -> OneTimeTokens: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def api_keys(self) -> ApiKeyRepository: ...

    @property
    def events(self) -> EventLedger: ...


class Mailer(Protocol):
    """Carries mails to people."""

    async def send(self, mail: Mail) -> None:
        """
        Hand a mail on; when this returns, somebody else has taken it.

        Raises:
            Unavailable: `mail_failed`; nobody took it, and another attempt is not worth it now.
        """
        ...
