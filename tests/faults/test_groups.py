"""Units that share one COMMIT on SQLite never pay for each other, and the writer outlives whatever it is given."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import pytest
from builders import a_user, an_event, an_order
from sqlalchemy import Connection, text
from sqlalchemy.exc import StatementError
from storages import Storage, in_sql

from ordermill.config import DatabaseUrl
from ordermill.kit.errors import Conflict, Taken, Unavailable
from ordermill.storage.database import Database
from ordermill.storage.sqlite import SqliteDatabase, connect

pytestmark = pytest.mark.anyio

Outcome = Any


@pytest.fixture
async def sqlite(sqlite_book: DatabaseUrl, anyio_backend: str) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(sqlite_book.path)
    yield opened
    await opened.close()


@pytest.fixture
def storage(sqlite: SqliteDatabase) -> Storage:
    return in_sql(sqlite)


async def _in_one_group(sqlite: SqliteDatabase, *units: Coroutine[Any, Any, Any]) -> list[Outcome]:
    """Keep the writer busy until all units wait for it, so that it takes them together; return results and errors."""
    busy, go_on = threading.Event(), threading.Event()

    def block(_: Connection) -> None:
        busy.set()
        go_on.wait(10)

    blocker = asyncio.ensure_future(sqlite.write(block))
    await asyncio.to_thread(busy.wait, 10)
    waiting = [asyncio.ensure_future(unit) for unit in units]
    await asyncio.sleep(0.02)  # each runs as far as the queue
    go_on.set()
    async with asyncio.timeout(30):  # a writer that died would never answer
        await blocker
        return list(await asyncio.gather(*waiting, return_exceptions=True))


async def _emails(storage: Storage) -> list[str]:
    return [email for (email,) in await storage.rows("users", "email")]


class TestGroup:
    async def test_shares_one_transaction(self, sqlite: SqliteDatabase, storage: Storage, sqlite_book: DatabaseUrl) -> None:
        """Otherwise the tests below would prove nothing."""

        def look(connection: Connection) -> tuple[int, int]:
            inside = connection.execute(text("SELECT count(*) FROM users")).scalar_one()
            outside = connect(sqlite_book.path, readonly=True)
            (committed,) = outside.execute("SELECT count(*) FROM users").fetchone()
            outside.close()
            return inside, committed

        results = await _in_one_group(sqlite, storage.keep(a_user()), sqlite.write(look))

        assert results == [None, (1, 0)]

    async def test_commits_many_more_units_than_one_group_holds(self, sqlite: SqliteDatabase, storage: Storage) -> None:
        users = [a_user(f"{number}@example.com") for number in range(200)]

        results = await _in_one_group(sqlite, *(storage.keep(user) for user in users))

        assert results == [None] * 200
        assert len({user.id for user in users}) == 200
        assert len(await _emails(storage)) == 200


class TestUnitThatFailsAtCommit:
    """Django's foreign keys are deferred: SQLite judges them when the whole group commits."""

    async def test_leaves_its_neighbours_untouched(self, sqlite: SqliteDatabase, storage: Storage) -> None:
        order = an_order(customer_id=4711)
        users = [a_user(f"{name}@example.com") for name in ("ada", "bob", "cleo")]

        results = await _in_one_group(
            sqlite,
            storage.keep(users[0]),
            storage.keep(a_user("guilty@example.com"), order, an_event(order.id, sequence=1)),
            storage.keep(users[1]),
            storage.keep(users[2]),
        )

        assert [type(result) for result in results] == [type(None), Conflict, type(None), type(None)]
        assert await _emails(storage) == ["ada@example.com", "bob@example.com", "cleo@example.com"]
        assert await storage.unit().orders.get_all() == []
        assert await storage.unit().events.recent() == []
        stored = {user.email: user.id for user in await storage.unit().users.get_all()}
        assert stored == {user.email: user.id for user in users}

    async def test_takes_no_value_away_from_a_neighbour(self, sqlite: SqliteDatabase, storage: Storage) -> None:
        """The neighbour was refused for the sake of a row that is undone, and the id it had meanwhile went to another."""
        results = await _in_one_group(
            sqlite,
            storage.keep(a_user("ada@example.com", name="guilty"), an_order(customer_id=4711)),
            storage.keep(a_user("bob@example.com"), a_user("ada@example.com", name="innocent")),
            storage.keep(a_user("cleo@example.com")),
        )

        assert [type(result) for result in results] == [Conflict, type(None), type(None)]
        assert await storage.rows("users", "email", "name") == [
            ("ada@example.com", "innocent"),
            ("bob@example.com", "Ada"),
            ("cleo@example.com", "Ada"),
        ]

    async def test_alone_leaves_nothing(self, storage: Storage) -> None:
        with pytest.raises(Conflict):
            await storage.keep(a_user(), an_order(customer_id=4711))

        assert await _emails(storage) == []


class TestUnitThatIsRefused:
    async def test_in_its_middle_leaves_nothing_and_its_neighbours_commit(
        self, sqlite: SqliteDatabase, storage: Storage
    ) -> None:
        await storage.keep(a_user("taken@example.com"))

        results = await _in_one_group(
            sqlite,
            storage.keep(a_user("ada@example.com")),
            storage.keep(a_user("guilty@example.com"), a_user("taken@example.com"), a_user("never@example.com")),
            storage.keep(a_user("bob@example.com")),
        )

        assert [type(result) for result in results] == [type(None), Taken, type(None)]
        assert await _emails(storage) == ["ada@example.com", "bob@example.com", "taken@example.com"]

    @pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt, SystemExit])
    async def test_by_any_exception_at_all_leaves_the_writer_alive(
        self, sqlite: SqliteDatabase, storage: Storage, error: type[BaseException]
    ) -> None:
        def fail(connection: Connection) -> None:
            connection.execute(text("DELETE FROM users"))
            raise error

        async def contained() -> BaseException | None:
            # A task that ends in SystemExit would end the test run.
            try:
                await sqlite.write(fail)
            except BaseException as raised:  # noqa: BLE001  # that is the question
                return raised
            return None

        results = await _in_one_group(sqlite, storage.keep(a_user("ada@example.com")), contained())
        await storage.keep(a_user("bob@example.com"))

        assert [type(result) for result in results] == [type(None), error]
        assert await _emails(storage) == ["ada@example.com", "bob@example.com"]


class TestUnitThatIsCancelled:
    async def test_while_it_waits_leaves_nothing_and_its_neighbours_commit(
        self, sqlite: SqliteDatabase, storage: Storage
    ) -> None:
        async def give_up() -> None:
            waiting = asyncio.ensure_future(storage.keep(a_user("impatient@example.com")))
            await asyncio.sleep(0)  # until it is in the queue
            waiting.cancel()
            await waiting

        results = await _in_one_group(
            sqlite, storage.keep(a_user("ada@example.com")), give_up(), storage.keep(a_user("bob@example.com"))
        )

        assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
        assert await _emails(storage) == ["ada@example.com", "bob@example.com"]

    async def test_while_it_runs_is_all_there_or_not_at_all(self, sqlite: SqliteDatabase, storage: Storage) -> None:
        for delay in range(20):
            order = an_order(str(delay))
            task = asyncio.ensure_future(storage.keep(order, an_event(order.id, sequence=1)))
            await asyncio.sleep(delay / 10_000)
            task.cancel()
            await asyncio.wait([task])
        async with asyncio.timeout(30):
            await storage.keep(a_user())  # whatever was cancelled lies before it in the queue

        orders = {id for (id,) in await storage.rows("orders", "id")}
        assert orders == {id for (id,) in await storage.rows("events", "order_id")}
        assert orders == {id for (id,) in await storage.rows("order_items", "order_id")}


class TestFullDisk:
    async def test_fails_what_does_not_fit_and_nothing_else(self, sqlite: SqliteDatabase, storage: Storage) -> None:
        def fill(connection: Connection) -> None:
            (pages,) = connection.exec_driver_sql("PRAGMA page_count").fetchone() or (0,)
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")

        await sqlite.write(fill)

        results = await _in_one_group(
            sqlite,
            storage.keep(a_user("ada@example.com")),
            storage.keep(a_user("guilty@example.com"), an_order(note="x" * 1_000_000)),
            storage.keep(a_user("bob@example.com")),
        )

        assert [type(result) for result in results] == [type(None), Unavailable, type(None)]
        assert str(results[1]) == "The database failed: database or disk is full."
        assert await _emails(storage) == ["ada@example.com", "bob@example.com"]


class TestEveryChange:
    """RELIABILITY.md E6, on both databases: an exception at any change of a unit leaves nothing of it."""

    CHANGES: Final = 6

    @pytest.mark.parametrize("position", range(CHANGES + 1))
    async def test_may_be_the_one_that_fails(self, database: Database, position: int) -> None:
        storage = in_sql(database)
        known, sold = a_user("known@example.com"), an_order("known")
        await storage.keep(known, sold)
        before = await _contents(storage)

        with pytest.raises(StatementError, match="not JSON serializable"):
            await self._attempt(storage, failing_at=position)

        assert await _contents(storage) == before

    async def test_may_succeed(self, database: Database) -> None:
        """Otherwise the test above would prove nothing."""
        storage = in_sql(database)
        await storage.keep(a_user("known@example.com"), an_order("known"))
        before = await _contents(storage)

        await self._attempt(storage, failing_at=None)

        after = await _contents(storage)
        assert [len(after[table]) - len(before[table]) for table in before] == [1, 0, 0, 1]

    async def _attempt(self, storage: Storage, *, failing_at: int | None) -> None:
        known, sold = await storage.the_user(), await storage.the_order()
        known.name, sold.note = "changed", "changed"
        new, order = a_user("new@example.com"), an_order("new")
        async with storage.unit() as unit:
            steps: list[Callable[[], Coroutine[Any, Any, Any]]] = [
                lambda: unit.users.add(new),
                lambda: unit.users.update(known),
                lambda: unit.orders.add(order),
                lambda: unit.orders.update(sold),
                lambda: unit.orders.delete(order.id),
                lambda: unit.events.append(an_event(sold.id, sequence=1)),
            ]
            assert len(steps) == self.CHANGES
            for position in range(self.CHANGES + 1):
                if position == failing_at:
                    await unit.events.append(an_event(data={"unwritable": object()}))
                if position < self.CHANGES:
                    await steps[position]()
            await unit.commit()


async def _contents(storage: Storage) -> dict[str, list[Any]]:
    columns = {
        "users": ("id", "name", "version"),
        "orders": ("id", "note", "version"),
        "order_items": ("id", "sku"),
        "events": ("id",),
    }
    return {table: await storage.rows(table, *names) for table, names in columns.items()}
