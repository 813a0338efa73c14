"""What PostgreSQL does to a unit: lost races are run again, everything else is said in time and leaves nothing (E9)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from builders import LATER, NOON, a_batch, a_file, a_user, an_event, an_order, sold
from servers import Postgres
from sqlalchemy import Connection, text
from storages import Storage, in_sql

from ordermill.config import DatabaseUrl
from ordermill.kit.errors import StaleVersion, Taken, Unavailable
from ordermill.orders.model import Status
from ordermill.storage import postgres as module
from ordermill.storage.postgres import PostgresDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(postgres_book: DatabaseUrl, anyio_backend: str) -> AsyncIterator[PostgresDatabase]:
    opened = PostgresDatabase(postgres_book.secret_url)
    yield opened
    await opened.close()


@pytest.fixture
def storage(database: PostgresDatabase) -> Storage:
    return in_sql(database)


@pytest.fixture
async def hasty(postgres_book: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, anyio_backend: str) -> AsyncIterator[Any]:
    """A database with one connection and limits that a test can wait for."""
    monkeypatch.setattr(module, "POOL_SIZE", 1)
    monkeypatch.setattr(module, "POOL_TIMEOUT_S", 0.2)
    limits = {"statement_timeout": "150ms", "lock_timeout": "100ms", "idle_in_transaction_session_timeout": "100ms"}
    monkeypatch.setattr(module, "_SETTINGS", {**module._SETTINGS, **limits})
    opened = PostgresDatabase(postgres_book.secret_url)
    yield opened
    await opened.close()


@contextmanager
def _open_transaction(url: DatabaseUrl, statement: str) -> Iterator[psycopg.Connection]:
    """Hold what a statement locks, as a slow neighbour would."""
    with psycopg.connect(url.secret_url) as neighbour:
        neighbour.execute(statement.encode())
        yield neighbour
        neighbour.rollback()


async def _emails(storage: Storage) -> list[str]:
    return [email for (email,) in await storage.rows("users", "email")]


def _rename(connection: Connection, email: str) -> None:
    connection.execute(text("UPDATE users SET name = name || '!' WHERE email = :email"), {"email": email})


class TestLostRace:
    async def test_of_two_units_that_lock_in_opposite_order_is_run_again(
        self, database: PostgresDatabase, storage: Storage
    ) -> None:
        await storage.keep(a_user("ada@example.com"), a_user("bob@example.com"))
        runs: list[str] = []

        def crossing(first: str, second: str) -> Callable[[Connection], None]:
            def work(connection: Connection) -> None:
                runs.append(first)
                _rename(connection, first)
                connection.execute(text("SELECT pg_sleep(0.3)"))  # until the other holds its first row, too
                _rename(connection, second)

            return work

        await asyncio.gather(
            database.write(crossing("ada@example.com", "bob@example.com")),
            database.write(crossing("bob@example.com", "ada@example.com")),
        )

        assert len(runs) == 3
        assert await storage.rows("users", "name") == [("Ada!!",), ("Ada!!",)]

    async def test_by_serialization_is_run_again_as_a_whole(self, database: PostgresDatabase, storage: Storage) -> None:
        runs = 0

        def work(connection: Connection) -> int:
            nonlocal runs
            runs += 1
            connection.execute(text("INSERT INTO channels (name, created_at) VALUES ('shop', now())"))
            if runs < 3:
                connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))
            return runs

        assert await database.write(work) == 3
        assert len(await storage.rows("channels", "id")) == 1

    async def test_is_not_run_for_ever(self, database: PostgresDatabase, storage: Storage) -> None:
        runs = 0

        def work(connection: Connection) -> None:
            nonlocal runs
            runs += 1
            connection.execute(text("INSERT INTO channels (name, created_at) VALUES ('shop', now())"))
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$"))

        with pytest.raises(Unavailable) as caught:
            await database.write(work)

        assert caught.value.code == "database_unavailable"
        assert runs == module.ATTEMPTS
        assert await storage.rows("channels", "id") == []

    async def test_for_a_unique_value_is_taken_once_the_other_has_committed(
        self, storage: Storage, postgres_book: DatabaseUrl
    ) -> None:
        insert = (
            "INSERT INTO users (email, email_key, name, is_active, is_staff, created_at, version) "
            "VALUES ('ada@example.com', 'ada@example.com', 'first', true, false, now(), 1)"
        )
        with _open_transaction(postgres_book, insert) as neighbour:
            waiting = asyncio.ensure_future(storage.keep(a_user("ada@example.com", name="second")))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            neighbour.commit()

            with pytest.raises(Taken) as caught:
                await waiting

        assert caught.value.constraint == "users_email_key"
        assert (await storage.the_user()).name == "first"

    async def test_for_a_unique_value_is_won_once_the_other_has_rolled_back(
        self, storage: Storage, postgres_book: DatabaseUrl
    ) -> None:
        insert = (
            "INSERT INTO users (email, email_key, name, is_active, is_staff, created_at, version) "
            "VALUES ('ada@example.com', 'ada@example.com', 'first', true, false, now(), 1)"
        )
        with _open_transaction(postgres_book, insert) as neighbour:
            waiting = asyncio.ensure_future(storage.keep(a_user("ada@example.com", name="second")))
            await asyncio.sleep(0.2)
            neighbour.rollback()
            await waiting

        assert (await storage.the_user()).name == "second"


class TestImport:
    async def test_does_not_overwrite_a_status_that_changes_while_it_loads(
        self, storage: Storage, postgres_book: DatabaseUrl
    ) -> None:
        """The batch was compared with the order as it was before; it is compared again."""
        first = await storage.imports.begin(a_file(), at=NOON, actor="cli")
        await storage.imports.load(first, a_batch(sold("1001", status="processing")), at=NOON)
        second = await storage.imports.begin(a_file(sha256="1" * 64), at=NOON, actor="cli")
        change = "UPDATE orders SET status = 'shipped', status_set_here = true, version = version + 1"

        with _open_transaction(postgres_book, change) as neighbour:
            newer = a_batch(sold("1001", status="delivered", note="new"))
            loading = asyncio.ensure_future(storage.imports.load(second, newer, at=LATER))
            await asyncio.sleep(0.3)
            assert not loading.done()
            neighbour.commit()
            loaded = await loading

        assert loaded is not None
        assert (loaded.tally.orders["updated"], loaded.tally.orders["kept"]) == (1, 1)
        order = await storage.the_order()
        assert (order.status, order.note, order.version) == (Status.SHIPPED, "new", 3)
        assert second.checkpoint == 1


class TestPool:
    async def test_without_a_free_connection_says_so_in_time(self, hasty: PostgresDatabase) -> None:
        busy = asyncio.ensure_future(hasty.read(lambda c: c.execute(text("SELECT pg_sleep(5)")).scalar(), patient=True))
        await asyncio.sleep(0.1)
        began = time.monotonic()

        with pytest.raises(Unavailable) as caught:
            await in_sql(hasty).keep(a_user())

        assert caught.value.code == "database_busy"
        assert time.monotonic() - began < 2
        busy.cancel()
        await asyncio.wait([busy])
        assert await _emails(in_sql(hasty)) == []

    async def test_gets_every_connection_back_from_units_that_are_cancelled(
        self, database: PostgresDatabase, postgres_book: DatabaseUrl
    ) -> None:
        def slow(connection: Connection) -> None:
            connection.execute(text("SELECT pg_sleep(5)"))

        for _ in range(3):
            tasks = [asyncio.ensure_future(database.write(slow)) for _ in range(module.POOL_SIZE)]
            await asyncio.sleep(0.1)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

        assert await database.read(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1
        with psycopg.connect(postgres_book.secret_url) as observer:
            query = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.state = 'idle in transaction'"
            assert observer.execute(query).fetchone() == (0,)


class TestLimits:
    async def test_on_a_statement_end_it(self, hasty: PostgresDatabase) -> None:
        def work(connection: Connection) -> None:
            connection.execute(text("INSERT INTO channels (name, created_at) VALUES ('shop', now())"))
            connection.execute(text("SELECT pg_sleep(5)"))

        with pytest.raises(Unavailable, match="canceling statement due to statement timeout"):
            await hasty.write(work)

        assert await in_sql(hasty).rows("channels", "id") == []

    async def test_on_a_statement_are_lifted_for_patient_readers(self, hasty: PostgresDatabase) -> None:
        query = text("SELECT 7 FROM pg_sleep(0.4)")

        with pytest.raises(Unavailable):
            await hasty.read(lambda connection: connection.execute(query).scalar())

        assert await hasty.read(lambda connection: connection.execute(query).scalar(), patient=True) == 7

    async def test_on_waiting_for_a_lock_end_it(self, hasty: PostgresDatabase, postgres_book: DatabaseUrl) -> None:
        storage = in_sql(hasty)
        await storage.keep(a_user(name="Ada"))
        user = await storage.the_user()
        user.name = "changed"
        unit = storage.unit()
        await unit.orders.add(an_order())
        await unit.users.update(user)

        with (
            _open_transaction(postgres_book, "SELECT * FROM users FOR UPDATE"),
            pytest.raises(Unavailable, match="canceling statement due to lock timeout"),
        ):
            await unit.commit()

        assert (await storage.the_user()).name == "Ada"
        assert await storage.unit().orders.get_all() == []
        assert user.version == 1

    async def test_on_idling_in_a_transaction_end_it(self, hasty: PostgresDatabase) -> None:
        def work(connection: Connection) -> None:
            connection.execute(text("INSERT INTO channels (name, created_at) VALUES ('shop', now())"))
            time.sleep(0.3)
            connection.execute(text("SELECT 1"))

        with pytest.raises(Unavailable):
            await hasty.write(work)

        assert await in_sql(hasty).rows("channels", "id") == []

    async def test_hold_on_every_connection(self, database: PostgresDatabase) -> None:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone")

        def look(connection: Connection) -> list[Any]:
            return [connection.execute(text(f"SHOW {name}")).scalar() for name in names]

        assert await database.read(look) == ["1min", "10s", "1min", "UTC"]
        assert await database.write(look) == ["1min", "10s", "1min", "UTC"]


class TestReading:
    async def test_cannot_write(self, database: PostgresDatabase, storage: Storage) -> None:
        await storage.keep(a_user())

        with pytest.raises(Unavailable, match="read-only transaction"):
            await database.read(lambda connection: connection.execute(text("DELETE FROM users")).rowcount)

        assert len(await _emails(storage)) == 1

    async def test_sees_one_snapshot(self, database: PostgresDatabase, storage: Storage) -> None:
        def look(connection: Connection) -> list[Any]:
            query = text("SELECT count(*), pg_sleep(0.3)::text FROM users")
            return [connection.execute(query).one()[0] for _ in range(2)]

        looked = asyncio.ensure_future(database.read(look))
        await asyncio.sleep(0.1)
        await storage.keep(a_user())

        assert await looked == [0, 0]


class TestLostConnection:
    async def test_in_the_middle_of_a_unit_leaves_nothing(self, database: PostgresDatabase, storage: Storage) -> None:
        def work(connection: Connection) -> None:
            connection.execute(text("INSERT INTO channels (name, created_at) VALUES ('shop', now())"))
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with pytest.raises(Unavailable) as caught:
            await database.write(work)

        assert caught.value.code == "database_unavailable"
        assert await storage.rows("channels", "id") == []

    async def test_by_a_server_that_is_gone_is_said_and_mended(
        self, storage: Storage, postgres: Postgres, database: PostgresDatabase
    ) -> None:
        await storage.keep(a_user("ada@example.com"))
        postgres.kill()
        try:
            for _ in range(2):
                order = an_order()
                with pytest.raises(Unavailable) as caught:
                    await storage.keep(order, an_event(order.id, sequence=1))
                assert caught.value.code == "database_unavailable"
                with pytest.raises(Unavailable):
                    await storage.the_user()
        finally:
            postgres.start()

        await storage.keep(a_user("bob@example.com"))

        assert await _emails(storage) == ["ada@example.com", "bob@example.com"]
        assert await storage.unit().orders.get_all() == []

    async def test_to_a_server_that_never_was_is_said_without_the_password(self, postgres_url: str) -> None:
        host = postgres_url.partition("?")[2]
        database = PostgresDatabase(f"postgresql://postgres:secret-7@/nowhere?{host}")

        with pytest.raises(Unavailable) as caught:
            await database.read(lambda connection: connection.execute(text("SELECT 1")).scalar())

        assert str(caught.value) == 'The database failed: database "nowhere" does not exist.'
        assert "secret-7" not in repr(caught.value)
        await database.close()


class TestErrors:
    async def test_carry_nobody_s_data(self, storage: Storage) -> None:
        """RELIABILITY.md C10: SQLAlchemy's texts carry the parameters, PostgreSQL's details the row."""
        await storage.keep(a_user("ada@example.com", id=7))

        with pytest.raises(Taken) as caught:
            await storage.keep(a_user("ada@example.com", name="canary-name", password_hash="canary-hash"))

        told = [str(caught.value), repr(caught.value), str(caught.value.details), str(caught.value.__cause__)]
        assert not [text for text in told if "canary" in text]

    async def test_of_guards_are_no_cause_of_themselves(self, storage: Storage) -> None:
        await storage.keep(a_user(id=7))
        stale = a_user(id=7, version=3)
        unit = storage.unit()
        await unit.users.update(stale)

        with pytest.raises(StaleVersion) as caught:
            await unit.commit()

        assert caught.value.__cause__ is None
