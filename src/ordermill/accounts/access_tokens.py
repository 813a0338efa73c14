"""
The access tokens of an order book's users: `tokens` under the book's own keys, with what they say of a user.

A token that was read is remembered until its end, since checking a signature takes a tenth of a request.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ordermill.accounts import tokens
from ordermill.accounts.keyring import KeyRing
from ordermill.accounts.model import User
from ordermill.accounts.tokens import Unauthenticated

# About a kilobyte each.
_REMEMBERED: Final = 4096
_USER_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Said:
    """
    What a token says: whose it is, and whether they were staff; who was is looked up, who was not is not.

    From `until` on, its end or that of a key, it must be read again.
    """

    user_id: int
    staff: bool
    until: datetime


class AccessTokens:
    """Written and read under the keys that are derived for them."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring
        self._read: OrderedDict[str, Said] = OrderedDict()

    def issue(self, user: User, *, now: datetime) -> str:
        """Return a token that says who a user is, for 15 minutes."""
        claims = {"sub": str(user.id), "staff": user.is_staff}
        return tokens.issue(claims, tokens.LASTS, self._keyring.derive("access")[0], now=now)

    def read(self, token: str, *, now: datetime) -> Said:
        """
        Return what a token says.

        Raises:
            Unauthenticated: it is not one of ours, not of a user, or not valid any more.
        """
        known = self._read.get(token)
        if known is not None and now < known.until:
            return known
        said = self._fresh(token, now=now)
        self._read[token] = said
        if len(self._read) > _REMEMBERED:
            # The first one in is the first one to end.
            self._read.popitem(last=False)
        return said

    def _fresh(self, token: str, *, now: datetime) -> Said:
        keys = self._keyring.derive("access")
        claims = tokens.read(token, keys, now=now)
        subject, staff = claims["sub"], claims.get("staff")
        if not _USER_ID.fullmatch(subject) or not isinstance(staff, bool):
            raise Unauthenticated
        ends = [key.until for key in keys if key.until is not None]
        return Said(int(subject), staff, min([datetime.fromtimestamp(claims["exp"], tz=UTC), *ends]))
