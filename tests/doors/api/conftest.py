"""Every route is tried in the `shop`, over the books of `storages`, or by the `crowd`; real processes come from `serving`."""

from crowd import anyio_backend, crowd, crowd_on_postgres, crowd_on_sqlite, crowd_url, crowds, data_home
from shop import shop
from storages import book_url, postgres_book, postgres_template, shared_book, sqlite_book, sqlite_template

__all__ = [
    "anyio_backend",
    "book_url",
    "crowd",
    "crowd_on_postgres",
    "crowd_on_sqlite",
    "crowd_url",
    "crowds",
    "data_home",
    "postgres_book",
    "postgres_template",
    "shared_book",
    "shop",
    "sqlite_book",
    "sqlite_template",
]
