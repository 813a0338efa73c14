"""
Orders placed in SQL, the hottest path of the product: one use case, two ways to write what it decided.

    sqlite    the driver's own statements, in the writer's transaction: look, decide and write are one
    postgres  one look, one statement that writes everything and proves what it was decided on

Nothing here goes through SQLAlchemy's compiler: for a dozen statements an order it would take longer than they do.
Not here: what is decided (orders/placing).
"""

from ordermill.orders.ports import PlacingStore
from ordermill.storage.database import Database
from ordermill.storage.placing.postgres import PostgresPlacing
from ordermill.storage.placing.sqlite import SqlitePlacing
from ordermill.storage.postgres import PostgresDatabase


def placing_store(database: Database) -> PlacingStore:
    """Return the way that this database places orders."""
    return PostgresPlacing(database) if isinstance(database, PostgresDatabase) else SqlitePlacing(database)
