"""What a database says of itself, for `operations.doctor`."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from ordermill.operations.ports import EmbeddedFacts, ServerFacts
from ordermill.storage.database import Database
from ordermill.storage.tables import EventRow
from ordermill.storage.types import Instant


class SqlProbe:
    """`operations.ports.DatabaseProbe`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self) -> EmbeddedFacts | ServerFacts:
        return await self._database.read(_facts)

    async def newest_event(self) -> datetime | None:
        # Ids are in order of time.
        query = select(EventRow.at).order_by(EventRow.id.desc()).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).scalar())


def _facts(connection: Connection) -> EmbeddedFacts | ServerFacts:
    if connection.dialect.name == "sqlite":
        version = connection.execute(select(func.sqlite_version())).scalar_one()
        names = ("journal_mode", "synchronous", "foreign_keys")
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}
        return EmbeddedFacts(version, **pragmas)
    # Not now(): that is when the transaction began.
    version = connection.execute(select(func.current_setting("server_version"))).scalar_one()
    now = connection.execute(select(func.clock_timestamp(type_=Instant))).scalar_one()
    return ServerFacts(version, now)
