"""Questions over the whole book in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection


@contextmanager
def spilling(connection: Connection) -> Iterator[Connection]:
    """
    Let the embedded database sort on disk what does not fit its cache, as PostgreSQL does anyway.

    Only for readers: SQLite changes this inside a transaction as long as the connection has never had a
    temporary table, and readers cannot make one.
    """
    if connection.dialect.name != "sqlite":
        yield connection
        return
    connection.exec_driver_sql("PRAGMA temp_store=FILE")
    try:
        yield connection
    finally:
        connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
