"""What people change of their own account, and staff of others."""

import asyncio
from datetime import timedelta

import pytest
from people import NOW, PASSWORD, People, ada, overtaken
from structlog.testing import capture_logs

from ordermill.accounts import passwords
from ordermill.accounts.changes import UserNotFound
from ordermill.accounts.drafts import OwnChange
from ordermill.accounts.model import User
from ordermill.accounts.own import CurrentPasswordWrong
from ordermill.accounts.post import PENDING_LIMIT
from ordermill.accounts.standing import LastStaff, OwnAccount, Unclaimed
from ordermill.accounts.throttles import TooManyAttempts
from ordermill.accounts.tokens import Unauthenticated
from ordermill.kit.errors import Invalid, StaleVersion

pytestmark = pytest.mark.anyio

HOME = "192.0.2.7"
NEW_PASSWORD = "difference engine no. 2"


@pytest.fixture
def people() -> People:
    return People()


async def change(people: People, user: User, **said: str) -> User:
    assert user.id is not None
    return await people.own.change(user.id, OwnChange.model_validate(said), address=HOME)


class TestName:
    async def test_is_changed(self, people: People) -> None:
        user = await people.registered()

        await change(people, user, name=" Countess of Lovelace ")

        assert (await people.stored(user.id)).name == "Countess of Lovelace"
        assert (await people.events())[-1] == ("user.renamed", f"user:{user.id}", user.id, {})

    async def test_that_is_the_same_changes_nothing(self, people: People) -> None:
        user = await people.registered()

        await change(people, user, name=user.name)

        assert await people.told() == ["user.registered"]
        assert (await people.stored(user.id)).version == user.version

    async def test_based_on_an_old_version_is_refused(self, people: People) -> None:
        user = await people.registered()
        await people.own.change(user.id or 0, OwnChange(name="Ada L."), address=HOME, version=1)

        with pytest.raises(StaleVersion):
            await people.own.change(user.id or 0, OwnChange(name="A."), address=HOME, version=1)

        assert (await people.stored(user.id)).name == "Ada L."


class TestPassword:
    async def test_is_changed_by_who_knows_the_current_one(self, people: People) -> None:
        user = await people.registered()

        await change(people, user, password=NEW_PASSWORD, current_password=PASSWORD)

        assert passwords.verify_password(NEW_PASSWORD, (await people.stored(user.id)).password_hash)
        assert await people.told() == ["user.registered", "user.password_changed"]
        assert await people.mailed() == [("password_changed", "ada@example.com")]

    async def test_signs_out_everywhere(self, people: People) -> None:
        user = await people.registered()
        session = await people.signs_in(user)

        await change(people, user, password=NEW_PASSWORD, current_password=PASSWORD)

        assert not await people.signed_in(session)

    async def test_makes_links_for_a_reset_worthless(self, people: People) -> None:
        user = await people.registered()
        people.links.send_password_reset(user.email)
        await people.post.finish()

        await change(people, user, password=NEW_PASSWORD, current_password=PASSWORD)

        kept = await people.storage.read(lambda book: [row["purpose"] for row in book.one_time_tokens.rows.values()])
        assert kept == ["verify_email"]

    @pytest.mark.parametrize("said", [{}, {"current_password": "guessed it"}])
    async def test_stays_without_the_current_one(self, people: People, said: dict[str, str]) -> None:
        user = await people.registered()
        session = await people.signs_in(user)

        with pytest.raises(CurrentPasswordWrong) as caught:
            await change(people, user, password=NEW_PASSWORD, name="Eve", **said)

        assert caught.value.details["errors"][0]["pointer"] == "/current_password"
        assert await people.stored(user.id) == user
        assert await people.signed_in(session)

    async def test_that_is_easily_guessed_is_refused(self, people: People) -> None:
        user = await people.registered()

        with pytest.raises(Invalid) as caught:
            await change(people, user, password="letmein123", current_password=PASSWORD)

        assert caught.value.code == "password_common"
        assert await people.stored(user.id) == user

    async def test_is_not_guessed_at_for_long(self, people: People) -> None:
        user = await people.registered()

        for _ in range(5):
            with pytest.raises(CurrentPasswordWrong):
                await change(people, user, password=NEW_PASSWORD, current_password="guessed it")

        with pytest.raises(TooManyAttempts):
            await change(people, user, password=NEW_PASSWORD, current_password=PASSWORD)

        people.clock.later(timedelta(minutes=16))
        await change(people, user, password=NEW_PASSWORD, current_password=PASSWORD)

    async def test_is_not_changed_by_what_was_the_current_one_a_moment_ago(self, people: People) -> None:
        user = await people.registered()
        late = overtaken(people, lambda: change(people, user, password=NEW_PASSWORD, current_password=PASSWORD))

        with pytest.raises(CurrentPasswordWrong):
            await change(late, user, password="a third password", current_password=PASSWORD)

        assert passwords.verify_password(NEW_PASSWORD, (await people.stored(user.id)).password_hash)

    def test_the_current_one_alone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="only with a new one"):
            OwnChange.model_validate({"current_password": PASSWORD})


class TestClosed:
    async def test_account_is_shown_and_changed_by_nobody(self, people: People) -> None:
        user = await people.registered()
        await people.accounts.set_active(user.id or 0, active=False, actor="command")

        with pytest.raises(Unauthenticated):
            await people.own.get(user.id or 0)
        with pytest.raises(Unauthenticated):
            await change(people, user, name="Eve")

        assert (await people.stored(user.id)).name == user.name

    async def test_account_between_looking_and_committing_is_not_changed(self, people: People) -> None:
        user = await people.registered()
        late = overtaken(people, lambda: people.accounts.set_active(user.id or 0, active=False, actor="command"))

        with pytest.raises(Unauthenticated):
            await change(late, user, name="Eve")

        assert (await people.stored(user.id)).name == user.name


class TestActivity:
    async def test_a_closed_account_is_signed_out_and_opened_again(self, people: People) -> None:
        user = await people.registered()
        session = await people.signs_in(user)

        closed = await people.accounts.set_active(user.id or 0, active=False, actor="user:99")
        opened = await people.accounts.set_active(user.id or 0, active=True, actor="command")

        assert (closed.is_active, opened.is_active) == (False, True)
        assert not await people.signed_in(session)
        assert (await people.events())[1:] == [
            ("user.deactivated", "user:99", user.id, {}),
            ("user.activated", "command", user.id, {}),
        ]

    async def test_nobody_closes_themselves_out(self, people: People) -> None:
        user = await people.registered()

        with pytest.raises(OwnAccount):
            await people.accounts.set_active(user.id or 0, active=False, actor=f"user:{user.id}")

        assert await people.stored(user.id) == user

    async def test_what_is_so_already_is_left_as_it_is(self, people: People) -> None:
        user = await people.registered()

        assert await people.accounts.set_active(user.id or 0, active=True, actor="command") == user
        assert await people.told() == ["user.registered"]

    async def test_of_another_version_is_refused(self, people: People) -> None:
        user = await people.registered()

        with pytest.raises(StaleVersion):
            await people.accounts.set_active(user.id or 0, active=False, actor="command", version=7)

        assert await people.stored(user.id) == user

    async def test_of_nobody_is_refused(self, people: People) -> None:
        erased = await people.customer(erased_at=NOW, is_active=False)

        for id in (4711, erased.id or 0):
            with pytest.raises(UserNotFound):
                await people.accounts.set_active(id, active=True, actor="command")


class TestRole:
    async def test_change_signs_out_and_is_told(self, people: People) -> None:
        user = await people.registered()
        session = await people.signs_in(user)

        await people.accounts.set_staff(user.id or 0, staff=True, actor="command")

        assert (await people.stored(user.id)).is_staff
        assert not await people.signed_in(session)
        assert (await people.events())[-1] == ("user.role_changed", "command", user.id, {"staff": True})

    async def test_is_not_given_to_an_account_that_anybody_could_claim(self, people: People) -> None:
        known = await people.customer()

        with pytest.raises(Unclaimed):
            await people.accounts.set_staff(known.id or 0, staff=True, actor="command")

        assert not (await people.stored(known.id)).is_staff


class TestLastStaff:
    async def test_is_neither_deactivated_nor_demoted(self, people: People) -> None:
        user = await people.accounts.create(ada(), actor="command", staff=True)

        with pytest.raises(LastStaff):
            await people.accounts.set_active(user.id or 0, active=False, actor="command")
        with pytest.raises(LastStaff) as caught:
            await people.accounts.set_staff(user.id or 0, staff=False, actor="command")

        assert caught.value.code == "last_staff"
        assert await people.stored(user.id) == user
        assert await people.told() == ["user.registered"]
        assert await people.accounts.first_staff_link() is None

    async def test_is_not_who_was_closed_out_before(self, people: People) -> None:
        await people.accounts.create(ada(), actor="command", staff=True)
        closed = await people.customer(email="bob@example.com", is_staff=True, is_active=False)

        assert not (await people.accounts.set_staff(closed.id or 0, staff=False, actor="command")).is_staff


class TestMailsThatFindNoRoom:
    async def test_refuse_nothing_that_was_done(self, people: People) -> None:
        """A registration that answered 503 could only be repeated as `email_taken`."""
        user = await people.registered()
        never = asyncio.Event()
        for _ in range(PENDING_LIMIT):
            people.post.soon(never.wait, kind="reset_password")  # type: ignore[arg-type]  # what it returns is not looked at

        with capture_logs() as logs:
            registered = await people.accounts.register(ada(email="bob@example.com"))
            changed = await change(people, user, password=NEW_PASSWORD, current_password=PASSWORD)
        await people.post.finish(within_s=0)

        assert await people.everybody() == [changed, registered]
        assert [(entry["event"], entry["kind"], entry["code"]) for entry in logs] == [
            ("mail_not_sent", "verify_email", "mail_busy"),
            ("mail_not_sent", "password_changed", "mail_busy"),
        ]
        assert "example.com" not in str(logs)
