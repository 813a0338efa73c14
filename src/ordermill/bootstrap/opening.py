"""An order book is made ready, opened and closed, and looked at by the doctor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ordermill.bootstrap.database import connect
from ordermill.bootstrap.services import Services
from ordermill.config import DatabaseUrl, Settings, make_room
from ordermill.kit.clock import Clock, SystemClock
from ordermill.kit.errors import Unavailable
from ordermill.schema.migrate import State, migrate, require_current, state, under_way
from ordermill.schema.setup import configure

if TYPE_CHECKING:
    from ordermill.imports.process import Imports
    from ordermill.operations.checks import Check


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
    services = Services(settings, database, clock=clock or SystemClock())
    try:
        yield services
    finally:
        await services.finish()
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
