"""Every command is tried in a terminal of `terminals`, over the books of `storages`."""

from storages import book_url, postgres_book, postgres_template, shared_book, sqlite_book, sqlite_template
from terminals import directory, each_terminal, export, nowhere, terminal

__all__ = [
    "book_url",
    "directory",
    "each_terminal",
    "export",
    "nowhere",
    "postgres_book",
    "postgres_template",
    "shared_book",
    "sqlite_book",
    "sqlite_template",
    "terminal",
]
