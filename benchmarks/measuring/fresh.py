"""
Fresh, migrated books on both databases, as durable as in earnest: every commit waits for the disk.

Give TMPDIR where the default is no real disk.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import psycopg
from children import in_child

from ordermill.config import DatabaseUrl
from ordermill.schema.migrate import migrate

sys.path.append(str(Path(__file__).parents[2] / "tests"))
from servers import Postgres, running_postgres  # tests/ is a directory of modules and no package

_TEMPLATE: Final = "template_book"


class Books(Protocol):
    """Where books are made."""

    title: str

    def fresh(self, name: str) -> str:
        """Return the URL of an empty book; one of the same name is removed, and nothing is left to be written to disk."""
        ...


class SqliteBooks:
    """Files in a directory, in WAL mode with synchronous=FULL."""

    title = "SQLite"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        in_child(_migrate, self._url(_TEMPLATE))

    def fresh(self, name: str) -> str:
        for left in self._directory.glob(f"{name}.db*"):
            left.unlink()
        shutil.copyfile(self._directory / f"{_TEMPLATE}.db", self._directory / f"{name}.db")
        os.sync()
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"sqlite:///{self._directory}/{name}.db"


class PostgresBooks:
    """Databases of one server with PostgreSQL's own defaults, fsync and synchronous_commit among them."""

    title = "PostgreSQL"

    def __init__(self, server: Postgres) -> None:
        self._server = server
        in_child(_migrate, server.create_database(_TEMPLATE))

    def fresh(self, name: str) -> str:
        self._server.drop_database(name)
        url = self._server.create_database(name, template=_TEMPLATE)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        os.sync()
        return url


class _Durable(Postgres):
    """The tests' server, but with fsync and synchronous_commit on: of two switches for a setting the later counts."""

    def __init__(self, prepared: Postgres) -> None:
        super().__init__(prepared.directory, binaries=prepared._binaries, owner=prepared._owner)  # noqa: SLF001  # its twin

    def _command(self) -> list[str | Path]:
        durable = ("fsync=on", "full_page_writes=on", "synchronous_commit=on")
        return [*super()._command(), *(part for setting in durable for part in ("-c", setting))]


@contextmanager
def durable_postgres() -> Iterator[Postgres]:
    """Start a fresh PostgreSQL that survives the machine's failure, and stop and remove it in the end."""
    with running_postgres() as prepared:
        prepared.stop()
        server = _Durable(prepared)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _migrate(url: str) -> None:
    migrate(DatabaseUrl(url))
