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
from ordermill.kit.errors import Conflict


class OwnAccount(Conflict):
    """Somebody would close themselves out."""

    default_code = "own_account"

    def __init__(self) -> None:
        super().__init__("You cannot deactivate your own account; another member of staff can.")


class Unclaimed(Conflict):
    """An account that came with an order, and that nobody has claimed."""

    default_code = "user_unclaimed"

    def __init__(self) -> None:
        super().__init__("Nobody has claimed this account yet; create it with a password instead.")


async def set_active_in(unit: AccountsUnit, user: User, *, active: bool, at: datetime, actor: str) -> User:
    """
    Close an account, or open it again; who is closed out is signed out everywhere.

    Raises:
        OwnAccount: the actor is this user.
    """
    if actor == f"user:{user.id}" and not active:
        raise OwnAccount
    if user.is_active == active:
        return user
    changed = await unit.users.update(replace(user, is_active=active))
    if not active:
        await sign_out(unit, changed, at=at)
    await tell(unit, "user.activated" if active else "user.deactivated", changed, at=at, actor=actor)
    return changed


async def set_staff_in(unit: AccountsUnit, user: User, *, staff: bool, at: datetime, actor: str) -> User:
    """
    Let somebody into the back office, or not any more; they are signed out everywhere.

    Raises:
        Unclaimed: nobody can sign in with it: whoever registers its address would be staff.
    """
    if staff and not user.claimed:
        raise Unclaimed
    if user.is_staff == staff:
        return user
    changed = await unit.users.update(replace(user, is_staff=staff))
    await sign_out(unit, changed, at=at)
    if staff:
        await unit.one_time_tokens.withdraw(Purpose.FIRST_STAFF, user_id=None)
    await tell(unit, "user.role_changed", changed, at=at, actor=actor, staff=staff)
    return changed
