"""How often somebody may try, and that nobody can keep an account's owner out (RELIABILITY.md C9)."""

import asyncio
from datetime import timedelta

import pytest
from access_books import ABROAD, HOME, PASSWORD, Door, a_door
from storages import in_memory

from ordermill.accounts.access import InvalidCredentials
from ordermill.accounts.throttles import Action, TooManyAttempts
from ordermill.storage.memory import MemoryStorage

pytestmark = pytest.mark.anyio


@pytest.fixture
def door() -> Door:
    return a_door(in_memory(MemoryStorage()))


async def fails(door: Door, email: str = "ada@example.com", *, address: str | None = ABROAD) -> int | None:
    """Count a failed sign-in as the door does; return how long to wait where it was not even tried."""
    try:
        await door.throttles.begin(email=email, address=address)
    except TooManyAttempts as refusal:
        wait = refusal.details["retry_after_s"]
        assert isinstance(wait, int)
        return wait
    return None


class TestOneAddress:
    async def test_waits_longer_and_longer_up_to_15_minutes(self, door: Door) -> None:
        waits = []
        for _ in range(20):
            wait = await fails(door)
            if wait is not None:
                waits.append(wait)
                door.clock.goes(seconds=wait)
                assert await fails(door) is None
            await asyncio.sleep(0)

        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900]

    async def test_a_success_forgives(self, door: Door) -> None:
        await door.account()
        for _ in range(4):
            await fails(door)
        await door.enters(address=ABROAD)
        for _ in range(10):
            assert await fails(door) is None
        assert await fails(door) == 1

    async def test_an_ipv6_network_is_one_address(self, door: Door) -> None:
        for end in range(5):
            assert await fails(door, address=f"2001:db8::{end}") is None
        assert await fails(door, address="2001:db8::ffff:1") == 1
        assert await fails(door, address="2001:db8:0:1::1") is None

    async def test_an_ipv4_address_written_as_ipv6_is_the_same(self, door: Door) -> None:
        for _ in range(5):
            await fails(door, address="::ffff:192.0.2.7")
        assert await fails(door, address=HOME) == 1

    async def test_thirty_accounts_from_one_address_are_enough_for_a_while(self, door: Door) -> None:
        for number in range(30):
            assert await fails(door, f"{number}@example.com") is None
        assert await fails(door, "last@example.com") == 60
        assert await fails(door, "last@example.com", address=HOME) is None
        door.clock.goes(seconds=60)
        assert await fails(door, "last@example.com") is None
        assert await fails(door, "last@example.com") == 60

    async def test_sign_ins_that_succeed_are_not_counted(self, door: Door) -> None:
        for number in range(40):
            attempt = await door.throttles.begin(email=f"{number}@example.com", address=HOME)
            await door.throttles.succeeded(attempt)
        assert await fails(door, "new@example.com", address=HOME) is None

    async def test_an_attacker_s_own_success_gives_back_only_itself(self, door: Door) -> None:
        """Or they would sign in to an account of their own after each guess."""
        for number in range(29):
            await fails(door, f"{number}@example.com")
        attempt = await door.throttles.begin(email="mallory@example.com", address=ABROAD)
        await door.throttles.succeeded(attempt)
        assert await fails(door, "29@example.com") is None
        assert await fails(door, "30@example.com") == 60


class TestOneAccount:
    async def test_takes_at_most_a_hundred_failures_in_a_row(self, door: Door) -> None:
        """From strangers and from a known address together, however patient they are within a day."""
        await door.account()
        await door.enters(address=HOME)
        tried = 0
        for number in range(2000):
            for address in (f"198.51.{number % 250}.{number % 7}", HOME):
                tried += await fails(door, address=address) is None
            door.clock.goes(seconds=40)

        assert tried <= 100

    async def test_a_hundred_at_once_are_no_more_than_ten(self, door: Door) -> None:
        """Counted before they are judged: nobody slips in between looking and counting."""
        waits = await asyncio.gather(*(fails(door, address=f"198.51.100.{number}") for number in range(100)))
        assert waits.count(None) == 10

    async def test_the_owner_comes_in_from_a_known_address_whatever_strangers_do(self, door: Door) -> None:
        await door.account()
        await door.enters(address=HOME)
        for number in range(100):
            await fails(door, address=f"198.51.100.{number}")
            door.clock.goes(minutes=15)
        assert await fails(door, address="203.0.113.1") is not None

        await door.enters(address=HOME)

    async def test_nobody_is_kept_out_for_longer_than_a_day(self, door: Door) -> None:
        await door.account()
        while (await fails(door, address=ABROAD) or 0) <= 900:
            door.clock.goes(minutes=15)
        wait = await fails(door, address=HOME)
        assert wait is not None
        assert 900 < wait <= 86_400

        door.clock.goes(seconds=wait)

        await door.enters(address=HOME)

    async def test_a_password_reset_forgives(self, door: Door) -> None:
        await door.account()
        for number in range(12):
            await fails(door, address=f"198.51.100.{number}")
        with pytest.raises(TooManyAttempts):
            await door.enters()

        await door.throttles.forgive(email="Ada@Example.com", address=HOME)

        await door.enters()

    async def test_an_address_is_known_for_90_days(self, door: Door) -> None:
        await door.account()
        await door.enters(address=HOME)
        door.clock.goes(days=90)
        for number in range(10):
            await fails(door, address=f"198.51.100.{number}")
        with pytest.raises(TooManyAttempts):
            await door.enters(address=HOME)


class TestEverybody:
    async def test_a_thousand_failures_slow_strangers_to_one_a_second(self, door: Door) -> None:
        await door.account()
        await door.enters(address=HOME)
        for number in range(1000):
            assert await fails(door, f"{number}@example.com", address=f"10.{number // 250}.{number % 250}.1") is None

        assert await fails(door, "last@example.com", address="10.9.9.9") == 1
        await door.enters(address=HOME)
        door.clock.goes(seconds=1)
        assert await fails(door, "last@example.com", address="10.9.9.9") is None


class TestRefusal:
    async def test_looks_at_no_password(self, door: Door) -> None:
        await door.account()
        for _ in range(5):
            with pytest.raises(InvalidCredentials):
                await door.enters(password="wrong horse battery")
        with pytest.raises(TooManyAttempts) as refusal:
            await door.enters(password=PASSWORD)
        assert (refusal.value.code, refusal.value.details) == ("too_many_attempts", {"retry_after_s": 1})
        assert await door.storage.rows("sessions", "id") == []

    async def test_is_the_same_where_there_is_no_account(self, door: Door) -> None:
        await door.account()
        told = [[await fails(door, email) for _ in range(7)] for email in ("ada@example.com", "nobody@example.com")]
        assert told[0] == told[1]

    async def test_does_not_count_itself(self, door: Door) -> None:
        for _ in range(5):
            await fails(door)
        before = await door.storage.rows("sign_in_throttles", "key", "failures")
        for _ in range(5):
            assert await fails(door) == 1
        assert await door.storage.rows("sign_in_throttles", "key", "failures") == before

    async def test_keeps_no_addresses_in_clear(self, door: Door) -> None:
        await fails(door, address=ABROAD)
        kept = str(await door.storage.rows("sign_in_throttles", "key"))
        assert "ada" not in kept
        assert ABROAD not in kept


class TestOtherRequests:
    @pytest.mark.parametrize(
        ("action", "burst", "wait"), [("register", 30, 60), ("verify_email", 5, 300), ("reset_password", 5, 300)]
    )
    async def test_have_counts_of_their_own(self, door: Door, action: Action, burst: int, wait: int) -> None:
        for number in range(burst):
            await door.throttles.admit(action, email="ada@example.com", address=f"198.51.100.{number}")
        with pytest.raises(TooManyAttempts) as refusal:
            await door.throttles.admit(action, email="ada@example.com", address=HOME)
        assert refusal.value.details == {"retry_after_s": wait}
        await door.throttles.admit(action, email="bob@example.com", address=HOME)
        assert await fails(door) is None

    async def test_an_address_may_not_ask_for_everybody(self, door: Door) -> None:
        for number in range(20):
            await door.throttles.admit("reset_password", email=f"{number}@example.com", address=HOME)
        with pytest.raises(TooManyAttempts):
            await door.throttles.admit("reset_password", email="last@example.com", address=HOME)


async def test_what_is_over_is_forgotten(door: Door) -> None:
    await fails(door)
    door.clock.goes(days=1, seconds=1)
    await door.throttles.sweep()
    assert await door.storage.rows("sign_in_throttles", "key") == []


async def test_a_clock_that_is_put_back_holds_nobody_for_longer(door: Door) -> None:
    """By five minutes (RELIABILITY.md E15): the wait is what it would have been, and those minutes."""
    for _ in range(6):
        await fails(door)
    door.clock.goes(minutes=-5)
    wait = await fails(door)
    assert wait is not None
    assert timedelta(seconds=wait) <= timedelta(minutes=5, seconds=2)
