"""A link works once, for its purpose, until its end: in memory, on SQLite and on PostgreSQL."""

from datetime import timedelta

import anyio
import pytest
from builders import NOON, a_user
from storages import Storage

from ordermill.accounts.model import User
from ordermill.accounts.one_time import LASTS, LinkInvalid, OneTimeToken, Purpose, digest, issue
from ordermill.kit.errors import Conflict

pytestmark = pytest.mark.anyio

RESET, VERIFY, STAFF = Purpose.RESET_PASSWORD, Purpose.VERIFY_EMAIL, Purpose.FIRST_STAFF


async def issued(storage: Storage, purpose: Purpose, user: User | None = None) -> OneTimeToken:
    """Keep a token of its own for a user."""
    _, token = issue(purpose, user_id=user.id if user else None, at=NOON)
    async with storage.unit() as unit:
        await unit.one_time_tokens.add(token)
        await unit.commit()
    return token


async def somebody(storage: Storage, email: str = "ada@example.com") -> User:
    user = a_user(email)
    await storage.keep(user)
    return user


async def spent(storage: Storage, token: OneTimeToken) -> bool:
    async with storage.unit() as unit:
        await unit.one_time_tokens.spend(token)
        try:
            await unit.commit()
        except LinkInvalid:
            return False
    return True


async def found(storage: Storage, token: OneTimeToken, *, later: timedelta = timedelta(0)) -> OneTimeToken | None:
    return await storage.unit().one_time_tokens.find(token.hash, purpose=token.purpose, now=NOON + later)


class TestIssue:
    def test_makes_another_secret_each_time_and_keeps_only_its_hash(self) -> None:
        secret, token = issue(RESET, user_id=7, at=NOON)
        other, _ = issue(RESET, user_id=7, at=NOON)

        assert len(secret) == 43  # 32 random bytes
        assert secret != other
        assert token.hash == digest(secret)
        assert secret not in repr(token)

    def test_lasts_as_long_as_its_purpose_allows(self) -> None:
        lasts = {purpose: issue(purpose, user_id=7, at=NOON)[1].expires_at - NOON for purpose in Purpose}

        assert lasts == {VERIFY: timedelta(days=3), RESET: timedelta(hours=1), STAFF: timedelta(hours=1)}


class TestFind:
    async def test_returns_what_was_kept(self, storage: Storage) -> None:
        token = await issued(storage, RESET, await somebody(storage))

        assert await found(storage, token) == token

    async def test_does_not_return_it_for_another_purpose(self, storage: Storage) -> None:
        token = await issued(storage, VERIFY, await somebody(storage))

        assert await storage.unit().one_time_tokens.find(token.hash, purpose=RESET, now=NOON) is None

    async def test_returns_it_until_its_very_end(self, storage: Storage) -> None:
        token = await issued(storage, RESET, await somebody(storage))

        assert await found(storage, token, later=LASTS[RESET] - timedelta(microseconds=1)) == token
        assert await found(storage, token, later=LASTS[RESET]) is None


class TestSpend:
    async def test_uses_a_token_up(self, storage: Storage) -> None:
        token = await issued(storage, RESET, await somebody(storage))

        assert await spent(storage, token)
        assert not await spent(storage, token)
        assert await found(storage, token) is None

    async def test_takes_the_user_s_other_tokens_for_this_purpose_along(self, storage: Storage) -> None:
        ada, bob = await somebody(storage), await somebody(storage, "bob@example.com")
        token, same = await issued(storage, RESET, ada), await issued(storage, RESET, ada)
        verify, theirs = await issued(storage, VERIFY, ada), await issued(storage, RESET, bob)

        assert await spent(storage, token)

        assert [await found(storage, each) for each in (same, verify, theirs)] == [None, verify, theirs]

    async def test_undoes_the_whole_unit_when_somebody_else_was_faster(self, storage: Storage) -> None:
        user = await somebody(storage)
        token = await issued(storage, RESET, user)
        assert await spent(storage, token)

        async with storage.unit() as unit:
            user.name = "Eve"
            await unit.users.update(user)
            await unit.one_time_tokens.spend(token)
            with pytest.raises(LinkInvalid):
                await unit.commit()

        assert (await storage.the_user()).name == "Ada"

    @pytest.mark.parametrize("purpose", [RESET, STAFF])
    async def test_lets_one_of_twenty_at_once_win(self, storage: Storage, purpose: Purpose) -> None:
        """Those that make the first staff user are twenty links, all of them gone once one is used."""
        user = await somebody(storage) if purpose is RESET else None
        tokens = [await issued(storage, purpose, user) for _ in range(20 if user is None else 1)]
        won: list[bool] = []

        async def use(number: int) -> None:
            won.append(await spent(storage, tokens[number % len(tokens)]))

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(use, number)

        assert sorted(won) == [False] * 19 + [True]


class TestWithdraw:
    async def test_forgets_a_user_s_tokens_for_some_purposes(self, storage: Storage) -> None:
        ada, bob = await somebody(storage), await somebody(storage, "bob@example.com")
        kept = [await issued(storage, RESET, bob), await issued(storage, STAFF)]
        gone = [await issued(storage, RESET, ada), await issued(storage, VERIFY, ada)]

        async with storage.unit() as unit:
            await unit.one_time_tokens.withdraw(RESET, VERIFY, user_id=ada.id)
            await unit.commit()

        assert [await found(storage, token) for token in (*kept, *gone)] == [*kept, None, None]


class TestAdd:
    async def test_sweeps_what_is_past_its_end(self, storage: Storage) -> None:
        ada = await somebody(storage)
        await issued(storage, RESET, ada)
        verify = await issued(storage, VERIFY, ada)
        _, later = issue(RESET, user_id=ada.id, at=NOON + LASTS[RESET])

        async with storage.unit() as unit:
            await unit.one_time_tokens.add(later)
            await unit.commit()

        assert await storage.rows("one_time_tokens", "hash") == sorted([(verify.hash,), (later.hash,)])

    async def test_of_a_user_who_is_not_there_is_refused(self, storage: Storage) -> None:
        _, token = issue(RESET, user_id=4711, at=NOON)

        async with storage.unit() as unit:
            await unit.one_time_tokens.add(token)
            with pytest.raises(Conflict):
                await unit.commit()

        assert await storage.rows("one_time_tokens", "hash") == []
