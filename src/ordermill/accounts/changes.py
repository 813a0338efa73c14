"""What every change of an account has in common: its event, and the end of its sign-ins."""

from datetime import datetime
from typing import Any, Final

from ordermill.accounts.model import User
from ordermill.accounts.one_time import Purpose
from ordermill.accounts.ports import AccountsUnit
from ordermill.accounts.sessions import end_sessions_in
from ordermill.kit.errors import NotFound
from ordermill.kit.events import Event
from ordermill.kit.ids import new_id

# An account changes seldom; who loses as often as this meets a fault and not a neighbour.
ATTEMPTS: Final = 4


class UserNotFound(NotFound):
    """There is no such account."""

    default_code = "user_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such user.")


async def existing(unit: AccountsUnit, id: int) -> User:
    """
    Return an account that somebody means by its id.

    Raises:
        UserNotFound: there is none, or it was erased.
    """
    user = await unit.users.get(id)
    if user is None or user.erased_at is not None:
        raise UserNotFound
    return user


async def tell(unit: AccountsUnit, type: str, user: User, *, at: datetime, actor: str, **facts: Any) -> None:
    """Write what happened to an account into the ledger; nothing personal may be among the facts."""
    await unit.events.append(Event(id=new_id(at), type=type, at=at, actor=actor, data=facts), user=user)


async def sign_out(unit: AccountsUnit, user: User, *, at: datetime) -> None:
    """End an account's sign-ins, and its links that would let somebody in."""
    assert user.id is not None  # noqa: S101  # for the type checker: it was read from the book
    await end_sessions_in(unit, user.id, at=at)
    await unit.one_time_tokens.withdraw(Purpose.RESET_PASSWORD, user_id=user.id)
