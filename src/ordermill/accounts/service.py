"""
Accounts: who registers becomes a user, or claims the one that came with an order; what people change of their own account,
and staff of others.

Not here: what links in mails do (links), and signing in (access).
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from ordermill.accounts.changes import ATTEMPTS, UserNotFound, existing, tell
from ordermill.accounts.drafts import StaffSetUp, UserCreate
from ordermill.accounts.first_staff import FirstStaff
from ordermill.accounts.judge import Judge
from ordermill.accounts.links import Links
from ordermill.accounts.model import User
from ordermill.accounts.one_time import OneTimeToken, Purpose
from ordermill.accounts.ports import AccountsUnit, UserFilter
from ordermill.accounts.post import Post, after_commit
from ordermill.accounts.standing import set_active_in, set_staff_in
from ordermill.kit.attempts import retried
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Conflict, StaleVersion, Taken
from ordermill.kit.pages import Page
from ordermill.kit.text import ascii_lower, defect

# Who registers has not signed in yet.
ANYONE = "anyone"


class EmailTaken(Conflict):
    """Somebody can sign in with this address already."""

    default_code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address already.")


class Accounts:
    """
    The accounts of an order book.

    Args:
        units: opens a unit of work.
    """

    def __init__(  # noqa: PLR0913  # the parts that it is put together of
        self,
        units: Callable[[], AccountsUnit],
        *,
        clock: Clock,
        judge: Judge,
        links: Links,
        first_staff: FirstStaff,
        post: Post,
    ) -> None:
        self._units = units
        self._clock = clock
        self._judge = judge
        self._links = links
        self._first_staff = first_staff
        self._post = post

    async def create(self, draft: UserCreate, *, actor: str, staff: bool = False) -> User:
        """
        Make an account, or claim the one that is known from orders under this address; nobody is mailed.

        A claimed account keeps its id and stays unverified: its older orders are hidden until the address is verified.

        Raises:
            Invalid: the password is too short or too long, well known, or the person's own address or name.
            EmailTaken: somebody registered this address before.
        """
        return await self._create(draft, await self._hashed(draft), actor=actor, staff=staff)

    async def register(self, draft: UserCreate) -> User:
        """
        Make an account as `create` does for whoever asks, and mail a link that verifies the address.

        Raises:
            Invalid, EmailTaken: as `create` does.
        """
        user = await self.create(draft, actor=ANYONE)
        with after_commit("verify_email"):
            self._links.send_verification(user.email)
        return user

    async def register_quietly(self, draft: UserCreate) -> None:
        """
        Register without telling whether the address is known: only its owner hears of it, by mail.

        The account is made behind the answer, so that the time it takes tells nothing either.

        Raises:
            Invalid: as for `create`.
            Unavailable: `mail_busy`.
        """
        hashed = await self._hashed(draft)

        async def errand() -> None:
            try:
                user = await self._create(draft, hashed, actor=ANYONE, staff=False)
            except EmailTaken:
                self._links.tell_owner(draft.email)
            else:
                self._links.send_verification(user.email)

        self._post.soon(errand, kind="registration")

    async def first_staff_link(self) -> str | None:
        """Return a link that makes the first staff user, once and within an hour; None when there is one already."""
        return await self._first_staff.link()

    async def set_up(self, draft: StaffSetUp) -> User:
        """
        Make the first staff user; of several at once one succeeds.

        Raises:
            LinkInvalid: the link was used, is too old or never was, or there is a staff user by now.
            Invalid, EmailTaken: as for `create`; the link may be used again.
        """
        token = await self._first_staff.token(draft.token.get_secret_value())
        hashed = await self._hashed(draft)
        user = await self._create(draft, hashed, actor="link", staff=True, spending=token)
        with after_commit("verify_email"):
            self._links.send_verification(user.email)
        return user

    async def get(self, id: int) -> User:
        """
        Return an account.

        Raises:
            UserNotFound: there is none, or it was erased.
        """
        async with self._units() as unit:
            return await existing(unit, id)

    async def by_email(self, email: str) -> User:
        """
        Return an account by its address, however it is spelt.

        Raises:
            UserNotFound: there is none.
        """
        if defect(email) is not None:  # what no database holds, none can be asked for
            raise UserNotFound
        async with self._units() as unit:
            user = await unit.users.by_email(email)
        if user is None or user.erased_at is not None:
            raise UserNotFound
        return user

    async def search(self, wanted: UserFilter | None = None, *, limit: int = 100, after: int | None = None) -> Page[User]:
        """Return accounts in the order of their ids, those behind `after` when given; erased ones are left out."""
        async with self._units() as unit:
            found = await unit.users.search(wanted or UserFilter(), limit=limit + 1, after=after)
        return Page.cut(found, limit=limit)

    async def set_active(self, id: int, *, active: bool, actor: str, version: int | None = None) -> User:
        """
        Close an account, or open it again; who is closed out is signed out everywhere and sees nothing any more.

        Args:
            actor: who does it, as the ledger names them.
            version: the one that the change is based on; None for any.

        Raises:
            UserNotFound: there is none, or it was erased.
            OwnAccount: somebody would close themselves out.
            LastStaff: nobody else may use the back office.
            StaleVersion: the account has another version.
        """
        return await self._changed(id, partial(set_active_in, active=active, actor=actor), version=version)

    async def set_staff(self, id: int, *, staff: bool, actor: str) -> User:
        """
        Let somebody into the back office, or not any more; they are signed out everywhere.

        Raises:
            UserNotFound: there is none, or it was erased.
            Unclaimed: nobody can sign in with it.
            LastStaff: nobody else may use the back office.
        """
        return await self._changed(id, partial(set_staff_in, staff=staff, actor=actor))

    async def _changed(self, id: int, step: Callable[..., Awaitable[User]], *, version: int | None = None) -> User:
        async def work() -> User:
            async with self._units() as unit:
                user = await existing(unit, id)
                if version not in {None, user.version}:
                    raise StaleVersion("The user")
                changed = await step(unit, user, at=self._clock.now())
                await unit.commit()
            return changed

        return await retried(work, attempts=ATTEMPTS)

    async def _hashed(self, draft: UserCreate) -> str:
        return await self._judge.hashed(draft.password.get_secret_value(), own=(draft.email, draft.name))

    async def _create(
        self, draft: UserCreate, hashed: str, *, actor: str, staff: bool, spending: OneTimeToken | None = None
    ) -> User:
        async def work() -> User:
            return await self._register(draft, hashed, actor=actor, staff=staff, spending=spending)

        try:
            return await work()
        except (Taken, StaleVersion):
            # Somebody was faster; what they left decides. A registration took the address, an import left it to be claimed.
            pass
        try:
            return await retried(work, attempts=ATTEMPTS)
        except Taken as taken:
            raise EmailTaken from taken

    async def _register(
        self, draft: UserCreate, hashed: str, *, actor: str, staff: bool, spending: OneTimeToken | None
    ) -> User:
        now = self._clock.now()
        async with self._units() as unit:
            known = await unit.users.by_email(draft.email)
            if spending is not None:
                await unit.one_time_tokens.spend(spending)
            elif staff:
                await unit.one_time_tokens.withdraw(Purpose.FIRST_STAFF, user_id=None)
            if known is None:
                new = User(email=draft.email, name=draft.name, created_at=now, password_hash=hashed, is_staff=staff)
                user = await unit.users.add(new)
            else:
                user = await unit.users.update(_claimed(known, draft, hashed, staff=staff))
            await tell(unit, "user.registered", user, at=now, actor=actor, claimed=known is not None, staff=user.is_staff)
            await unit.commit()
        return user


def _claimed(known: User, draft: UserCreate, hashed: str, *, staff: bool) -> User:
    if known.claimed:
        raise EmailTaken
    # Letters that fold to the same key may make an address that is somebody else's; what it verifies would be theirs.
    email = draft.email if ascii_lower(draft.email) == ascii_lower(known.email) else known.email
    return replace(known, email=email, name=draft.name, password_hash=hashed, is_staff=staff)
