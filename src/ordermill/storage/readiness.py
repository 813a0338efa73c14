"""What a database says when it is asked whether it is there and ours."""

from sqlalchemy import Connection, text

from ordermill.storage.database import Database

_APPLIED = text("SELECT name FROM django_migrations WHERE app = 'ordermill'")


async def applied_migrations(database: Database) -> set[str]:
    """
    Return the names of the migrations that a database has had, over the connections that requests use.

    Raises:
        Unavailable: it does not answer.
    """

    def look(connection: Connection) -> set[str]:
        return set(connection.execute(_APPLIED).scalars())

    return await database.read(look)
