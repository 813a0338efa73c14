"""What looking after the book asks of storage."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ordermill.operations.rules import Rule


@dataclass(frozen=True, slots=True)
class Example:
    """One breach: where, what should stand there, and what does. Amounts in major units; no personal data."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Breaches:
    """How often a rule is broken, and the first few places."""

    count: int
    examples: list[Example]


class AuditStore(Protocol):
    """Asks a rule of all rows, in bounded memory, as of one moment."""

    async def breaches(self, rule: Rule, *, examples: int) -> Breaches:
        """
        Return where `rule` does not hold.

        Raises:
            Unavailable: the database could not be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class EmbeddedFacts:
    """What the embedded database says of itself, on a connection as the product opens it."""

    version: str
    journal_mode: str
    synchronous: int
    foreign_keys: int


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a database server says of itself."""

    version: str
    now: datetime


class DatabaseProbe(Protocol):
    """Looks at a database and changes nothing."""

    async def facts(self) -> EmbeddedFacts | ServerFacts:
        """
        Return what the database says of itself.

        Raises:
            Unavailable: it does not answer, or cannot be used as it must be.
        """
        ...

    async def newest_event(self) -> datetime | None:
        """Return the moment of the latest event in the ledger; the schema must be current."""
        ...


@dataclass(frozen=True, slots=True)
class FileSystemFacts:
    """Where a file lies: the kind of file system (None: the machine does not tell), bytes free, bytes of the file."""

    kind: str | None
    free: int
    size: int
