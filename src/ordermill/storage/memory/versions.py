"""What an import overwrites of orders in memory: kept with the order, and put back when the import is undone."""

from datetime import datetime
from uuid import UUID

from ordermill.storage.entities import Row
from ordermill.storage.memory.book import Book


def keep_version(book: Book, stored: Row, run: UUID) -> None:
    """Keep an order as it is; what this very import created, or has changed before, is left out."""
    kept = book.order_versions.get(stored["id"], ())
    if stored["import_id"] == run or any(version["import_id"] == run for version in kept):
        return
    version = {
        "import_id": run,
        "order_id": stored["id"],
        "version": stored["version"],
        "user_id": stored["user_id"],
        "order": stored,
        "items": book.items[stored["id"]],
        **{name: _imported(movements.get(stored["id"], ())) for name, movements in _money(book)},
    }
    book.order_versions[stored["id"]] = (*kept, version)


def restore_version(book: Book, version: Row, *, at: datetime) -> None:
    """Give an order back what an import overwrote of it; what was paid and given back here since stays."""
    order, was = version["order_id"], version["order"]
    current = book.orders.rows[order]["version"] + 1
    left = current if was["imported_version"] == was["version"] else was["imported_version"]
    moved_on = {"version": current, "imported_version": left, "updated_at": at}
    book.put_order(order, {**was, **moved_on}, version["items"])
    for name, movements in _money(book):
        local = (movement for movement in movements.get(order, ()) if movement["import_id"] is None)
        movements[order] = (*local, *version[name])
    others = tuple(kept for kept in book.order_versions[order] if kept is not version)
    book.order_versions[order] = others


def _money(book: Book) -> tuple[tuple[str, dict[UUID, tuple[Row, ...]]], ...]:
    return ("payments", book.payments), ("refunds", book.refunds)


def _imported(movements: tuple[Row, ...]) -> tuple[Row, ...]:
    return tuple(movement for movement in movements if movement["import_id"] is not None)
