"""`accounts.sessions.Sessions`: what each storage promises of them, above all when several use one at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from access_books import a_door
from builders import LATER, NOON, a_user, an_id
from storages import Storage

from ordermill.accounts.access import RefreshRefused
from ordermill.accounts.model import User
from ordermill.accounts.sessions import KEPT, Session, end_sessions_in
from ordermill.kit.errors import StaleVersion
from ordermill.storage.memory import sessions as in_memory
from ordermill.storage.repositories import sessions as in_sql

pytestmark = pytest.mark.anyio

MONTH = timedelta(days=30)


def a_session(user: User, **said: object) -> Session:
    plain = {"id": an_id(), "user_id": user.id, "current_hash": "1" * 64, "created_at": NOON, "expires_at": NOON + MONTH}
    return Session(**{**plain, **said})  # type: ignore[arg-type]  # names of fields


async def a_member(storage: Storage, email: str = "ada@example.com") -> User:
    user = a_user(email, password_hash="argon2$argon2id$…")
    await storage.keep(user)
    return user


async def keep(storage: Storage, *sessions: Session, password_hash: str = "argon2$argon2id$…") -> None:
    for session in sessions:
        async with storage.unit() as unit:
            await unit.sessions.add(session, password_hash=password_hash)
            await unit.commit()


class TestAdd:
    async def test_keeps_all_that_was_said(self, storage: Storage) -> None:
        session = a_session(await a_member(storage))
        await keep(storage, session)
        assert await storage.unit().sessions.get(session.id) == session

    @pytest.mark.parametrize("change", [{"is_active": False}, {"password_hash": "another"}, {"password_hash": None}])
    async def test_refuses_when_the_account_is_not_as_it_was(self, storage: Storage, change: dict[str, object]) -> None:
        user = await a_member(storage)
        async with storage.unit() as unit:
            await unit.users.update(replace(user, **change))  # type: ignore[arg-type]  # names of fields
            await unit.commit()

        with pytest.raises(StaleVersion):
            await keep(storage, a_session(user))
        assert await storage.rows("sessions", "id") == []

    async def test_forgets_the_user_s_dead_sessions_and_nobody_else_s(self, storage: Storage) -> None:
        ada, bob = await a_member(storage), await a_member(storage, "bob@example.com")
        ended, revoked, alive = a_session(ada, expires_at=LATER), a_session(ada, revoked_at=NOON), a_session(ada)
        foreign = a_session(bob, expires_at=LATER)
        await keep(storage, ended, revoked, alive, foreign)
        fresh = a_session(ada, created_at=LATER)

        await keep(storage, fresh)

        assert await storage.rows("sessions", "id") == sorted([(alive.id,), (foreign.id,), (fresh.id,)])

    async def test_keeps_the_latest(self, storage: Storage) -> None:
        user = await a_member(storage)
        sessions = [a_session(user) for _ in range(KEPT + 2)]
        await keep(storage, *sessions)
        assert await storage.rows("sessions", "id") == sorted(
            (session.id,) for session in sorted(sessions, key=lambda each: each.id)[2:]
        )


class TestRotate:
    async def test_puts_a_token_in_the_place_of_the_current_one(self, storage: Storage) -> None:
        session = a_session(await a_member(storage))
        await keep(storage, session)

        async with storage.unit() as unit:
            await unit.sessions.rotate(session.id, current="1" * 64, successor="2" * 64, at=LATER, expires_at=LATER + MONTH)
            await unit.commit()

        assert await storage.unit().sessions.get(session.id) == replace(
            session, current_hash="2" * 64, previous_hash="1" * 64, refreshed_at=LATER, expires_at=LATER + MONTH
        )

    @pytest.mark.parametrize("kept", [{"current_hash": "3" * 64}, {"revoked_at": NOON}])
    async def test_refuses_another_token_and_a_revoked_session(self, storage: Storage, kept: dict[str, object]) -> None:
        session = a_session(await a_member(storage), **kept)
        await keep(storage, session)

        async with storage.unit() as unit:
            await unit.sessions.rotate(session.id, current="1" * 64, successor="2" * 64, at=LATER, expires_at=LATER)
            with pytest.raises(StaleVersion):
                await unit.commit()

        assert await storage.unit().sessions.get(session.id) == session

    async def test_one_of_twenty_wins(self, storage: Storage) -> None:
        session = a_session(await a_member(storage))
        await keep(storage, session)

        async def rotate(number: int) -> bool:
            async with storage.unit() as unit:
                await unit.sessions.rotate(session.id, current="1" * 64, successor=f"{number:064}", at=LATER, expires_at=LATER)
                try:
                    await unit.commit()
                except StaleVersion:
                    return False
            return True

        assert sum(await asyncio.gather(*map(rotate, range(20)))) == 1


class TestRevoke:
    async def test_revokes_one_and_leaves_the_moment_of_the_first_time(self, storage: Storage) -> None:
        user = await a_member(storage)
        session, other = a_session(user), a_session(user)
        await keep(storage, session, other)
        for moment in (NOON, LATER):
            async with storage.unit() as unit:
                await unit.sessions.revoke(session.id, at=moment)
                await unit.commit()

        assert await storage.unit().sessions.get(session.id) == replace(session, revoked_at=NOON)
        assert await storage.unit().sessions.get(other.id) == other

    async def test_revokes_all_of_a_user(self, storage: Storage) -> None:
        ada, bob = await a_member(storage), await a_member(storage, "bob@example.com")
        sessions = [a_session(ada), a_session(ada), a_session(bob)]
        await keep(storage, *sessions)

        async with storage.unit() as unit:
            await end_sessions_in(unit, ada.id or 0, at=LATER)
            await unit.commit()

        found = [await storage.unit().sessions.get(session.id) for session in sessions]
        assert [session and session.revoked_at for session in found] == [LATER, LATER, None]

    async def test_is_undone_with_its_unit(self, storage: Storage) -> None:
        session = a_session(await a_member(storage))
        await keep(storage, session)
        async with storage.unit() as unit:
            await end_sessions_in(unit, session.user_id, at=LATER)
        assert await storage.unit().sessions.get(session.id) == session

    async def test_no_sign_in_slips_through_a_change_of_the_account(self, storage: Storage) -> None:
        """However the two meet: the session was refused, or is revoked."""
        for number in range(10):
            user = await a_member(storage, f"{number}@example.com")

            async def deactivate(user: User = user) -> None:
                async with storage.unit() as unit:
                    await end_sessions_in(unit, user.id or 0, at=LATER)
                    await unit.users.update(replace(user, is_active=False))
                    await unit.commit()

            begun = [keep(storage, a_session(user)) for _ in range(3)]
            await asyncio.gather(
                *begun, deactivate(), *[keep(storage, a_session(user)) for _ in range(3)], return_exceptions=True
            )

        assert [row for row in await storage.rows("sessions", "revoked_at") if row == (None,)] == []


class TestSweep:
    async def test_forgets_what_is_over(self, storage: Storage) -> None:
        user = await a_member(storage)
        alive, expired = a_session(user), a_session(user, expires_at=LATER)
        revoked, long_revoked = a_session(user), a_session(user)
        await keep(storage, alive, expired, revoked, long_revoked)
        for session, moment in ((revoked, LATER), (long_revoked, LATER - timedelta(days=1))):
            async with storage.unit() as unit:
                await unit.sessions.revoke(session.id, at=moment)
                await unit.commit()

        async with storage.unit() as unit:
            await unit.sessions.sweep(now=LATER)
            await unit.commit()

        assert await storage.rows("sessions", "id") == sorted([(alive.id,), (revoked.id,)])

    async def test_forgets_so_many_at_a_time(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (in_memory, in_sql):
            monkeypatch.setattr(module, "SWEPT", 2)
        user = await a_member(storage)
        await keep(storage, *(a_session(user, expires_at=LATER) for _ in range(3)))

        left = []
        for _ in range(2):
            async with storage.unit() as unit:
                await unit.sessions.sweep(now=LATER)
                await unit.commit()
            left.append(len(await storage.rows("sessions", "id")))

        assert left == [1, 0]


class TestLineage:
    """RELIABILITY.md C4, on each storage."""

    async def test_twenty_refreshes_at_once_are_one_lineage(self, storage: Storage) -> None:
        door = a_door(storage)
        await door.account()
        first = await door.enters()

        grants = await asyncio.gather(*(door.access.refresh(first.refresh_token) for _ in range(20)))

        (successor,) = {grant.refresh_token for grant in grants}
        assert (await door.access.refresh(successor)).refresh_token != successor
        assert len(await storage.rows("sessions", "id")) == 1

    async def test_reuse_ends_it_for_good(self, storage: Storage) -> None:
        door = a_door(storage)
        await door.account()
        first = await door.enters()
        second = await door.access.refresh(first.refresh_token)
        third = await door.access.refresh(second.refresh_token)

        for token in (first.refresh_token, second.refresh_token, third.refresh_token):
            with pytest.raises(RefreshRefused):
                await door.access.refresh(token)

        assert [event.type for event in await storage.unit().events.recent()] == ["session.reused"]

    async def test_parallel_sign_ins_of_one_user_all_succeed(self, storage: Storage) -> None:
        door = a_door(storage)
        await door.account()
        await door.enters()
        grants = await asyncio.gather(*(door.enters() for _ in range(8)))
        assert len({grant.refresh_token for grant in grants}) == 8
