"""
What a person does with a link that was mailed: prove that an address is theirs, choose a new password, claim an account.

Whoever asks for a link learns nothing: known and unknown addresses are answered alike and in the same time, for the
looking up is done behind the answer. Not here: registering and own changes (service), throttling (the door and `access`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ordermill.accounts import mails
from ordermill.accounts.changes import ATTEMPTS, sign_out, tell
from ordermill.accounts.judge import Judge
from ordermill.accounts.model import User
from ordermill.accounts.one_time import LinkInvalid, OneTimeToken, Purpose, digest, issue
from ordermill.accounts.ports import AccountsUnit
from ordermill.accounts.post import Post, after_commit
from ordermill.kit.attempts import retried
from ordermill.kit.clock import Clock

# Whoever follows a link has not signed in.
ACTOR = "link"


class Links:
    """
    Links in mails.

    Args:
        units: opens a unit of work.
        base_url: where the world reaches this server; the pages that links lead to lie there.
    """

    def __init__(
        self,
        units: Callable[[], AccountsUnit],
        *,
        clock: Clock,
        judge: Judge,
        post: Post,
        base_url: str,
    ) -> None:
        self._units = units
        self._clock = clock
        self._judge = judge
        self._post = post
        self._base_url = base_url

    def send_verification(self, email: str) -> None:
        """
        Mail a link that verifies an address, if somebody signs in with it and it is not verified yet; comes back at once.

        Raises:
            Unavailable: `mail_busy`.
        """

        async def errand() -> None:
            issued = await self._issued(Purpose.VERIFY_EMAIL, email, to=_awaits_verification)
            if issued is not None:
                await self._post.send(mails.verification(issued.email, link=f"{self._base_url}/verify-email#{issued.secret}"))

        self._post.soon(errand, kind="verify_email")

    def send_password_reset(self, email: str) -> None:
        """
        Mail a link that lets a password be chosen, if there is an account; comes back at once.

        An unclaimed account is claimed that way: who reads the mail owns the address.

        Raises:
            Unavailable: `mail_busy`.
        """

        async def errand() -> None:
            issued = await self._issued(Purpose.RESET_PASSWORD, email, to=_is_open)
            if issued is not None:
                await self._post.send(
                    mails.password_reset(issued.email, link=f"{self._base_url}/reset-password#{issued.secret}")
                )

        self._post.soon(errand, kind="reset_password")

    def tell_owner(self, email: str) -> None:
        """
        Mail the owner of an address that somebody wanted to register it; comes back at once.

        Raises:
            Unavailable: `mail_busy`.
        """

        async def errand() -> None:
            async with self._units() as unit:
                owner = await unit.users.by_email(email)
            if owner is not None and _is_open(owner):
                await self._post.send(mails.already_registered(owner.email, link=f"{self._base_url}/reset-password"))

        self._post.soon(errand, kind="already_registered")

    def tell_password_changed(self, user: User) -> None:
        """Mail somebody that their password was changed; comes back at once, and refuses nothing: it is changed already."""
        mail = mails.password_changed(user.email, link=f"{self._base_url}/reset-password")
        with after_commit(mail.kind):
            self._post.soon(lambda: self._post.send(mail), kind=mail.kind)

    async def verify(self, secret: str) -> User:
        """
        Hold an address to be verified; older orders show from then on.

        Raises:
            LinkInvalid: the link was used, is too old, never was, or its account is closed.
        """

        async def work() -> User:
            now = self._clock.now()
            async with self._units() as unit:
                token, user = await self._followed(unit, secret, Purpose.VERIFY_EMAIL, now)
                verified = replace(user, email_verified_at=user.email_verified_at or now)
                await unit.one_time_tokens.spend(token)
                await unit.users.update(verified)
                await tell(unit, "user.verified", verified, at=now, actor=ACTOR)
                await unit.commit()
            return verified

        return await retried(work, attempts=ATTEMPTS)

    async def reset(self, secret: str, password: str) -> User:
        """
        Give an account another password; all its sign-ins end, and its address is verified.

        Raises:
            LinkInvalid: as for `verify`.
            Invalid: the password is not good enough; the link may be used again.
        """
        async with self._units() as unit:
            _, user = await self._followed(unit, secret, Purpose.RESET_PASSWORD, self._clock.now())
        hashed = await self._judge.hashed(password, own=(user.email, user.name))
        changed = await retried(lambda: self._reset(secret, hashed), attempts=ATTEMPTS)
        self.tell_password_changed(changed)
        return changed

    async def _reset(self, secret: str, hashed: str) -> User:
        now = self._clock.now()
        async with self._units() as unit:
            token, user = await self._followed(unit, secret, Purpose.RESET_PASSWORD, now)
            changed = replace(user, password_hash=hashed, email_verified_at=user.email_verified_at or now)
            await unit.one_time_tokens.spend(token)
            await unit.users.update(changed)
            await sign_out(unit, changed, at=now)
            await unit.one_time_tokens.withdraw(Purpose.VERIFY_EMAIL, user_id=changed.id)
            if not user.claimed:
                await tell(unit, "user.registered", changed, at=now, actor=ACTOR, claimed=True, staff=changed.is_staff)
            if user.email_verified_at is None:
                await tell(unit, "user.verified", changed, at=now, actor=ACTOR)
            await tell(unit, "user.password_changed", changed, at=now, actor=ACTOR)
            await unit.commit()
        return changed

    async def _issued(self, purpose: Purpose, email: str, *, to: Callable[[User], bool]) -> "_Issued | None":
        """Keep a new token for an account; None where there is none that gets one."""
        now = self._clock.now()
        async with self._units() as unit:
            user = await unit.users.by_email(email)
            if user is None or not to(user):
                return None
            secret, token = issue(purpose, user_id=user.id, at=now)
            await unit.one_time_tokens.add(token)
            await unit.commit()
        # Never to the address that was typed: other letters may fold to the same key and belong to somebody else.
        return _Issued(email=user.email, secret=secret)

    async def _followed(self, unit: AccountsUnit, secret: str, purpose: Purpose, now: datetime) -> tuple[OneTimeToken, User]:
        token = await unit.one_time_tokens.find(digest(secret), purpose=purpose, now=now)
        user = None if token is None or token.user_id is None else await unit.users.get(token.user_id)
        if token is None or user is None or not _is_open(user):
            raise LinkInvalid
        return token, user


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issued:
    email: str
    secret: str


def _is_open(user: User) -> bool:
    return user.is_active and user.erased_at is None


def _awaits_verification(user: User) -> bool:
    return _is_open(user) and user.claimed and user.email_verified_at is None
