"""The first staff user, made in the browser by whoever reads the server's terminal. Later ones are made by command."""

from collections.abc import Callable

from ordermill.accounts.one_time import LinkInvalid, OneTimeToken, Purpose, digest, issue
from ordermill.accounts.ports import AccountsUnit, UserFilter
from ordermill.kit.clock import Clock


class FirstStaff:
    """
    The link that makes the first staff user.

    Args:
        base_url: where the world reaches this server; the page that the link leads to lies there.
    """

    def __init__(self, units: Callable[[], AccountsUnit], *, clock: Clock, base_url: str) -> None:
        self._units = units
        self._clock = clock
        self._base_url = base_url

    async def link(self) -> str | None:
        """Return a link that works once, within an hour; None when there is a staff user already."""
        now = self._clock.now()
        async with self._units() as unit:
            if await _is_there(unit):
                return None
            secret, token = issue(Purpose.FIRST_STAFF, user_id=None, at=now)
            await unit.one_time_tokens.add(token)
            await unit.commit()
        return f"{self._base_url}/setup#{secret}"

    async def token(self, secret: str) -> OneTimeToken:
        """
        Return what is kept of a link that still works.

        Raises:
            LinkInvalid: it was used, is too old or never was, or there is a staff user by now.
        """
        async with self._units() as unit:
            found = await unit.one_time_tokens.find(digest(secret), purpose=Purpose.FIRST_STAFF, now=self._clock.now())
            if found is None or await _is_there(unit):
                raise LinkInvalid
        return found


async def _is_there(unit: AccountsUnit) -> bool:
    return bool(await unit.users.search(UserFilter(is_staff=True, is_active=True, claimed=True), limit=1))
