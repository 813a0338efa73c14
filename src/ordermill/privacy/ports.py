"""What privacy asks of storage."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from ordermill.accounts.model import User
from ordermill.kit.events import Event
from ordermill.privacy.model import Erased, Erasure, Purchase, SignIn, Use


class PersonStore(Protocol):
    """All that is kept of one person. Each method but `purchases` is one transaction or one look."""

    async def user(self, id: int) -> User | None: ...

    async def by_email(self, email: str) -> User | None:
        """Find an account by its address, however it is spelt."""
        ...

    def purchases(self, user_id: int, *, placed_by_customer: bool) -> AsyncIterator[Purchase]:
        """
        Go through a person's orders in the order of their ids, in flat memory.

        Args:
            placed_by_customer: only those that the person placed when signed in.
        """
        ...

    async def sessions(self, user_id: int) -> Sequence[SignIn]:
        """Return a person's sessions, oldest first."""
        ...

    async def discount_uses(self, user_id: int, *, placed_by_customer: bool) -> Sequence[Use]:
        """Return what discounts a person used, oldest first; `placed_by_customer` as for `purchases`."""
        ...

    async def events(self, user_id: int) -> Sequence[Event]:
        """Return what happened to an account, first things first; what happened to its orders goes with these."""
        ...

    async def erase(self, erasure: Erasure) -> Erased:
        """
        Forget a person in one transaction, and remember the keyed hash of the address so that no import brings them back.

        Imports and undos of the same book are before or after it as a whole, and never see half of it.

        Raises:
            UserNotFound: there is no such account, or it was erased before.
            LastStaff: nobody else may use the back office.
        """
        ...
