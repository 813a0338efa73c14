"""What each database says of itself to the doctor."""

from datetime import UTC, datetime, timedelta
from sqlite3 import sqlite_version

import pytest
from builders import LATER, NOON, an_event, an_id
from storages import connected

from ordermill.config import DatabaseUrl
from ordermill.kit.ids import new_id
from ordermill.operations import checks
from ordermill.operations.checks import Level
from ordermill.operations.ports import EmbeddedFacts, ServerFacts
from ordermill.storage.database import Database
from ordermill.storage.doctor import SqlProbe
from ordermill.storage.unit import SqlUnit

pytestmark = pytest.mark.anyio


class TestFacts:
    async def test_of_the_embedded_database_are_as_they_must_be(self, sqlite_book: DatabaseUrl) -> None:
        database = connected(sqlite_book)
        facts = await SqlProbe(database).facts()
        await database.close()

        assert facts == EmbeddedFacts(sqlite_version, "wal", 2, 1)
        assert isinstance(facts, EmbeddedFacts)
        assert checks.pragmas(facts).level is Level.OK

    async def test_of_a_server_tell_version_and_time(self, postgres_book: DatabaseUrl) -> None:
        database = connected(postgres_book)
        facts = await SqlProbe(database).facts()
        await database.close()

        assert isinstance(facts, ServerFacts)
        assert facts.version.split(".")[0] == "18"
        assert abs(facts.now - datetime.now(UTC)) < timedelta(minutes=1)


class TestNewestEvent:
    async def test_of_an_empty_ledger_is_none(self, database: Database) -> None:
        assert await SqlProbe(database).newest_event() is None

    async def test_is_the_latest(self, database: Database) -> None:
        async with SqlUnit(database) as unit:
            await unit.events.append(an_event(an_id(), sequence=1, id=new_id(LATER), at=LATER))
            await unit.events.append(an_event(an_id(), sequence=1, at=NOON))
            await unit.commit()

        assert await SqlProbe(database).newest_event() == LATER
