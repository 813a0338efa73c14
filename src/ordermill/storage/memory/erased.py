"""Who was erased, in memory; storage/erased.py says what for."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl

from ordermill.privacy.model import KEY, PERSONAL, hashed
from ordermill.storage.bulk.forgotten import STORED, buyers, forgetting, of_erased
from ordermill.storage.bulk.plan import Plan
from ordermill.storage.entities import Row
from ordermill.storage.memory.book import Book


def remember(book: Book, email_key: str, *, new_key: str, at: datetime) -> None:
    """Remember an erased address; `new_key` becomes the book's key when it has none yet."""
    key = book.book_keys.setdefault(KEY, new_key)
    hash = hashed(email_key, key=key)
    if hash not in book.erased_emails.rows:
        book.erased_emails.insert(hash, {"hash": hash, "at": at})


def erased_among(book: Book, keys: Collection[str]) -> set[str]:
    """Return those of these addresses that were erased."""
    if not book.erased_emails.rows:
        return set()
    return {key for key in keys if hashed(key, key=book.book_keys[KEY]) in book.erased_emails.rows}


def without_erased(book: Book, decided: Plan) -> Plan:
    """Return a plan that takes nothing over of those who were erased."""
    if not book.erased_emails.rows:
        return decided
    erased = erased_among(book, list(buyers(decided)))
    theirs = set(of_erased(decided.changed, erased))
    known = () if decided.changed.is_empty() else decided.changed["old_id"]
    rows = [book.orders.rows[id] for id in map(UUID, known) if id.hex in theirs or _is_erased(book, book.orders.rows[id])]
    stored = [[row["id"].hex, row["user_id"], *(_text(row[name]) for name in PERSONAL)] for row in rows]
    return forgetting(decided, erased, pl.DataFrame(stored, schema=STORED, orient="row"))


def _is_erased(book: Book, order: Row) -> bool:
    return order["user_id"] is not None and book.users.rows[order["user_id"]]["erased_at"] is not None


def _text(value: Any) -> str | None:
    return json.dumps(value) if isinstance(value, dict) else value
