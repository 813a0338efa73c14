"""Every contract is tested on the storages of `storages`."""

from storages import (
    book_url,
    database,
    postgres_book,
    postgres_template,
    shared_book,
    sqlite_book,
    sqlite_template,
    storage,
    storage_url,
)

__all__ = [
    "book_url",
    "database",
    "postgres_book",
    "postgres_template",
    "shared_book",
    "sqlite_book",
    "sqlite_template",
    "storage",
    "storage_url",
]
