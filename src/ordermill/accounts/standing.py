"""
Whether an account is open and whether it is staff's: the steps that change it, in an open unit, without the commit.

What is so already is left as it is, without an event.
"""

from dataclasses import replace
from datetime import datetime

from ordermill.accounts.changes import sign_out, tell
from ordermill.accounts.model import User
from ordermill.accounts.one_time import Purpose
from ordermill.accounts.ports import AccountsUnit
from ordermill.accounts.principal import actor_of
from ordermill.kit.errors import Conflict


class OwnAccount(Conflict):
    """Somebody would close or erase their own account as if it were another's."""

    default_code = "own_account"

    def __init__(self) -> None:
        super().__init__(
            "This is your own account: another member of staff can deactivate it, and you erase it by DELETE /users/me."
        )


class LastStaff(Conflict):
    """Nobody would be left who may use the back office."""

    default_code = "last_staff"

    def __init__(self) -> None:
        super().__init__(
            "This is the last active staff user; make another one first, so that the back office stays open to somebody."
        )


class Unclaimed(Conflict):
    """An account that came with an order, and that nobody has claimed."""

    default_code = "user_unclaimed"

    def __init__(self) -> None:
        super().__init__("Nobody has claimed this account yet; create it with a password instead.")


async def set_active_in(unit: AccountsUnit, user: User, *, active: bool, at: datetime, actor: str) -> User:
    """
    Close an account, or open it again; who is closed out is signed out everywhere, and the API keys they made are revoked.

    Raises:
        OwnAccount: the actor is this user.
        LastStaff: at `commit`: nobody else may use the back office.
    """
    if actor == actor_of(user.id) and not active:
        raise OwnAccount
    if user.is_active == active:
        return user
    if not active:
        await _leave_staff(unit, user)
    changed = await unit.users.update(replace(user, is_active=active))
    if not active:
        await sign_out(unit, changed, at=at)
        await unit.api_keys.revoke_made_by(actor_of(user.id), at=at)
    await tell(unit, "user.activated" if active else "user.deactivated", changed, at=at, actor=actor)
    return changed


async def set_staff_in(unit: AccountsUnit, user: User, *, staff: bool, at: datetime, actor: str) -> User:
    """
    Let somebody into the back office, or not any more; they are signed out everywhere.

    With the office go the API keys they made: else whoever leaves could keep a way in.

    Raises:
        Unclaimed: nobody can sign in with it: whoever registers its address would be staff.
        LastStaff: at `commit`: nobody else may use the back office.
    """
    if staff and not user.claimed:
        raise Unclaimed
    if user.is_staff == staff:
        return user
    if not staff:
        await _leave_staff(unit, user)
    changed = await unit.users.update(replace(user, is_staff=staff))
    await sign_out(unit, changed, at=at)
    if not staff:
        await unit.api_keys.revoke_made_by(actor_of(user.id), at=at)
    if staff:
        await unit.one_time_tokens.withdraw(Purpose.FIRST_STAFF, user_id=None)
    await tell(unit, "user.role_changed", changed, at=at, actor=actor, staff=staff)
    return changed


async def _leave_staff(unit: AccountsUnit, user: User) -> None:
    assert user.id is not None  # noqa: S101  # for the type checker: it was read from the book
    if user.is_staff and user.is_active:
        await unit.users.leave_staff(user.id)
