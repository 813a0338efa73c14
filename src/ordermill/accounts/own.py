"""
What people see and change of their own account. Leaving it for good is privacy's business.

The e-mail address cannot be changed: it is what orders of all channels are found by. Who has a new one makes a new account.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ordermill.accounts.changes import ATTEMPTS, sign_out, tell
from ordermill.accounts.drafts import OwnChange
from ordermill.accounts.hashing import Hashing
from ordermill.accounts.judge import Judge
from ordermill.accounts.links import Links
from ordermill.accounts.model import User
from ordermill.accounts.ports import AccountsUnit
from ordermill.accounts.principal import actor_of
from ordermill.accounts.throttles import Throttles
from ordermill.accounts.tokens import Unauthenticated
from ordermill.kit.attempts import retried
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Invalid, StaleVersion

_CURRENT: Final = "/current_password"


class OwnAccounts:
    """
    Each person's own account.

    Args:
        units: opens a unit of work.
    """

    def __init__(  # noqa: PLR0913  # the parts that it is put together of
        self,
        units: Callable[[], AccountsUnit],
        *,
        clock: Clock,
        judge: Judge,
        hashing: Hashing,
        links: Links,
        throttles: Throttles,
    ) -> None:
        self._units = units
        self._clock = clock
        self._judge = judge
        self._hashing = hashing
        self._links = links
        self._throttles = throttles

    async def get(self, id: int) -> User:
        """
        Return the account of somebody who has signed in.

        Raises:
            Unauthenticated: it was closed or erased since.
        """
        async with self._units() as unit:
            return await _open_account(unit, id)

    async def change(self, id: int, draft: OwnChange, *, address: str | None, version: int | None = None) -> User:
        """
        Change name and password, all or nothing. Another password signs out everywhere.

        Args:
            address: where the request comes from; None where nobody knows.
            version: the one that the change is based on; None for any.

        Raises:
            Unauthenticated: the account was closed or erased since.
            TooManyAttempts: current passwords were guessed at.
            CurrentPasswordWrong: the current password is missing or another one.
            Invalid: the new password is not good enough.
            StaleVersion: the account has another version.
        """
        user = await self.get(id)
        hashed = None if draft.password is None else await self._rehashed(user, draft, address)
        changed = await retried(lambda: self._change(user, draft, hashed, version), attempts=ATTEMPTS)
        if hashed is not None:
            self._links.tell_password_changed(changed)
        return changed

    async def _rehashed(self, user: User, draft: OwnChange, address: str | None) -> str:
        assert draft.password is not None  # noqa: S101  # for the type checker: it is asked for nothing else
        if draft.current_password is None:
            raise CurrentPasswordWrong
        # Whoever found an open browser must not guess on where sign-in would stop them.
        attempt = await self._throttles.begin(email=user.email, address=address)
        if not await self._hashing.verify(draft.current_password.get_secret_value(), user.password_hash):
            raise CurrentPasswordWrong
        await self._throttles.succeeded(attempt)
        return await self._judge.hashed(draft.password.get_secret_value(), own=(user.email, draft.name or user.name))

    async def _change(self, seen: User, draft: OwnChange, hashed: str | None, version: int | None) -> User:
        now, id = self._clock.now(), seen.id
        assert id is not None  # noqa: S101  # for the type checker: it was read from the book
        async with self._units() as unit:
            user = await _open_account(unit, id)
            if version not in {None, user.version}:
                raise StaleVersion("Your account")
            if hashed is not None and user.password_hash != seen.password_hash:
                raise CurrentPasswordWrong  # changed meanwhile: what was compared is the current one no more
            changed = replace(user, name=draft.name or user.name, password_hash=hashed or user.password_hash)
            if changed == user:
                return user
            await unit.users.update(changed)
            if changed.name != user.name:
                await tell(unit, "user.renamed", changed, at=now, actor=actor_of(id))
            if hashed is not None:
                await sign_out(unit, changed, at=now)
                await tell(unit, "user.password_changed", changed, at=now, actor=actor_of(id))
            await unit.commit()
        return changed


class CurrentPasswordWrong(Invalid):
    """Who wants another password must know the one there is."""

    default_code = "current_password_wrong"

    def __init__(self) -> None:
        sentence = "Send your current password with the new one."
        super().__init__(sentence, details={"errors": [{"pointer": _CURRENT, "detail": sentence, "code": self.default_code}]})


async def _open_account(unit: AccountsUnit, id: int) -> User:
    user = await unit.users.get(id)
    if user is None or not user.is_active or user.erased_at is not None:
        raise Unauthenticated
    return user
