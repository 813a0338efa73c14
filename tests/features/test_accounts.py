"""Registering: who becomes a user, who claims one, and who is refused."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ordermill.accounts import passwords
from ordermill.accounts.drafts import UserCreate
from ordermill.accounts.model import User
from ordermill.accounts.service import HASHES_AT_ONCE, Accounts, EmailTaken
from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import Conflict, Invalid
from ordermill.storage.memory import MemoryStorage, MemoryUnit

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
EARLIER = datetime(2025, 1, 2, tzinfo=UTC)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def accounts(storage: MemoryStorage) -> Accounts:
    return over(storage.unit)


def over(units: Callable[[], MemoryUnit]) -> Accounts:
    return Accounts(units, clock=FixedClock(NOW), minimum=8, common=lambda: frozenset({"password1", "letmein123"}))


def ada(**differences: str) -> UserCreate:
    values = {"email": "ada@example.com", "name": "Ada Lovelace", "password": "engine of brass"} | differences
    return UserCreate.model_validate(values)


async def customer(storage: MemoryStorage, **differences: Any) -> User:
    """Put a user into the book as an order brings it: without a password."""
    async with storage.unit() as unit:
        values: dict[str, Any] = {"email": "ada@example.com", "name": "A. L.", "created_at": EARLIER} | differences
        user = User(**values)
        await unit.users.add(user)
        await unit.commit()
    return user


async def everybody(storage: MemoryStorage) -> list[User]:
    async with storage.unit() as unit:
        return list(await unit.users.get_all())


async def events(storage: MemoryStorage) -> list[tuple[str, str, int | None, dict[str, Any]]]:
    async with storage.unit() as unit:
        return [(event.type, event.actor, event.user_id, event.data) for event in await unit.events.recent()]


def rivalled(storage: MemoryStorage, rival: Callable[[], Awaitable[object]]) -> Callable[[], MemoryUnit]:
    """Open units of which the first is overtaken: `rival` acts between what it has read and its commit."""
    waiting = [rival]

    class Overtaken(MemoryUnit):
        async def commit(self) -> None:
            if waiting:
                await waiting.pop()()
            await super().commit()

    return lambda: Overtaken(storage)


class TestRegister:
    async def test_makes_a_user_with_an_id(self, accounts: Accounts, storage: MemoryStorage) -> None:
        user = await accounts.create(ada(), actor="anyone")

        assert (user.id, user.email, user.name, user.created_at) == (1, "ada@example.com", "Ada Lovelace", NOW)
        assert (user.is_active, user.is_staff, user.email_verified_at) == (True, False, None)
        assert await everybody(storage) == [user]

    async def test_keeps_a_hash_and_not_the_password(self, accounts: Accounts) -> None:
        user = await accounts.create(ada(), actor="anyone")

        assert passwords.verify_password("engine of brass", user.password_hash)
        assert "engine" not in repr(user)

    async def test_writes_the_event_with_nothing_personal_in_it(self, accounts: Accounts, storage: MemoryStorage) -> None:
        await accounts.create(ada(), actor="api:anyone")

        assert await events(storage) == [("user.registered", "api:anyone", 1, {"claimed": False, "staff": False})]

    async def test_can_make_staff(self, accounts: Accounts, storage: MemoryStorage) -> None:
        user = await accounts.create(ada(), actor="command", staff=True)

        assert user.is_staff
        assert (await events(storage))[0][3] == {"claimed": False, "staff": True}


class TestClaim:
    async def test_takes_over_the_user_that_came_with_an_order(self, accounts: Accounts, storage: MemoryStorage) -> None:
        known = await customer(storage)

        user = await accounts.create(ada(email="Ada@Example.com"), actor="anyone")

        assert (user.id, user.created_at) == (known.id, EARLIER)
        assert (user.email, user.name) == ("Ada@Example.com", "Ada Lovelace")
        assert user.claimed
        assert await everybody(storage) == [user]

    async def test_proves_nothing_about_the_address(self, accounts: Accounts, storage: MemoryStorage) -> None:
        """Older orders stay hidden until the address is verified."""
        await customer(storage)

        user = await accounts.create(ada(), actor="anyone")

        assert user.email_verified_at is None

    async def test_does_not_let_a_deactivated_customer_in(self, accounts: Accounts, storage: MemoryStorage) -> None:
        await customer(storage, is_active=False)

        user = await accounts.create(ada(), actor="anyone")

        assert not user.is_active

    async def test_writes_the_event(self, accounts: Accounts, storage: MemoryStorage) -> None:
        known = await customer(storage)

        await accounts.create(ada(), actor="anyone")

        assert await events(storage) == [("user.registered", "anyone", known.id, {"claimed": True, "staff": False})]


class TestTaken:
    @pytest.mark.parametrize("spelling", ["ada@example.com", "ADA@EXAMPLE.COM", " Ada@example.com "])
    async def test_a_registered_address_is_refused_however_it_is_spelt(
        self, accounts: Accounts, storage: MemoryStorage, spelling: str
    ) -> None:
        first = await accounts.create(ada(), actor="anyone")

        with pytest.raises(EmailTaken) as caught:
            await accounts.create(ada(email=spelling, name="Eve", password="another password"), actor="anyone")

        assert caught.value.code == "email_taken"
        assert isinstance(caught.value, Conflict)
        assert await everybody(storage) == [first]
        assert len(await events(storage)) == 1

    async def test_the_constraint_judges_a_race_between_two_registrations(
        self, accounts: Accounts, storage: MemoryStorage
    ) -> None:
        overtaken = over(rivalled(storage, lambda: accounts.create(ada(name="The faster one"), actor="anyone")))

        with pytest.raises(EmailTaken):
            await overtaken.create(ada(), actor="anyone")

        assert [user.name for user in await everybody(storage)] == ["The faster one"]
        assert len(await events(storage)) == 1

    async def test_the_version_judges_a_race_between_two_claims(self, accounts: Accounts, storage: MemoryStorage) -> None:
        await customer(storage)
        overtaken = over(rivalled(storage, lambda: accounts.create(ada(name="The faster one"), actor="anyone")))

        with pytest.raises(EmailTaken):
            await overtaken.create(ada(), actor="anyone")

        assert [user.name for user in await everybody(storage)] == ["The faster one"]
        assert len(await events(storage)) == 1

    async def test_a_customer_that_an_import_brings_meanwhile_is_claimed(self, storage: MemoryStorage) -> None:
        overtaken = over(rivalled(storage, lambda: customer(storage)))

        user = await overtaken.create(ada(), actor="anyone")

        assert (user.created_at, user.name, user.claimed) == (EARLIER, "Ada Lovelace", True)
        assert await everybody(storage) == [user]

    async def test_an_address_that_the_database_holds_to_be_taken_is_taken(self, storage: MemoryStorage) -> None:
        """Whatever a look at the users finds, the constraint has the last word."""

        class Blind(MemoryUnit):
            def __init__(self) -> None:
                super().__init__(storage)
                self.users.by_email = self._nobody  # type: ignore[method-assign]  # sees what a lagging replica sees

            async def _nobody(self, email: str) -> None:
                return None

        await customer(storage)

        with pytest.raises(EmailTaken):
            await over(Blind).create(ada(), actor="anyone")


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
            ("a" * 1025, "password_too_long"),
            ("engine\ud800 of brass", "password_malformed"),
        ],
    )
    async def test_that_is_easily_guessed_or_unusable_is_refused(
        self, accounts: Accounts, storage: MemoryStorage, password: str, code: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            await accounts.create(ada(password=password), actor="anyone")

        (problem,) = caught.value.details["errors"]
        assert (problem["pointer"], problem["code"], caught.value.code) == ("/password", code, code)
        assert await everybody(storage) == []

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


class TestList:
    async def test_pages_through_all_users_by_id(self, accounts: Accounts, storage: MemoryStorage) -> None:
        users = [await customer(storage, email=f"user{n}@example.com") for n in range(5)]

        first = await accounts.list(limit=2)
        rest = await accounts.list(after=first[-1].id)

        assert [user.email for user in first] == ["user0@example.com", "user1@example.com"]
        assert list(rest) == [replace(user) for user in users[2:]]
