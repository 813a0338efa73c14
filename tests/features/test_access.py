"""Sign-in, the sessions behind it, and who stands behind "Bearer "."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest
from access_books import HOME, PASSWORD, SECRET, Door, a_door
from argon2 import PasswordHasher
from builders import NOON
from storages import in_memory

from ordermill.accounts import passwords
from ordermill.accounts.access import InvalidCredentials, RefreshRefused
from ordermill.accounts.api_keys import ApiKeyCreate, ApiKeys
from ordermill.accounts.principal import Principal, Scope
from ordermill.accounts.sessions import KEPT, end_sessions_in
from ordermill.accounts.tokens import Unauthenticated
from ordermill.kit.errors import Forbidden
from ordermill.storage.memory import MemoryStorage

pytestmark = pytest.mark.anyio


@pytest.fixture
def door() -> Door:
    return a_door(in_memory(MemoryStorage()))


async def change(door: Door, **to: object) -> None:
    """Change the only account as a use case does that ends its sessions."""
    async with door.storage.unit() as unit:
        (user,) = await unit.users.get_all()
        await unit.users.update(replace(user, **to))  # type: ignore[arg-type]  # names of fields
        await end_sessions_in(unit, user.id or 0, at=door.clock.now())
        await unit.commit()


class TestSignIn:
    async def test_gives_tokens_that_say_who_it_is(self, door: Door) -> None:
        user = await door.account()

        grant = await door.enters("Ada@Example.com")

        assert grant.expires_in == 900
        assert await door.access.authenticate(grant.access_token) == Principal(actor=f"user:{user.id}", user_id=user.id)
        assert grant.refresh_token.startswith("omr_")

    async def test_keeps_no_more_than_a_hash_of_the_refresh_token(self, door: Door) -> None:
        await door.account()
        grant = await door.enters()
        await door.access.refresh(grant.refresh_token)

        kept = str(await door.storage.rows("sessions", "current_hash", "previous_hash"))

        content = base64.urlsafe_b64decode(grant.refresh_token.removeprefix("omr_"))
        assert content[16:].hex() not in kept
        assert grant.refresh_token not in kept

    async def test_shows_no_token_in_its_text(self, door: Door) -> None:
        await door.account()
        grant = await door.enters()
        assert grant.access_token not in repr(grant)
        assert grant.refresh_token not in repr(grant)

    @pytest.fixture
    def hashes(self) -> Iterator[list[str]]:
        """Every hash that a password is compared with."""
        seen: list[str] = []
        real = PasswordHasher.verify

        def verify(hasher: PasswordHasher, hash: str, password: str) -> bool:
            seen.append(hash)
            return real(hasher, hash, password)

        with patch.object(PasswordHasher, "verify", verify):
            yield seen

    @pytest.mark.parametrize("who", ["unknown", "wrong", "inactive", "unclaimed", "erased", "malformed"])
    async def test_refuses_alike_and_with_equal_work(self, door: Door, hashes: list[str], who: str) -> None:
        """RELIABILITY.md C8: one comparison with today's parameters, and the same words."""
        await door.account("wrong@example.com")
        await door.account("inactive@example.com", is_active=False)
        await door.account("unclaimed@example.com", password_hash=None)
        await door.account("erased@example.com", erased_at=NOON)
        email = "nul\0@example.com" if who == "malformed" else f"{who}@example.com"

        with pytest.raises(InvalidCredentials) as refusal:
            await door.enters(email, "wrong horse battery" if who == "wrong" else PASSWORD)

        assert (refusal.value.code, refusal.value.details) == ("invalid_credentials", {})
        assert refusal.value.message == "E-mail address and password do not belong together, or the account is not active."
        assert [hash.split("$")[1:4] for hash in hashes] == [["argon2id", "v=19", "m=19456,t=2,p=1"]]
        assert await door.storage.rows("sessions", "id") == []

    async def test_hashes_again_what_was_hashed_with_other_parameters(self, door: Door) -> None:
        await door.account(password_hash="argon2" + PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD))

        await door.enters()

        user = await door.storage.the_user()
        assert user.password_hash is not None
        assert not passwords.outdated(user.password_hash)
        await door.enters()
        assert await door.storage.the_user() == user

    async def test_leaves_a_hash_of_today_alone(self, door: Door) -> None:
        user = await door.account()
        await door.enters()
        assert await door.storage.the_user() == user

    @pytest.mark.parametrize(
        "change", [{"password_hash": passwords.hash_password("another horse battery")}, {"is_active": False}]
    )
    async def test_is_refused_when_the_account_changes_meanwhile(self, door: Door, change: dict[str, object]) -> None:
        """The password was right when it was compared, and is not any more when the session begins."""
        await door.account()
        compare = passwords.compare

        def compare_slowly(password: str, hash: str | None) -> bool:
            answer = compare(password, hash)
            asyncio.run(_update(door, **change))
            return answer

        with patch.object(passwords, "compare", compare_slowly), pytest.raises(InvalidCredentials):
            await door.enters()
        assert await door.storage.rows("sessions", "id") == []

    async def test_keeps_the_latest_sessions_of_a_user(self, door: Door) -> None:
        await door.account()
        first, *_ = [await door.access.sign_in("ada@example.com", PASSWORD, address=HOME) for _ in range(2)]
        user = await door.storage.the_user()
        for _ in range(KEPT):
            door.clock.goes(seconds=1)
            # Begun without comparing passwords, which takes most of the time.
            await door.access._begin(user, user.password_hash or "")  # a hundred sign-ins would take seconds

        assert len(await door.storage.rows("sessions", "id")) == KEPT
        with pytest.raises(RefreshRefused):
            await door.access.refresh(first.refresh_token)

    async def test_leaves_it_to_the_sweep_to_forget_sessions_that_are_over(self, door: Door) -> None:
        """One that fails, or takes long, must keep nobody out."""
        await door.account()
        await door.account("bob@example.com")
        await door.enters()
        door.clock.goes(days=30)

        await door.enters("bob@example.com")
        kept = len(await door.storage.rows("sessions", "id"))

        await door.access.sweep()

        assert (kept, len(await door.storage.rows("sessions", "id"))) == (2, 1)


async def _update(door: Door, **to: object) -> None:
    async with door.storage.unit() as unit:
        (user,) = await unit.users.get_all()
        await unit.users.update(replace(user, **to))  # type: ignore[arg-type]  # names of fields
        await unit.commit()


class TestRefresh:
    async def test_gives_the_next_tokens(self, door: Door) -> None:
        user = await door.account()
        first = await door.enters()

        second = await door.access.refresh(first.refresh_token)

        assert second.refresh_token != first.refresh_token
        assert (await door.access.authenticate(second.access_token)).user_id == user.id
        third = await door.access.refresh(second.refresh_token)
        assert third.refresh_token not in {first.refresh_token, second.refresh_token}

    async def test_gives_the_same_successor_when_the_answer_was_lost(self, door: Door) -> None:
        await door.account()
        first = await door.enters()
        second = await door.access.refresh(first.refresh_token)
        door.clock.goes(seconds=10)

        again = await door.access.refresh(first.refresh_token)

        assert again.refresh_token == second.refresh_token
        assert (await door.access.refresh(again.refresh_token)).refresh_token != second.refresh_token

    async def test_a_token_that_comes_back_later_ends_the_session(self, door: Door) -> None:
        user = await door.account()
        first = await door.enters()
        second = await door.access.refresh(first.refresh_token)
        door.clock.goes(seconds=10.001)

        with pytest.raises(RefreshRefused):
            await door.access.refresh(first.refresh_token)

        with pytest.raises(RefreshRefused):
            await door.access.refresh(second.refresh_token)
        (event,) = await door.storage.unit().events.recent()
        assert (event.type, event.user_id, event.data) == ("session.reused", user.id, {})

    async def test_an_older_token_ends_the_session_even_within_the_grace_time(self, door: Door) -> None:
        await door.account()
        first = await door.enters()
        second = await door.access.refresh(first.refresh_token)
        third = await door.access.refresh(second.refresh_token)

        with pytest.raises(RefreshRefused):
            await door.access.refresh(first.refresh_token)
        with pytest.raises(RefreshRefused):
            await door.access.refresh(third.refresh_token)

    async def test_a_made_up_token_of_a_session_ends_it(self, door: Door) -> None:
        await door.account()
        first = await door.enters()
        content = base64.urlsafe_b64decode(first.refresh_token.removeprefix("omr_"))
        forged = "omr_" + base64.urlsafe_b64encode(content[:16] + b"\0" * 32).decode()

        for token in (forged, first.refresh_token):
            with pytest.raises(RefreshRefused):
                await door.access.refresh(token)

    @pytest.mark.parametrize(
        "token", ["", "omr_", "omr_" + "A" * 64, "omr_" + "A" * 63 + "=", "om_" + "A" * 43, "a.b.c", "\ud800"]
    )
    async def test_refuses_what_is_none(self, door: Door, token: str) -> None:
        with pytest.raises(RefreshRefused) as refusal:
            await door.access.refresh(token)
        assert refusal.value.code == "refresh_refused"

    async def test_refuses_an_access_token(self, door: Door) -> None:
        await door.account()
        grant = await door.enters()
        with pytest.raises(RefreshRefused):
            await door.access.refresh(grant.access_token)
        with pytest.raises(Unauthenticated):
            await door.access.authenticate(grant.refresh_token)

    async def test_each_use_puts_the_end_off(self, door: Door) -> None:
        await door.account()
        grant = await door.enters()
        for _ in range(3):
            door.clock.goes(days=29)
            grant = await door.access.refresh(grant.refresh_token)
        door.clock.goes(days=30)

        with pytest.raises(RefreshRefused):
            await door.access.refresh(grant.refresh_token)

    async def test_twenty_at_once_are_one_lineage(self, door: Door) -> None:
        await door.account()
        first = await door.enters()

        grants = await asyncio.gather(*(door.access.refresh(first.refresh_token) for _ in range(20)))

        (successor,) = {grant.refresh_token for grant in grants}
        await door.access.refresh(successor)

    async def test_goes_on_under_a_new_key(self, door: Door) -> None:
        """An answer that was lost while the operator rotated the key: the old one derived the successor."""
        await door.account()
        first = await door.enters()
        second = await door.access.refresh(first.refresh_token)
        rotated = a_door(door.storage, said=f"new-{SECRET},{SECRET}@2026-12-31", clock=door.clock)

        assert (await rotated.access.refresh(first.refresh_token)).refresh_token == second.refresh_token
        await rotated.access.refresh(second.refresh_token)


class TestEnding:
    """RELIABILITY.md C5, D8."""

    async def test_sign_out_ends_the_session(self, door: Door) -> None:
        await door.account()
        here, there = await door.enters(), await door.enters()

        await door.access.sign_out(here.refresh_token)

        with pytest.raises(RefreshRefused):
            await door.access.refresh(here.refresh_token)
        await door.access.refresh(there.refresh_token)

    @pytest.mark.parametrize("token", ["", "omr_" + "A" * 64, "a.b.c"])
    async def test_sign_out_tells_nobody_whether_there_was_a_session(self, door: Door, token: str) -> None:
        await door.account()
        grant = await door.enters()
        await door.access.sign_out(token)
        await door.access.refresh(grant.refresh_token)

    @pytest.mark.parametrize("to", [{"is_active": False}, {"is_staff": True}, {"password_hash": "argon2$argon2id$…"}])
    async def test_a_change_of_the_account_ends_its_sessions(self, door: Door, to: dict[str, object]) -> None:
        await door.account()
        grant = await door.enters()

        await change(door, **to)

        with pytest.raises(RefreshRefused):
            await door.access.refresh(grant.refresh_token)
        # The access token of somebody who is not staff lasts its 15 minutes.
        assert (await door.access.authenticate(grant.access_token)).is_staff is False
        door.clock.goes(minutes=15)
        with pytest.raises(Unauthenticated):
            await door.access.authenticate(grant.access_token)

    async def test_demotion_holds_at_the_next_request(self, door: Door) -> None:
        user = await door.account(is_staff=True)
        grant = await door.enters()
        assert (await door.access.authenticate(grant.access_token)).acts_as_staff

        await change(door, is_staff=False)

        assert await door.access.authenticate(grant.access_token) == Principal(actor=f"user:{user.id}", user_id=user.id)

    @pytest.mark.parametrize("to", [{"is_active": False}, {"erased_at": NOON}])
    async def test_staff_who_may_not_any_more_are_nobody_at_the_next_request(self, door: Door, to: dict[str, object]) -> None:
        await door.account(is_staff=True)
        grant = await door.enters()

        await change(door, **to)

        with pytest.raises(Unauthenticated):
            await door.access.authenticate(grant.access_token)


class TestAuthenticate:
    async def test_asks_the_book_about_no_plain_user(self, door: Door) -> None:
        await door.account()
        grant = await door.enters()
        with patch.object(door.access, "_units", side_effect=AssertionError("the book was asked")):
            await door.access.authenticate(grant.access_token)
            await door.access.authenticate(grant.access_token)

    async def test_a_token_that_was_read_before_still_ends(self, door: Door) -> None:
        await door.account()
        grant = await door.enters()
        await door.access.authenticate(grant.access_token)
        door.clock.goes(minutes=15)
        with pytest.raises(Unauthenticated):
            await door.access.authenticate(grant.access_token)

    async def test_a_token_that_was_read_before_ends_with_its_key(self, door: Door) -> None:
        clock = door.clock
        clock.moment = NOON.replace(month=12, day=31, hour=23, minute=55)
        await door.account()
        grant = await door.enters()
        rotated = a_door(door.storage, said=f"new-{SECRET},{SECRET}@2026-12-31", clock=clock)
        await rotated.access.authenticate(grant.access_token)

        clock.goes(minutes=5)

        with pytest.raises(Unauthenticated):
            await rotated.access.authenticate(grant.access_token)

    async def test_knows_a_program_by_its_key(self, door: Door) -> None:
        keys = ApiKeys(door.storage.unit, clock=door.clock)
        key, secret = await keys.create(ApiKeyCreate(name="Shop", scope=Scope.STOREFRONT), actor="command")
        assert await door.access.authenticate(secret) == Principal(actor=f"key:{key.id}", scope=Scope.STOREFRONT)

        await keys.revoke(key.id, actor="command")

        with pytest.raises(Unauthenticated):
            await door.access.authenticate(secret)

    @pytest.mark.parametrize("sent", ["", "om_", "om_" + "A" * 43, "om_\ud800", "a.b.c", "12", "user:12"])
    async def test_refuses_what_is_nothing(self, door: Door, sent: str) -> None:
        with pytest.raises(Forbidden) as refusal:
            await door.access.authenticate(sent)
        assert refusal.value.code == "unauthenticated"


class TestManyAtOnce:
    async def test_no_more_hashes_are_made_than_there_are_turns(self, door: Door) -> None:
        """RELIABILITY.md C7: each takes 19 MiB, so the number at once is what bounds memory."""
        await door.account()
        running, most = 0, 0
        compare: Callable[[str, str | None], bool] = passwords.compare

        def counted(password: str, hash: str | None) -> bool:
            nonlocal running, most
            running += 1
            most = max(most, running)
            try:
                return compare(password, hash)
            finally:
                running -= 1

        with patch.object(passwords, "compare", counted):
            attempts: list[Awaitable[object]] = [door.enters(f"{n}@example.com", address=f"192.0.2.{n}") for n in range(40)]
            refusals = await asyncio.gather(*attempts, return_exceptions=True)

        assert {type(refusal) for refusal in refusals} == {InvalidCredentials}
        assert 1 <= most <= 4
