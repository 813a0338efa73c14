"""
Checks what the book stands on, a sentence each, and changes nothing.

    settings - file system - disk - schema -+- SQLite: library, pragmas
                                            +- PostgreSQL: version, clock
    - clock - cache

Not here: whether the book itself is right; that is `audit`. What is made of each fact: `checks`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ordermill.kit.clock import Clock
from ordermill.kit.errors import Unavailable
from ordermill.operations import checks, machine
from ordermill.operations.checks import Check, Level
from ordermill.operations.ports import DatabaseProbe, EmbeddedFacts, FileSystemFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Which book is meant.

    Args:
        url: its URL without a secret.
        origin: what named it, such as "ORDERMILL_DATABASE_URL", "--database" or "the default".
        file: where the embedded database lies; None for a server.
    """

    url: str
    origin: str
    file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """
    What the doctor looks with.

    Args:
        schema: tells how the database stands to this program ("empty", "current", "old" or "newer") or raises
            `Unavailable`; it is called in a thread.
        cache: asks the shared cache for a sign of life; None where none is set.
    """

    schema: Callable[[], str]
    database: DatabaseProbe
    cache: Callable[[], Awaitable[bool]] | None = None
    file_system: Callable[[Path], FileSystemFacts] = machine.file_system


class Doctor:
    """Looks at one installation."""

    def __init__(self, place: Place, probes: Probes, *, clock: Clock) -> None:
        self._place = place
        self._probes = probes
        self._clock = clock

    async def examine(self) -> list[Check]:
        """Return every check in the order of the picture above; what cannot be reached is not asked further."""
        found = [Check("settings", Level.OK, f"The order book is {self._place.url}, named by {self._place.origin}.")]
        if self._place.file is not None:
            found += self._check_file(self._place.file)
        found += await self._check_database()
        if self._probes.cache is not None:
            found.append(checks.cache(answers=await self._probes.cache()))
        return found

    def _check_file(self, file: Path) -> list[Check]:
        try:
            facts = self._probes.file_system(file)
        except OSError as error:
            sentence = f"The directory of {str(file)!r} cannot be used ({error.strerror}); create it or name another."
            return [Check("file_system", Level.FAILURE, sentence)]
        return [checks.file_system(facts), checks.disk(facts)]

    async def _check_database(self) -> list[Check]:
        try:
            state = await asyncio.to_thread(self._probes.schema)
            schema = checks.schema(state)
            # Opening an embedded database that is not there would create it.
            return [schema] if state == "empty" else [schema, *await self._check_facts(current=state == "current")]
        except Unavailable as error:
            return [Check("database", Level.FAILURE, error.message)]

    async def _check_facts(self, *, current: bool) -> list[Check]:
        before = self._clock.now()
        facts = await self._probes.database.facts()
        after = self._clock.now()
        if isinstance(facts, EmbeddedFacts):
            found = [checks.sqlite(facts), checks.pragmas(facts)]
        else:
            found = [Check("server", Level.OK, f"PostgreSQL {facts.version} answers."), checks.skew(facts, before, after)]
        if current:
            found.append(checks.newest_event(await self._probes.database.newest_event(), now=self._clock.now()))
        return found
