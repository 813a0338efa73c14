"""Erasing somebody while an import brings the same person's orders, on both databases: whoever is first, nothing stays."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import pytest
from builders import LATER, NOON, a_batch, a_file, a_user, an_id, sold
from sqlalchemy import Connection, func, select
from storages import connected

from ordermill.accounts.changes import UserNotFound
from ordermill.accounts.standing import LastStaff
from ordermill.imports.model import Import
from ordermill.imports.undo import Undoing
from ordermill.privacy.model import Erasure
from ordermill.storage import erased
from ordermill.storage.bulk import loader
from ordermill.storage.database import Database
from ordermill.storage.imports import SqlImports
from ordermill.storage.persons import SqlPersons
from ordermill.storage.tables import ErasedRow, EventRow, OrderRow, UserRow, VersionRow
from ordermill.storage.undo import SqlUndo
from ordermill.storage.unit import SqlUnit

pytestmark = pytest.mark.anyio

EVENING: Final = LATER + timedelta(hours=6)
BATCHES: Final = 12
ADA: Final[dict[str, Any]] = {
    "customer_name": "Ada Lovelace", "shipping_address": '{"name": "Ada Lovelace", "line1": "1 Mill Lane"}', "note": "Ring.",
}  # fmt: skip


class Evening:
    """A clock."""

    def now(self) -> Any:
        return EVENING

    def monotonic(self) -> float:
        return 0.0


def erasure(user_id: int) -> Erasure:
    return Erasure.of(user_id, event_id=an_id(), at=EVENING, actor="command")


async def ada(database: Database) -> int:
    found = await SqlPersons(database).by_email("ada@example.com")
    assert found is not None
    return found.id or 0


async def begun(database: Database, sha256: str) -> Import:
    return await SqlImports(database).begin(a_file(sha256=sha256 * 64), at=NOON, actor="cli")


async def load(database: Database, run: Import, *, first: int = 0, quantity: int = 1) -> None:
    """Bring a person's orders in, some at a time."""
    imports = SqlImports(database)
    for index in range(BATCHES):
        numbers = range(first + index * 20, first + index * 20 + 20)
        batch = a_batch(*(sold(str(number), ("TEA-1", quantity, 450), **ADA) for number in numbers), index=index)
        assert await imports.load(run, batch, at=LATER) is not None
        await asyncio.sleep(0)
    await imports.finish(run, at=LATER)


async def left(database: Database) -> tuple[int, ...]:
    """Count the orders, versions and accounts that still tell who bought."""

    def look(connection: Connection) -> tuple[int, ...]:
        told = OrderRow.shipping_address.is_not(None) | OrderRow.note.is_not(None)
        versions = VersionRow.previous["orders", 0, "note"].as_string().is_not(None)
        questions = ((OrderRow, told), (VersionRow, versions), (UserRow, UserRow.email_key == "ada@example.com"))
        return tuple(
            connection.execute(select(func.count()).select_from(row).where(condition)).scalar_one()
            for row, condition in questions
        )

    return await database.read(look)


class TestAnErasureBesideAnImport:
    async def test_of_new_orders_leaves_nothing_of_the_person(self, database: Database) -> None:
        async with SqlUnit(database) as unit:
            await unit.users.add(a_user())
            await unit.commit()
        id, run = await ada(database), await begun(database, "1")

        async def erase() -> None:
            await asyncio.sleep(0.05)
            await SqlPersons(database).erase(erasure(id))

        await asyncio.gather(load(database, run), erase())

        assert await left(database) == (0, 0, 0)

    async def test_that_updates_leaves_nothing_of_the_person(self, database: Database) -> None:
        await load(database, await begun(database, "1"))
        id, newer = await ada(database), await begun(database, "2")

        async def erase() -> None:
            await asyncio.sleep(0.05)
            await SqlPersons(database).erase(erasure(id))

        await asyncio.gather(load(database, newer, quantity=2), erase())

        assert await left(database) == (0, 0, 0)

    async def test_begun_while_a_batch_is_open_waits_for_it(self, postgres_book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """The batch has looked who was erased, and found nobody; what it writes must be found by the erasure."""
        database = connected(postgres_book)
        looked = asyncio.Event()
        inserting = loader._insert

        def slowly(connection: Connection, *rest: Any) -> Any:
            looked.set()
            connection.exec_driver_sql("SELECT pg_sleep(0.5)")
            return inserting(connection, *rest)

        monkeypatch.setattr(loader, "_insert", slowly)
        async with SqlUnit(database) as unit:
            await unit.users.add(a_user())
            await unit.commit()
        id, run = await ada(database), await begun(database, "1")

        async def erase() -> None:
            await looked.wait()
            await SqlPersons(database).erase(erasure(id))

        await asyncio.gather(SqlImports(database).load(run, a_batch(sold("1", **ADA)), at=LATER), erase())
        found = await left(database)
        await database.close()

        assert found == (0, 0, 0)


class TestAnErasureBesideAnUndo:
    async def test_leaves_nothing_of_the_person(self, database: Database) -> None:
        await load(database, await begun(database, "1"))
        newer = await begun(database, "2")
        await load(database, newer, quantity=2)
        id = await ada(database)

        await asyncio.gather(
            Undoing(SqlUndo(database), clock=Evening()).undo(newer.id), SqlPersons(database).erase(erasure(id))
        )

        assert await left(database) == (0, 0, 0)


class TestErasuresAtOnce:
    async def test_of_one_person_are_one(self, database: Database) -> None:
        await load(database, await begun(database, "1"))
        id, persons = await ada(database), SqlPersons(database)

        done = await asyncio.gather(*(persons.erase(erasure(id)) for _ in range(8)), return_exceptions=True)

        assert sorted(type(each).__name__ for each in done) == ["Erased"] + [UserNotFound.__name__] * 7
        told = select(func.count()).select_from(EventRow).where(EventRow.type == "user.erased")
        assert await database.read(lambda connection: connection.execute(told).scalar_one()) == 1

    async def test_of_many_share_one_key(self, database: Database) -> None:
        """Each brings a key of its own; the first is kept, and all hashes are made with it."""
        async with SqlUnit(database) as unit:
            for number in range(8):
                await unit.users.add(a_user(f"ada{number}@example.com"))
            await unit.commit()
        persons = SqlPersons(database)

        await asyncio.gather(*(persons.erase(erasure(id)) for id in range(await _first(database), await _first(database) + 8)))

        keys = [f"ada{number}@example.com" for number in range(8)]
        kept = select(func.count()).select_from(ErasedRow)
        hashes = await database.read(lambda connection: connection.execute(kept).scalar_one())
        found = await database.read(lambda connection: erased.erased_among(connection, keys))
        assert (hashes, found) == (8, set(keys))

    async def test_of_staff_by_each_other_leave_one(self, database: Database) -> None:
        async with SqlUnit(database) as unit:
            for number in range(4):
                await unit.users.add(a_user(f"staff{number}@example.com", is_staff=True))
            await unit.commit()
        first, persons = await _first(database), SqlPersons(database)

        done = await asyncio.gather(*(persons.erase(erasure(first + each)) for each in range(4)), return_exceptions=True)

        assert sorted(type(each).__name__ for each in done) == ["Erased"] * 3 + [LastStaff.__name__]
        active = select(func.count()).select_from(UserRow).where(UserRow.is_active, UserRow.is_staff)
        assert await database.read(lambda connection: connection.execute(active).scalar_one()) == 1


async def _first(database: Database) -> int:
    lowest = select(func.min(UserRow.id))
    found: int = await database.read(lambda connection: connection.execute(lowest).scalar_one())
    return found
