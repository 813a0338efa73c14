"""
Brings a database to the schema of this program, and tells how far it is from it.

Nothing else runs DDL. Two processes that migrate at once wait for each other.
"""

import fcntl
import io
import os
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Final

from ordermill.config import DatabaseUrl
from ordermill.kit.errors import Unavailable
from ordermill.schema import migrations
from ordermill.schema.setup import configure

# Any number does, as long as no other program that shares the database uses it for its advisory lock.
_LOCK_KEY: Final = 0x0D3312
# How long a server may take to say which migrations it has had; a migration itself takes as long as it needs.
STATE_TIMEOUT_S: Final = 10


class State(Enum):
    """How a database stands to this program."""

    EMPTY = "empty"
    CURRENT = "current"
    OLD = "old"
    NEWER = "newer"


def migrate(database: DatabaseUrl) -> list[str]:
    """
    Apply what is missing and return the names of the migrations that were applied.

    Raises:
        Unavailable: the database cannot be reached or written, or is newer than this program.
    """
    configure(database)
    from django.core.management import call_command  # noqa: PLC0415  # Django is configured only now

    with _django_errors(database), _alone(database):
        _refuse_newer(database)
        missing = _missing()
        call_command("migrate", verbosity=0, interactive=False, stdout=io.StringIO())
        _keep_wal(database)
    return missing


def state(database: DatabaseUrl) -> State:
    """Compare the migrations a database has had with those of this program."""
    if database.embedded and not Path(database.path).exists():
        return State.EMPTY
    configure(database)
    with _django_errors(database):
        return compared(_applied())


def compared(applied: set[str]) -> State:
    """Return how a database stands that has had these migrations."""
    known = set(_known())
    if not applied:
        return State.EMPTY
    if applied - known:
        return State.NEWER
    return State.CURRENT if applied == known else State.OLD


def under_way(database: DatabaseUrl) -> bool:
    """Whether an embedded database is being migrated, or its migration was cut short."""
    return database.embedded and _lock_of(database).exists()


def require_current(database: DatabaseUrl) -> None:
    """
    Refuse to work on a schema that this program does not know.

    Raises:
        Unavailable: `schema_missing`, `schema_old` or `schema_newer`, with the way out.
    """
    refuse_unless_current(state(database), database)


def refuse_unless_current(found: State, database: DatabaseUrl) -> None:
    """Refuse as `require_current` does, where the state is known already."""
    sentences = {
        State.EMPTY: f"There is no order book at {database} yet; `ordermill migrate` creates it.",
        State.OLD: f"The order book at {database} is of an older Ordermill; run `ordermill migrate` (back it up first).",
        State.NEWER: f"The order book at {database} is of a newer Ordermill; upgrade this program.",
    }
    if found is not State.CURRENT:
        code = {State.EMPTY: "schema_missing", State.OLD: "schema_old", State.NEWER: "schema_newer"}[found]
        raise Unavailable(sentences[found], code=code)


def _refuse_newer(database: DatabaseUrl) -> None:
    if _applied() - set(_known()):
        raise Unavailable(f"The order book at {database} is of a newer Ordermill; upgrade this program.", code="schema_newer")


def _known() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(migrations.__path__))


def _applied() -> set[str]:
    from django.db import connection  # noqa: PLC0415  # Django is configured only now
    from django.db.migrations.recorder import MigrationRecorder  # noqa: PLC0415  # likewise

    try:
        _limit_time(connection)
        return {name for app, name in MigrationRecorder(connection).applied_migrations() if app == "ordermill"}
    finally:
        connection.close()


def _limit_time(connection: Any) -> None:
    """Let no statement of this connection, which is closed after it, wait for longer than `STATE_TIMEOUT_S`."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{STATE_TIMEOUT_S * 1000:.0f}ms"])


def _missing() -> list[str]:
    return sorted(set(_known()) - _applied())


@contextmanager
def _alone(database: DatabaseUrl) -> Iterator[None]:
    """Keep a second migration waiting: by a lock file beside the embedded database, by an advisory lock elsewhere."""
    from django.db import connection  # noqa: PLC0415  # Django is configured only now

    with _lock_file(_lock_of(database)) if database.embedded else _advisory_lock():
        try:
            yield
        finally:
            connection.close()


def _lock_of(database: DatabaseUrl) -> Path:
    return Path(f"{database.path}.migrate")


@contextmanager
def _lock_file(path: Path) -> Iterator[None]:
    while True:
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Whoever had to wait may hold the file that its predecessor removed, which keeps nobody else out.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(lock.fileno())):
                try:
                    yield
                finally:
                    path.unlink()
                return


@contextmanager
def _advisory_lock() -> Iterator[None]:
    from django.db import connection  # noqa: PLC0415  # Django is configured only now

    # On a connection of its own: Django's is closed along the way, and the lock would go with it.
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK_KEY])
        yield
    finally:
        holder.close()


def _keep_wal(database: DatabaseUrl) -> None:
    if database.embedded:
        from django.db import connection  # noqa: PLC0415  # Django is configured only now

        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _django_errors(database: DatabaseUrl) -> Iterator[None]:
    from django.db.utils import DatabaseError, InterfaceError  # noqa: PLC0415  # Django is configured only now

    try:
        yield
    except (DatabaseError, InterfaceError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unavailable(f"The order book at {database} cannot be opened: {first}.", code="database_unavailable") from error
