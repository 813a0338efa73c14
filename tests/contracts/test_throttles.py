"""`accounts.throttles.ThrottleStore`: counts that no two attempts see alike, and the clock that all processes share."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from access_books import a_door
from builders import LATER, NOON
from clocks import HandClock
from storages import Storage, connected, in_sql

from ordermill.accounts.throttle_rules import Tally
from ordermill.accounts.throttles import Changes, TooManyAttempts
from ordermill.config import DatabaseUrl
from ordermill.kit.clock import SystemClock
from ordermill.kit.errors import Unavailable
from ordermill.storage.clock import DatabaseClock

pytestmark = pytest.mark.anyio

ONE, TWO = "1" * 64, "f" * 64


def write(**changes: Tally | None) -> Changes:
    return {{"one": ONE, "two": TWO}[name]: tally for name, tally in changes.items()}


class TestChange:
    async def test_shows_what_was_written(self, storage: Storage) -> None:
        one, two = Tally(3, NOON, LATER), Tally(1, NOON + timedelta(microseconds=1), LATER)
        await storage.throttles.change([ONE, TWO], lambda _: (write(one=one, two=two), None))
        found = await storage.throttles.change([TWO, ONE, "3" * 64], lambda tallies: ({}, dict(tallies)))
        assert found == {ONE: one, TWO: two}

    async def test_writes_over_and_forgets(self, storage: Storage) -> None:
        tally = Tally(1, NOON, LATER)
        await storage.throttles.change([ONE, TWO], lambda _: (write(one=tally, two=tally), None))
        await storage.throttles.change([ONE, TWO], lambda _: (write(one=None, two=Tally(2, LATER, LATER)), None))
        assert await storage.rows("sign_in_throttles", "key", "failures") == [(TWO, 2)]

    async def test_forgets_what_was_never_there(self, storage: Storage) -> None:
        await storage.throttles.change([ONE], lambda _: (write(one=None), None))
        assert await storage.rows("sign_in_throttles", "key") == []

    async def test_nobody_comes_in_between(self, storage: Storage) -> None:
        """Also for the first of all attempts, for which there is no row yet that could be locked."""

        def count(tallies: Mapping[str, Tally]) -> tuple[Changes, int]:
            failures = tallies[ONE].failures if ONE in tallies else 0
            return {ONE: Tally(failures + 1, NOON, LATER), TWO: Tally(failures + 1, NOON, LATER)}, failures

        orders = [[ONE, TWO], [TWO, ONE]]
        seen = await asyncio.gather(*(storage.throttles.change(orders[number % 2], count) for number in range(30)))

        assert sorted(seen) == list(range(30))
        assert await storage.rows("sign_in_throttles", "key", "failures") == [(ONE, 30), (TWO, 30)]

    async def test_forgets_what_is_over(self, storage: Storage) -> None:
        await storage.throttles.change([ONE, TWO], lambda _: (write(one=Tally(1, NOON, NOON), two=Tally(1, NOON, LATER)), None))
        await storage.throttles.sweep(now=NOON)
        assert await storage.rows("sign_in_throttles", "key") == [(TWO,)]


async def test_a_hundred_at_once_are_no_more_than_five(storage: Storage) -> None:
    """RELIABILITY.md C9, over each storage: from one address against one account."""
    door = a_door(storage)

    async def attempt() -> bool:
        try:
            await door.throttles.begin(email="ada@example.com", address="192.0.2.1")
        except TooManyAttempts:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt() for _ in range(60)))) == 5


class TestDatabaseClock:
    """RELIABILITY.md E15: hosts that are minutes apart agree on the database's time."""

    @pytest.mark.parametrize("ahead", [timedelta(minutes=-5), timedelta(), timedelta(minutes=5)])
    async def test_goes_by_the_database(self, postgres_book: DatabaseUrl, ahead: timedelta) -> None:
        database = connected(postgres_book)
        clock = DatabaseClock(database, clock=HandClock(datetime.now(UTC) + ahead))
        try:
            with psycopg.connect(postgres_book.secret_url) as connection:
                row = connection.execute("SELECT clock_timestamp()").fetchone()
                assert row is not None
                assert abs(await clock.now() - row[0]) < timedelta(seconds=1)
        finally:
            await database.close()

    async def test_a_host_s_clock_that_jumps_does_not_matter(self, postgres_book: DatabaseUrl) -> None:
        database, host = connected(postgres_book), HandClock(datetime.now(UTC))
        clock = DatabaseClock(database, clock=host)
        try:
            before = await clock.now()
            host.goes(hours=-3)
            assert abs(await clock.now() - before) < timedelta(seconds=5)
        finally:
            await database.close()

    async def test_hosts_ten_minutes_apart_know_each_other_s_tokens_at_once(self, postgres_book: DatabaseUrl) -> None:
        database = connected(postgres_book)
        slow, fast = (HandClock(datetime.now(UTC) + timedelta(minutes=minutes)) for minutes in (-5, 5))
        try:
            storage = in_sql(database)
            one = a_door(storage, clock=slow, shared_clock=DatabaseClock(database, clock=slow))
            two = a_door(storage, clock=fast, shared_clock=DatabaseClock(database, clock=fast))
            user = await one.account()
            grants = [await one.enters(), await two.enters()]

            for door in (one, two):
                for grant in grants:
                    assert (await door.access.authenticate(grant.access_token)).user_id == user.id
            second = await one.access.refresh(grants[0].refresh_token)
            again = await two.access.refresh(grants[0].refresh_token)
            assert again.refresh_token == second.refresh_token
        finally:
            await database.close()

    async def test_goes_on_while_the_database_is_away(self, postgres_book: DatabaseUrl) -> None:
        database, host = connected(postgres_book), HandClock(datetime.now(UTC))
        clock = DatabaseClock(database, clock=host)
        try:
            before = await clock.now()
            clock._database = Away()  # type: ignore[assignment]  # it only ever reads
            host.goes(minutes=10)
            assert abs(await clock.now() - before) < timedelta(seconds=5)
        finally:
            await database.close()

    async def test_refuses_where_it_never_knew(self) -> None:
        clock = DatabaseClock(Away(), clock=SystemClock())  # type: ignore[arg-type]  # it only ever reads
        with pytest.raises(Unavailable):
            await clock.now()


class Away:
    """A database that does not answer."""

    async def read(self, _work: object) -> None:
        raise Unavailable("The database does not answer.")
