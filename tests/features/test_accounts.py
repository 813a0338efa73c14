"""Registering: who becomes a user, who claims one, and who is refused."""

import asyncio
import threading
import time
from dataclasses import replace

import pytest
from people import EARLIER, NOW, People, ada, overtaken

from ordermill.accounts import passwords
from ordermill.accounts.hashing import HASHES_AT_ONCE
from ordermill.accounts.ports import UserFilter
from ordermill.accounts.service import Accounts, EmailTaken
from ordermill.kit.errors import Conflict, Invalid
from ordermill.storage.memory import MemoryUnit

pytestmark = pytest.mark.anyio


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def accounts(people: People) -> Accounts:
    return people.accounts


class TestRegister:
    async def test_makes_a_user_with_an_id(self, accounts: Accounts, people: People) -> None:
        user = await accounts.create(ada(), actor="anyone")

        assert (user.id, user.email, user.name, user.created_at) == (1, "ada@example.com", "Ada Lovelace", NOW)
        assert (user.is_active, user.is_staff, user.email_verified_at) == (True, False, None)
        assert await people.everybody() == [user]

    async def test_keeps_a_hash_and_not_the_password(self, accounts: Accounts) -> None:
        user = await accounts.create(ada(), actor="anyone")

        assert passwords.verify_password("engine of brass", user.password_hash)
        assert "engine" not in repr(user)

    async def test_writes_the_event_with_nothing_personal_in_it(self, accounts: Accounts, people: People) -> None:
        await accounts.create(ada(), actor="api:anyone")

        assert await people.events() == [("user.registered", "api:anyone", 1, {"claimed": False, "staff": False})]

    async def test_can_make_staff(self, accounts: Accounts, people: People) -> None:
        user = await accounts.create(ada(), actor="command", staff=True)

        assert user.is_staff
        assert (await people.events())[0][3] == {"claimed": False, "staff": True}


class TestClaim:
    async def test_takes_over_the_user_that_came_with_an_order(self, accounts: Accounts, people: People) -> None:
        known = await people.customer()

        user = await accounts.create(ada(email="Ada@Example.com"), actor="anyone")

        assert (user.id, user.created_at) == (known.id, EARLIER)
        assert (user.email, user.name) == ("Ada@Example.com", "Ada Lovelace")
        assert user.claimed
        assert await people.everybody() == [user]

    async def test_keeps_the_address_that_was_known_where_the_other_may_be_somebody_else_s(
        self, accounts: Accounts, people: People
    ) -> None:
        """The long s folds to an s; its address is another mailbox, and a link sent there would verify this one."""
        await people.customer(email="ada.s@example.com")

        user = await accounts.register(ada(email="ada.\u017f@example.com"))

        assert user.email == "ada.s@example.com"
        assert await people.mailed() == [("verify_email", "ada.s@example.com")]

    async def test_proves_nothing_about_the_address(self, accounts: Accounts, people: People) -> None:
        """Older orders stay hidden until the address is verified."""
        await people.customer()

        user = await accounts.create(ada(), actor="anyone")

        assert user.email_verified_at is None

    async def test_does_not_let_a_deactivated_customer_in(self, accounts: Accounts, people: People) -> None:
        await people.customer(is_active=False)

        user = await accounts.create(ada(), actor="anyone")

        assert not user.is_active

    async def test_writes_the_event(self, accounts: Accounts, people: People) -> None:
        known = await people.customer()

        await accounts.create(ada(), actor="anyone")

        assert await people.events() == [("user.registered", "anyone", known.id, {"claimed": True, "staff": False})]


class TestTaken:
    @pytest.mark.parametrize("spelling", ["ada@example.com", "ADA@EXAMPLE.COM", " Ada@example.com "])
    async def test_a_registered_address_is_refused_however_it_is_spelt(
        self, accounts: Accounts, people: People, spelling: str
    ) -> None:
        first = await accounts.create(ada(), actor="anyone")

        with pytest.raises(EmailTaken) as caught:
            await accounts.create(ada(email=spelling, name="Eve", password="another password"), actor="anyone")

        assert caught.value.code == "email_taken"
        assert isinstance(caught.value, Conflict)
        assert await people.everybody() == [first]
        assert len(await people.events()) == 1

    async def test_the_constraint_judges_a_race_between_two_registrations(self, accounts: Accounts, people: People) -> None:
        late = overtaken(people, lambda: accounts.create(ada(name="The faster one"), actor="anyone")).accounts

        with pytest.raises(EmailTaken):
            await late.create(ada(), actor="anyone")

        assert [user.name for user in await people.everybody()] == ["The faster one"]
        assert len(await people.events()) == 1

    async def test_the_version_judges_a_race_between_two_claims(self, accounts: Accounts, people: People) -> None:
        await people.customer()
        late = overtaken(people, lambda: accounts.create(ada(name="The faster one"), actor="anyone")).accounts

        with pytest.raises(EmailTaken):
            await late.create(ada(), actor="anyone")

        assert [user.name for user in await people.everybody()] == ["The faster one"]
        assert len(await people.events()) == 1

    async def test_a_customer_that_an_import_brings_meanwhile_is_claimed(self, people: People) -> None:
        late = overtaken(people, people.customer).accounts

        user = await late.create(ada(), actor="anyone")

        assert (user.created_at, user.name, user.claimed) == (EARLIER, "Ada Lovelace", True)
        assert await people.everybody() == [user]

    async def test_an_address_that_the_database_holds_to_be_taken_is_taken(self, people: People) -> None:
        """Whatever a look at the users finds, the constraint has the last word."""

        class Blind(MemoryUnit):
            def __init__(self) -> None:
                super().__init__(people.storage)
                self.users.by_email = self._nobody  # type: ignore[method-assign]  # sees what a lagging replica sees

            async def _nobody(self, email: str) -> None:
                return None

        await people.customer()

        with pytest.raises(EmailTaken):
            await People(storage=people.storage, units=Blind).accounts.create(ada(), actor="anyone")


class TestPassword:
    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("7 signs", "password_too_short"),
            ("", "password_too_short"),
            ("password1", "password_common"),
            ("LetMeIn123", "password_common"),
            ("ada@example.com", "password_personal"),
            ("ADA@example.com", "password_personal"),
            ("ada lovelace", "password_personal"),
            ("Lovelace2026!", "password_personal"),
            ("adalovelace", "password_personal"),
            ("ordermill1", "password_personal"),
            ("a" * 1025, "password_too_long"),
            ("engine\ud800 of brass", "password_malformed"),
        ],
    )
    async def test_that_is_easily_guessed_or_unusable_is_refused(
        self, accounts: Accounts, people: People, password: str, code: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            await accounts.create(ada(password=password), actor="anyone")

        (problem,) = caught.value.details["errors"]
        assert (problem["pointer"], problem["code"], caught.value.code) == ("/password", code, code)
        assert await people.everybody() == []

    async def test_that_is_the_part_before_the_at_sign_is_refused(self, accounts: Accounts) -> None:
        with pytest.raises(Invalid, match="e-mail address or name"):
            await accounts.create(ada(email="ada.lovelace@example.com", password="Ada.Lovelace"), actor="anyone")

    async def test_is_counted_in_letters_however_they_are_composed(self, accounts: Accounts) -> None:
        with pytest.raises(Invalid) as caught:
            await accounts.create(ada(password="u\u0308" * 7), actor="anyone")

        assert caught.value.code == "password_too_short"

    async def test_of_any_letters_and_of_1024_is_fine(self, accounts: Accounts) -> None:
        user = await accounts.create(ada(password="é" * 1024), actor="anyone")

        assert passwords.verify_password("é" * 1024, user.password_hash)

    async def test_is_never_hashed_by_more_than_a_few_at_once(
        self, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running, most, lock = 0, 0, threading.Lock()

        def slowly(password: str) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return password[::-1]

        monkeypatch.setattr(passwords, "hash_password", slowly)
        await asyncio.gather(*(accounts.create(ada(email=f"ada{n}@example.com"), actor="anyone") for n in range(12)))

        assert 1 < most <= HASHES_AT_ONCE


class TestSearch:
    async def test_pages_through_all_users_by_id(self, accounts: Accounts, people: People) -> None:
        users = [await people.customer(email=f"user{n}@example.com") for n in range(5)]

        first = await accounts.search(limit=2)
        rest = await accounts.search(limit=3, after=first.rows[-1].id)

        assert [user.email for user in first.rows] == ["user0@example.com", "user1@example.com"]
        assert (first.more, rest.more) == (True, False)
        assert list(rest.rows) == [replace(user) for user in users[2:]]

    async def test_finds_who_is_looked_for(self, accounts: Accounts, people: People) -> None:
        await people.customer()
        staff = await accounts.create(ada(email="bob@example.com"), actor="command", staff=True)

        assert list((await accounts.search(UserFilter(is_staff=True))).rows) == [staff]


class TestRole:
    async def test_is_never_what_an_unclaimed_account_brings_along(self, accounts: Accounts, people: People) -> None:
        """Whoever registers the address of an account would be staff."""
        await people.customer(is_staff=True)

        assert not (await accounts.create(ada(), actor="anyone")).is_staff

    async def test_makes_the_link_for_the_first_staff_user_worthless(self, accounts: Accounts, people: People) -> None:
        await accounts.first_staff_link()

        await accounts.create(ada(), actor="command", staff=True)

        assert await people.storage.read(lambda book: list(book.one_time_tokens.rows)) == []
