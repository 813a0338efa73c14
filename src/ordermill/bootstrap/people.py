"""Accounts: who somebody is, how they prove it, and what becomes of their data."""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ordermill.bootstrap.parts import Parts
from ordermill.config import Settings
from ordermill.kit.clock import LocalClock, SharedClock, SystemClock
from ordermill.kit.errors import Unavailable

if TYPE_CHECKING:
    from ordermill.accounts.access import Access
    from ordermill.accounts.api_keys import ApiKeys
    from ordermill.accounts.hashing import Hashing
    from ordermill.accounts.judge import Judge
    from ordermill.accounts.keyring import KeyRing
    from ordermill.accounts.links import Links
    from ordermill.accounts.own import OwnAccounts
    from ordermill.accounts.post import Post
    from ordermill.accounts.service import Accounts
    from ordermill.accounts.throttles import Throttles
    from ordermill.privacy.service import Privacy


# Where `ordermill serve` listens when nothing else is said.
DEFAULT_URL: Final = "http://127.0.0.1:8000"


class People(Parts):
    """The services around accounts."""

    @cached_property
    def keyring(self) -> "KeyRing":
        """
        What tokens and cursors are signed with; commands that sign nothing never ask for it.

        Raises:
            Unavailable: `secret_key_missing`, `secret_key_unavailable`.
        """
        from ordermill.accounts.keyring import KeyRing

        return KeyRing(_secret_key(self.settings), clock=self.clock)

    @cached_property
    def access(self) -> "Access":
        from ordermill.accounts.access import Access

        return Access(
            self._unit,
            keyring=self.keyring,
            hashing=self.hashing,
            throttles=self.throttles,
            clock=self.shared_clock,
            session=timedelta(days=self.settings.session_days),
        )

    @cached_property
    def throttles(self) -> "Throttles":
        from ordermill.accounts.throttles import Throttles
        from ordermill.storage.throttles import SqlThrottles

        return Throttles(SqlThrottles(self._database), keyring=self.keyring, clock=self.shared_clock)

    @cached_property
    def api_keys(self) -> "ApiKeys":
        from ordermill.accounts.api_keys import ApiKeys

        return ApiKeys(self._unit, clock=self.clock)

    @cached_property
    def shared_clock(self) -> SharedClock:
        """The time of tokens, sessions and throttles: a server database's own; a clock that was handed in is believed."""
        if self._database.embedded or not isinstance(self.clock, SystemClock):
            return LocalClock(self.clock)
        from ordermill.storage.clock import DatabaseClock

        return DatabaseClock(self._database, clock=self.clock)

    @cached_property
    def accounts(self) -> "Accounts":
        from ordermill.accounts.first_staff import FirstStaff
        from ordermill.accounts.service import Accounts

        return Accounts(
            self._unit,
            clock=self.clock,
            judge=self._judge,
            links=self.links,
            first_staff=FirstStaff(self._unit, clock=self.clock, base_url=self.base_url),
            post=self.post,
        )

    @cached_property
    def own_accounts(self) -> "OwnAccounts":
        from ordermill.accounts.own import OwnAccounts

        return OwnAccounts(
            self._unit,
            clock=self.clock,
            judge=self._judge,
            hashing=self.hashing,
            links=self.links,
            throttles=self.throttles,
        )

    @cached_property
    def privacy(self) -> "Privacy":
        from ordermill.privacy.service import Privacy
        from ordermill.storage.persons import SqlPersons

        return Privacy(SqlPersons(self._database), clock=self.clock, hashing=self.hashing, throttles=lambda: self.throttles)

    @cached_property
    def links(self) -> "Links":
        from ordermill.accounts.links import Links

        return Links(self._unit, clock=self.clock, judge=self._judge, post=self.post, base_url=self.base_url)

    @cached_property
    def post(self) -> "Post":
        from ordermill.accounts.post import Post
        from ordermill.connectors.mail import LogMailer, SmtpMailer

        url = self.settings.smtp_url
        if url is None:
            https = self.base_url.lower().startswith("https:")
            return Post(LogMailer(development=self.settings.database.embedded and not https))
        return Post(SmtpMailer(url=url.get_secret_value(), sender=self.settings.mail_from, clock=self.clock))

    @cached_property
    def hashing(self) -> "Hashing":
        """One for the whole process, so that its bound holds."""
        from ordermill.accounts.hashing import Hashing

        return Hashing()

    @property
    def base_url(self) -> str:
        """Where links in mails lead; never read off a request, whose sender could have them lead anywhere."""
        return self.settings.public_url or DEFAULT_URL

    @cached_property
    def _judge(self) -> "Judge":
        from ordermill.accounts.judge import Judge
        from ordermill.schema.passwords import common_passwords

        return Judge(minimum=self.settings.password_minimum, common=common_passwords, hashing=self.hashing)


def _secret_key(settings: Settings) -> str:
    """Return what `ORDERMILL_SECRET_KEY` says; the embedded book has a secret of its own where it says nothing."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    if not settings.database.embedded:
        raise Unavailable(
            "A PostgreSQL order book needs ORDERMILL_SECRET_KEY, the same in every process; `openssl rand -hex 32` prints one.",
            code="secret_key_missing",
        )
    from ordermill.accounts.keyfile import kept_secret

    return kept_secret(Path(f"{settings.database.path}.key"))
