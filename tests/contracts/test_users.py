"""Accounts: found by id and by address, unique by address, exactly as they were told."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import anyio
import pytest
from builders import NOON, a_user
from storages import Storage

from ordermill.accounts.model import User
from ordermill.accounts.ports import UserFilter
from ordermill.kit.errors import Taken

pytestmark = pytest.mark.anyio


class TestAdd:
    async def test_gives_an_id_by_the_time_commit_returns(self, storage: Storage) -> None:
        async with storage.unit() as unit:
            user = a_user()
            assert await unit.users.add(user) is user
            assert [user.id] == [None]
            await unit.commit()

        assert user.id is not None
        assert await storage.unit().users.get(user.id) == user

    async def test_keeps_an_id_that_is_given(self, storage: Storage) -> None:
        await storage.keep(a_user(id=7))

        assert (await storage.the_user()).id == 7

    async def test_keeps_every_field(self, storage: Storage) -> None:
        moment = datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)
        user = a_user(
            "Zoë.Łukasz@EXAMPLE.org",
            name="Zoë 🦊 Łukasz",
            password_hash="$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",  # nobody's
            is_active=False,
            is_staff=True,
            created_at=moment,
            email_verified_at=NOON,
            erased_at=moment + timedelta(microseconds=1),
            version=3,
        )

        await storage.keep(user)

        stored = await storage.the_user()
        assert stored == user
        assert stored is not user
        assert {type(value) for value in (stored.is_active, stored.is_staff)} == {bool}

    async def test_keeps_what_is_none(self, storage: Storage) -> None:
        await storage.keep(a_user(password_hash=None, email_verified_at=None, erased_at=None))

        stored = await storage.the_user()
        assert (stored.password_hash, stored.email_verified_at, stored.erased_at) == (None, None, None)
        assert not stored.claimed

    async def test_keeps_the_moment_of_another_zone(self, storage: Storage) -> None:
        """RELIABILITY.md 1.1: 23:30-05:00 on January 31 is a moment of February in UTC."""
        in_lima = datetime(2026, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-5)))

        await storage.keep(a_user(created_at=in_lima))

        stored = (await storage.the_user()).created_at
        assert (stored, stored.tzinfo, stored.month) == (in_lima, UTC, 2)

    async def test_refuses_a_moment_without_a_zone(self, storage: Storage) -> None:
        with pytest.raises(Exception, match="naive"):
            await storage.keep(a_user(created_at=datetime(2026, 1, 31, 23, 30)))  # noqa: DTZ001  # what is refused

        assert await storage.unit().users.get_all() == []


class TestUniqueEmail:
    @pytest.mark.parametrize("other", ["ada@example.com", "ADA@Example.COM", " ada@example.com "])
    async def test_is_taken_however_it_is_spelt(self, storage: Storage, other: str) -> None:
        await storage.keep(a_user("ada@example.com", name="first"))

        with pytest.raises(Taken) as caught:
            await storage.keep(a_user(other, name="second"))

        assert caught.value.constraint == "users_email_key"
        assert (await storage.the_user()).name == "first"

    async def test_lets_exactly_one_of_twenty_parallel_registrations_win(self, storage: Storage) -> None:
        """Spelt in upper and lower case, composed and decomposed (RELIABILITY.md E7)."""
        spellings = ("zoë@example.com", "ZOË@example.com", "zoe\u0308@example.com", "ZOE\u0308@EXAMPLE.COM")
        outcomes: list[str] = []

        async def register(number: int) -> None:
            try:
                await storage.keep(a_user(spellings[number % 4], name=f"Zoë {number}"))
            except Taken as taken:
                outcomes.append(taken.constraint)
            else:
                outcomes.append(f"Zoë {number}")

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(register, number)

        winner = await storage.the_user()
        assert sorted(outcomes) == sorted([winner.name, *["users_email_key"] * 19])

    async def test_cannot_be_taken_by_an_update(self, storage: Storage) -> None:
        bob = a_user("bob@example.com")
        await storage.keep(a_user("ada@example.com"), bob)
        bob.email = "Ada@example.com"
        unit = storage.unit()
        await unit.users.update(bob)

        with pytest.raises(Taken) as caught:
            await unit.commit()

        assert caught.value.constraint == "users_email_key"
        assert [user.email for user in await storage.unit().users.get_all()] == ["ada@example.com", "bob@example.com"]

    async def test_is_free_again_once_its_user_has_another(self, storage: Storage) -> None:
        ada = a_user("ada@example.com")
        await storage.keep(ada)
        async with storage.unit() as unit:
            ada.email = "ada@example.org"
            await unit.users.update(ada)
            await unit.commit()

        await storage.keep(a_user("ada@example.com"))

        assert len(await storage.unit().users.get_all()) == 2

    async def test_counts_an_id_that_is_there_as_taken(self, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com", id=7))

        with pytest.raises(Taken) as caught:
            await storage.keep(a_user("bob@example.com", id=7))

        assert caught.value.constraint == "users_pkey"


class TestByEmail:
    @pytest.mark.parametrize("spelt", ["zoë@example.com", "ZOË@EXAMPLE.COM", "zoe\u0308@example.com"])
    async def test_finds_an_address_however_it_is_spelt(self, storage: Storage, spelt: str) -> None:
        await storage.keep(a_user("Zoë@example.com"))

        found = await storage.unit().users.by_email(spelt)

        assert found is not None
        assert found.email == "Zoë@example.com"

    async def test_finds_nobody(self, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com"))

        assert await storage.unit().users.by_email("ada@example.org") is None

    async def test_returns_what_the_unit_was_told(self, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com"))
        unit = storage.unit()
        mine = await unit.users.by_email("ada@example.com")
        assert mine is not None
        mine.name = "Ada L."
        await unit.users.update(mine)

        assert await unit.users.by_email("ada@example.com") is mine


class TestGet:
    async def test_returns_none_for_an_unknown_id(self, storage: Storage) -> None:
        assert await storage.unit().users.get(4711) is None

    async def test_returns_what_the_unit_was_told(self, storage: Storage) -> None:
        await storage.keep(a_user(id=7, name="Ada"))
        unit = storage.unit()
        mine = await unit.users.get(7)
        assert mine is not None
        mine.name = "Ada L."
        await unit.users.update(mine)

        assert await unit.users.get(7) is mine
        other = await storage.unit().users.get(7)
        assert other is not None
        assert other.name == "Ada"

    async def test_returns_an_entity_that_is_nobody_else_s(self, storage: Storage) -> None:
        await storage.keep(a_user(id=7, name="Ada"))
        mine = await storage.unit().users.get(7)
        assert mine is not None

        mine.name = "somebody else"

        assert (await storage.the_user()).name == "Ada"


class TestGetAll:
    async def test_goes_through_all_in_pages_by_id(self, storage: Storage) -> None:
        await storage.keep(*(a_user(f"{number}@example.com") for number in range(5)))
        users = storage.unit().users

        first = await users.get_all(limit=2)
        second = await users.get_all(limit=2, after=first[-1].id)
        third = await users.get_all(limit=2, after=second[-1].id)

        assert [user.email[0] for user in (*first, *second, *third)] == ["0", "1", "2", "3", "4"]
        assert await users.get_all(after=third[-1].id) == []

    async def test_returns_a_hundred_where_no_limit_is_said(self, storage: Storage) -> None:
        await storage.keep(*(a_user(f"{number}@example.com") for number in range(101)))

        assert len(await storage.unit().users.get_all()) == 100

    async def test_leaves_out_what_the_unit_deletes(self, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com", id=1), a_user("bob@example.com", id=2))
        unit = storage.unit()

        assert await unit.users.delete(1)

        assert [user.id for user in await unit.users.get_all()] == [2]


class TestDelete:
    async def test_forgets_a_user_at_commit(self, storage: Storage) -> None:
        await storage.keep(a_user(id=7))
        async with storage.unit() as unit:
            assert await unit.users.delete(7) is True
            assert await unit.users.get(7) is None
            assert await unit.users.delete(7) is False
            assert await storage.unit().users.get(7) is not None
            await unit.commit()

        assert await storage.unit().users.get(7) is None
        assert await storage.unit().users.by_email("ada@example.com") is None

    async def test_says_that_there_is_none(self, storage: Storage) -> None:
        assert await storage.unit().users.delete(4711) is False

    async def test_undoes_what_the_unit_added(self, storage: Storage) -> None:
        async with storage.unit() as unit:
            await unit.users.add(a_user(id=7))
            assert await unit.users.delete(7) is True
            await unit.commit()

        assert await storage.unit().users.get_all() == []


class TestSearch:
    async def found(self, storage: Storage, **wanted: Any) -> list[str]:
        users = await storage.unit().users.search(UserFilter(**wanted), limit=10)
        return [user.email.partition("@")[0] for user in users]

    async def test_finds_by_the_beginning_of_an_address_without_regard_to_case(self, storage: Storage) -> None:
        await storage.keep(*(a_user(f"{name}@example.com") for name in ("Zoë.A", "zoë.b", "azoë")))

        assert await self.found(storage, email="ZOË") == ["Zoë.A", "zoë.b"]
        assert await self.found(storage, email="zoe\u0308.B@example.com") == ["zoë.b"]

    @pytest.mark.parametrize("sign", ["%", "_", "/", "\\", "'"])
    async def test_takes_signs_of_patterns_for_themselves(self, storage: Storage, sign: str) -> None:
        await storage.keep(a_user("plain@example.com", name="Plain"), a_user(f"a{sign}b@example.com", name=f"A {sign} B"))

        assert await self.found(storage, email=f"a{sign}") == [f"a{sign}b"]
        assert await self.found(storage, name=f" {sign} ") == [f"a{sign}b"]

    async def test_finds_a_part_of_a_name_without_regard_to_the_case_of_ascii_letters(self, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com", name="Ada LOVELACE"), a_user("zoe@example.com", name="Zoë Élan"))

        assert await self.found(storage, name="lovelace") == ["ada"]
        assert await self.found(storage, name="zOË") == []
        assert await self.found(storage, name="zoë é") == []
        assert await self.found(storage, name="zoë É") == ["zoe"]

    async def test_finds_by_what_they_are(self, storage: Storage) -> None:
        await storage.keep(
            a_user("plain@example.com", password_hash="argon2$x"),
            a_user("staff@example.com", password_hash="argon2$x", is_staff=True),
            a_user("closed@example.com", password_hash="argon2$x", is_active=False),
            a_user("bought@example.com"),
        )

        assert await self.found(storage, is_staff=True) == ["staff"]
        assert await self.found(storage, is_active=False) == ["closed"]
        assert await self.found(storage, claimed=False) == ["bought"]
        assert await self.found(storage, claimed=True, is_staff=False, is_active=True) == ["plain"]

    async def test_leaves_out_who_was_erased(self, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com"), a_user("erased@example.com", erased_at=NOON))

        assert await self.found(storage) == ["ada"]

    async def test_pages_by_id(self, storage: Storage) -> None:
        await storage.keep(*(a_user(f"{number}@example.com") for number in range(5)), a_user("other@example.org"))
        users = storage.unit().users

        first = await users.search(UserFilter(name="Ada"), limit=4)
        rest = await users.search(UserFilter(name="Ada"), limit=4, after=first[-1].id)

        assert [user.email[0] for user in (*first, *rest)] == ["0", "1", "2", "3", "4", "o"]


class TestLastStaff:
    async def test_stays_however_many_are_closed_out_at_once(self, storage: Storage) -> None:
        staff = [a_user(f"staff{number}@example.com", is_staff=True) for number in range(4)]
        await storage.keep(*staff)

        async def leave(user: User, **to: Any) -> None:
            async with storage.unit() as unit:
                assert user.id is not None
                await unit.users.leave_staff(user.id)
                await unit.users.update(replace(user, **to))
                await unit.commit()

        ways: tuple[dict[str, bool], ...] = ({"is_active": False}, {"is_staff": False})
        done = await asyncio.gather(*(leave(user, **ways[n % 2]) for n, user in enumerate(staff)), return_exceptions=True)

        assert sorted(type(each).__name__ for each in done) == ["LastStaff", "NoneType", "NoneType", "NoneType"]
        assert len(await storage.unit().users.search(UserFilter(is_staff=True, is_active=True), limit=5)) == 1
