"""
The only module that knows every part: Settings in, `Services` out.

Doors import this and the features; they never reach storage, caches or connectors by themselves.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ordermill.config import DatabaseUrl, Settings, make_room
from ordermill.kit.clock import Clock, SystemClock
from ordermill.kit.errors import Unavailable
from ordermill.schema.migrate import State, migrate, require_current, state, under_way
from ordermill.schema.setup import configure

if TYPE_CHECKING:
    from ordermill.accounts.service import Accounts
    from ordermill.imports.ports import ImportStore
    from ordermill.imports.process import Imports
    from ordermill.imports.runs import Runs
    from ordermill.imports.undo import Undoing
    from ordermill.operations.audit import Audit
    from ordermill.operations.checks import Check
    from ordermill.orders.service import Orders
    from ordermill.statistics.service import Statistics
    from ordermill.storage.database import Database
    from ordermill.storage.unit import SqlUnit

# SQLite has no queue of waiting writers: without a pause between an import's transactions others starve. Measured:
# with 1 ms others failed 7 times in 15 s, with 10 ms never (RELIABILITY.md 1.1).
WRITERS_TURN_S: Final = 0.01


class Services:
    """
    Everything a door may ask for; open as long as `open_services` is.

    A service is put together, and what it works with imported, when it is first asked for: a command that lists
    orders loads no Polars, and the server never does.
    """

    def __init__(self, settings: Settings, database: "Database", *, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._database = database

    @cached_property
    def imports(self) -> "Imports":
        from ordermill.imports.process import Imports

        return Imports(self._import_store, clock=self.clock, pause_s=self._pause_s)

    @cached_property
    def runs(self) -> "Runs":
        from ordermill.imports.runs import Runs

        return Runs(self._import_store)

    @cached_property
    def undoing(self) -> "Undoing":
        from ordermill.imports.undo import Undoing
        from ordermill.storage.undo import SqlUndo

        return Undoing(SqlUndo(self._database), clock=self.clock, pause_s=self._pause_s)

    @cached_property
    def orders(self) -> "Orders":
        from ordermill.orders.service import Orders

        return Orders(self._unit, clock=self.clock)

    @cached_property
    def accounts(self) -> "Accounts":
        from ordermill.accounts.service import Accounts
        from ordermill.schema.passwords import common_passwords

        return Accounts(self._unit, clock=self.clock, minimum=self.settings.password_minimum, common=common_passwords)

    @cached_property
    def statistics(self) -> "Statistics":
        from ordermill.statistics.service import Statistics
        from ordermill.storage.statistics import SqlStatistics

        return Statistics(SqlStatistics(self._database))

    @cached_property
    def audit(self) -> "Audit":
        from ordermill.operations.audit import Audit
        from ordermill.storage.audit import SqlAudit

        return Audit(SqlAudit(self._database))

    @property
    def _import_store(self) -> "ImportStore":
        from ordermill.storage.imports import SqlImports

        return SqlImports(self._database)

    @property
    def _pause_s(self) -> float:  # allow float: a duration
        return WRITERS_TURN_S if self._database.embedded else 0

    def _unit(self) -> "SqlUnit":
        from ordermill.storage.unit import SqlUnit

        return SqlUnit(self._database)


@asynccontextmanager
async def open_services(settings: Settings, *, create: bool = False, clock: Clock | None = None) -> AsyncIterator[Services]:
    """
    Open the order book and put the services together.

    Args:
        create: make a new embedded database when there is none. A server database is only ever migrated on demand.

    Raises:
        Unavailable: the database cannot be reached, or its schema is not this program's.
    """
    # In a thread, since Django refuses to ask a database where an event loop runs.
    await asyncio.to_thread(_make_ready, settings, create=create)
    database = connect(settings.database)
    try:
        yield Services(settings, database, clock=clock or SystemClock())
    finally:
        await database.close()


@asynccontextmanager
async def open_for_comparing(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator["Imports"]:
    """
    Open the order book for dry runs; where there is none yet, an empty one in memory stands in for it.

    Raises:
        Unavailable: as `open_services` does.
    """
    if await asyncio.to_thread(state, settings.database) is State.EMPTY:
        from ordermill.imports.process import Imports
        from ordermill.storage.memory import MemoryStorage

        yield Imports(MemoryStorage().imports, clock=clock or SystemClock())
        return
    async with open_services(settings, clock=clock) as services:
        yield services.imports


def _make_ready(settings: Settings, *, create: bool) -> None:
    url = settings.database
    configure(url, currency=settings.currency, timezone=settings.timezone)
    _refuse_network_file_system(url)
    # Another command may be creating the book at this moment: it is then waited for, and nothing is left to do.
    if create and url.embedded and (state(url) is State.EMPTY or under_way(url)):
        prepare(url)
    require_current(url)


def _refuse_network_file_system(url: DatabaseUrl) -> None:
    """Refuse what damages an embedded book sooner or later: locks do not hold there (RELIABILITY.md E8)."""
    if not url.embedded:
        return
    from ordermill.operations.checks import Level, file_system
    from ordermill.operations.machine import file_system as facts

    file = Path(url.path)
    if file.resolve().parent.is_dir():
        found = file_system(facts(file))
        if found.level is Level.FAILURE:
            raise Unavailable(found.sentence, code="network_file_system")


def prepare(url: DatabaseUrl) -> list[str]:
    """
    Bring a database to this program's schema, a new embedded one into being; return the names of the migrations applied.

    Raises:
        Unavailable: it cannot be reached or written, lies on a network file system, or is newer than this program.
    """
    if url.embedded:
        make_room(Path(url.path))
    _refuse_network_file_system(url)
    return migrate(url)


async def examine(settings: Settings, *, origin: str) -> "list[Check]":
    """
    Let the doctor look at what the order book stands on.

    Args:
        origin: what named the database, such as "--database".
    """
    from ordermill.operations.doctor import Doctor, Place, Probes
    from ordermill.storage.doctor import SqlProbe

    url = settings.database
    database = connect(url)
    place = Place(url=str(url), origin=origin, file=Path(url.path) if url.embedded else None)
    secret = settings.redis_url.get_secret_value() if settings.redis_url else None
    probes = Probes(
        schema=lambda: state(url).value,
        database=SqlProbe(database),
        cache=partial(_answers, secret) if secret else None,
    )
    try:
        return await Doctor(place, probes, clock=SystemClock()).examine()
    finally:
        await database.close()


async def _answers(redis_url: str) -> bool:
    from ordermill.caching.redis import RedisCache

    cache = RedisCache(redis_url)
    try:
        await cache.set("doctor", "well", ttl=60)
        return await cache.get("doctor") == "well"
    finally:
        await cache.aclose()


def connect(url: DatabaseUrl) -> "Database":
    """Return the database of a URL; nothing is opened before the first read or write."""
    if url.embedded:
        from ordermill.storage.sqlite import SqliteDatabase

        return SqliteDatabase(url.path)
    from ordermill.storage.postgres import PostgresDatabase

    return PostgresDatabase(url.secret_url)
