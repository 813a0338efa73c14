"""Faults are brought about on the databases of `storages`."""

from storages import book_url, database, postgres_book, postgres_template, shared_book, sqlite_book, sqlite_template, two_books

__all__ = [
    "book_url",
    "database",
    "postgres_book",
    "postgres_template",
    "shared_book",
    "sqlite_book",
    "sqlite_template",
    "two_books",
]
