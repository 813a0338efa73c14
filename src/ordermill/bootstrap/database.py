"""Which database a URL means."""

from typing import TYPE_CHECKING

from ordermill.config import DatabaseUrl

if TYPE_CHECKING:
    from ordermill.storage.database import Database


def connect(url: DatabaseUrl) -> "Database":
    """Return the database of a URL; nothing is opened before the first read or write."""
    if url.embedded:
        from ordermill.storage.sqlite import SqliteDatabase

        return SqliteDatabase(url.path)
    from ordermill.storage.postgres import PostgresDatabase

    return PostgresDatabase(url.secret_url)
