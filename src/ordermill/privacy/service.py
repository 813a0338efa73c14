"""Privacy: a person's data handed out as one document, and forgotten on request."""

from collections.abc import AsyncIterator, Callable
from typing import Final

from ordermill.accounts.changes import UserNotFound
from ordermill.accounts.hashing import Hashing
from ordermill.accounts.model import User
from ordermill.accounts.principal import actor_of
from ordermill.accounts.standing import OwnAccount
from ordermill.accounts.throttles import Throttles
from ordermill.accounts.tokens import Unauthenticated
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Invalid
from ordermill.kit.ids import new_id
from ordermill.kit.text import defect
from ordermill.privacy.document import pieces
from ordermill.privacy.model import Erased, Erasure
from ordermill.privacy.ports import PersonStore

_PASSWORD: Final = "/current_password"  # noqa: S105  # the name of a field


class Privacy:
    """
    What the book knows of people.

    Args:
        throttles: returns what counts wrong passwords as those of sign-ins are: who has somebody's token is not to guess here.
            It is asked for only then, since it needs the secret key, without which commands must do.
    """

    def __init__(self, store: PersonStore, *, clock: Clock, hashing: Hashing, throttles: Callable[[], Throttles]) -> None:
        self._store = store
        self._clock = clock
        self._hashing = hashing
        self._throttles = throttles

    async def by_email(self, email: str) -> User:
        """
        Find a person by the address, however it is spelt.

        Raises:
            UserNotFound: there is no such account; an erased one has its address no more.
        """
        if defect(email) is not None:  # what no database holds, none can be asked for
            raise UserNotFound
        user = await self._store.by_email(email)
        if user is None or user.erased_at is not None:
            raise UserNotFound
        return user

    async def export(self, user_id: int) -> AsyncIterator[str]:
        """
        Return everything the book knows of a person as the text of one JSON document, in pieces.

        What is asked first is asked before this returns; what comes later is read as the pieces are taken.

        Raises:
            UserNotFound: there is no such account, or it was erased.
        """
        user = await self._store.user(user_id)
        if user is None or user.erased_at is not None:
            raise UserNotFound
        return await self._document(user, user_id, placed_by_customer=False)

    async def export_own(self, user_id: int) -> AsyncIterator[str]:
        """
        Return what the book knows of somebody who has signed in, in pieces.

        Until the address is verified these are only the orders that were placed by this very account: whoever registers an
        address that is somebody else's sees nothing that this other person ordered.

        Raises:
            Unauthenticated: the account was closed or erased since.
        """
        user = await self._own(user_id)
        return await self._document(user, user_id, placed_by_customer=user.email_verified_at is None)

    async def erase(self, user_id: int, *, actor: str) -> Erased:
        """
        Forget a person for good: `docs/privacy.md` says what goes and what stays.

        Raises:
            OwnAccount: who asks is this very person, and has to show the password: `erase_own`.
            UserNotFound: there is no such account, or it was erased before.
            LastStaff: nobody else may use the back office.
        """
        if actor == actor_of(user_id):
            raise OwnAccount
        return await self._erase(user_id, actor=actor)

    async def erase_own(self, user_id: int, password: str, *, address: str | None) -> Erased:
        """
        Forget somebody who has signed in, and shows by the password that it is not just somebody at the same screen.

        Args:
            address: the IP address it comes from, for the throttles; None where nobody knows.

        Raises:
            Unauthenticated: the account was closed or erased since.
            TooManyAttempts: passwords were wrong too often of late; this one was not looked at.
            Invalid: `current_password_wrong`.
            LastStaff: nobody else may use the back office.
        """
        user = await self._own(user_id)
        throttles = self._throttles()
        attempt = await throttles.begin(email=user.email, address=address)
        if not await self._hashing.verify(password, user.password_hash):
            raise Invalid.field(_PASSWORD, "This is not your current password.", code="current_password_wrong")
        await throttles.succeeded(attempt)
        return await self._erase(user_id, actor=actor_of(user_id))

    async def _erase(self, user_id: int, *, actor: str) -> Erased:
        now = self._clock.now()
        return await self._store.erase(Erasure.of(user_id, event_id=new_id(now), at=now, actor=actor))

    async def _own(self, user_id: int) -> User:
        user = await self._store.user(user_id)
        if user is None or not user.is_active or user.erased_at is not None:
            raise Unauthenticated
        return user

    async def _document(self, user: User, user_id: int, *, placed_by_customer: bool) -> AsyncIterator[str]:
        return pieces(
            user,
            self._store.purchases(user_id, placed_by_customer=placed_by_customer),
            at=self._clock.now(),
            sessions=await self._store.sessions(user_id),
            discount_uses=await self._store.discount_uses(user_id, placed_by_customer=placed_by_customer),
            events=await self._store.events(user_id),
        )
