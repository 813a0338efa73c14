"""Imports taken back in memory: the rules are those of storage/undo.py, and two steps are the whole of it."""

import json
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from datetime import datetime
from uuid import UUID

from ordermill.imports.model import Import, Left, Obstacle, Undo
from ordermill.imports.undo import ACTOR
from ordermill.kit.ids import new_id
from ordermill.storage.entities import Row
from ordermill.storage.gathering import Store
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.statistics import counting
from ordermill.storage.memory.versions import restore_version


class MemoryUndo:
    """`imports.ports.UndoStore`."""

    def __init__(self, store: Store[Book]) -> None:
        self._store = store

    async def begin(self, id: UUID, *, actor: str = ACTOR) -> Import | None:
        def work(book: Book) -> Import | None:
            run = deepcopy(book.imports.get(id))
            if run is not None and run.undoable:
                run.state, run.undo = "undoing", (run.undo or Undo()).again(actor=actor)
                book.imports[id] = run
            return deepcopy(run)

        return await self._store.write(work)

    async def step(self, id: UUID, *, at: datetime) -> Import:
        def work(book: Book) -> Import:
            run = deepcopy(book.imports[id])
            undo = run.undo
            if run.state != "undoing" or undo is None:
                return run
            if undo.step == "updated":
                _restore(book, run, undo, at)
                undo.step = "created"
            else:
                _remove(book, run, undo, at)
                run.state = "undone"
                _tell_end(book, run, undo, at)
            book.imports[id] = deepcopy(run)
            return run

        return await self._store.write(work)

    async def left(self, id: UUID) -> AsyncIterator[Left]:
        for left in await self._store.read(lambda book: list(_left(book, id))):
            yield left


def _left(book: Book, run: UUID) -> Iterator[Left]:
    for version in _updated(book, run):
        order = book.orders.rows[version["order_id"]]
        yield Left(order["id"], order["number"], created=False, reason=_obstacle(book, order, version) or "free")
    for order in _created(book, run):
        yield Left(order["id"], order["number"], created=True, reason=_obstacle(book, order, None) or "free")


def _restore(book: Book, run: Import, undo: Undo, at: datetime) -> None:
    for version in _updated(book, run.id):
        order = book.orders.rows[version["order_id"]]
        if _obstacle(book, order, version) is not None:
            undo.left += 1
            continue
        with counting(book, order["id"]):
            restore_version(book, version, at=at)
        undo.restored += 1
        _tell(book, run, "order.updated", book.orders.rows[order["id"]], at)
        undo.users += _remove_user(book, run, order["user_id"])


def _remove(book: Book, run: Import, undo: Undo, at: datetime) -> None:
    for order in _created(book, run.id):
        if _obstacle(book, order, None) is not None:
            undo.left += 1
            continue
        with counting(book, order["id"]):
            book.remove_order(order["id"])
        undo.removed += 1
        _tell(book, run, "order.removed", order, at)
        undo.users += _remove_user(book, run, order["user_id"])


def _tell_end(book: Book, run: Import, undo: Undo, at: datetime) -> None:
    facts = {"type": "import.undone", "at": at, "actor": undo.actor, "import_id": run.id, "data": json.dumps(undo.counts)}
    book.add_event({"id": new_id(at), **facts})


def _updated(book: Book, run: UUID) -> list[Row]:
    kept = (version for versions in book.order_versions.values() for version in versions if version["import_id"] == run)
    return sorted(kept, key=lambda version: version["order_id"])


def _created(book: Book, run: UUID) -> list[Row]:
    return sorted((row for row in book.orders.rows.values() if row["import_id"] == run), key=lambda row: row["id"])


def _obstacle(book: Book, order: Row, version: Row | None) -> Obstacle | None:
    """Say why an order stays; without a `version` it is one that the import created."""
    than = -1 if version is None else version["version"]
    if any(kept["version"] > than for kept in book.order_versions.get(order["id"], ())):
        return "updated_later"
    if order["version"] != order["imported_version"]:
        return "changed_since"
    was = order if version is None else version["order"]
    by_number = book.orders.owner("orders_channel_number", (was["channel"], was["number"]))
    by_external = was["external_id"] and book.orders.owner("orders_channel_external_id", (was["channel"], was["external_id"]))
    return "number_taken" if {by_number, by_external} - {None, order["id"]} else None


def _tell(book: Book, run: Import, kind: str, order: Row, at: datetime) -> None:
    last = max((event["sequence"] or 0 for event in book.events.rows.values() if event["order_id"] == order["id"]), default=0)
    data = json.dumps({"status": order["status"], "payment": order["payment"]})
    facts = {
        "type": kind,
        "at": at,
        "actor": run.undo.actor if run.undo else ACTOR,
        "order_id": order["id"],
        "import_id": run.id,
        "sequence": last + 1,
    }
    book.add_event({"id": new_id(at), **facts, "data": data})


def _remove_user(book: Book, run: Import, id: int | None) -> bool:
    """Remove a buyer whom imports alone brought; whether it was done."""
    if id is None:
        return False
    user = book.users.rows[id]
    known = any(user[name] is not None for name in ("password", "email_verified_at", "erased_at"))
    rows = (*book.orders.rows.values(), *book.one_time_tokens.rows.values())
    needed = any(row["user_id"] == id for row in rows) or any(
        version["user_id"] == id for versions in book.order_versions.values() for version in versions
    )
    if known or needed or user["is_staff"] or user["version"] != 1 or not _brought(book, run, user):
        return False
    book.users.remove(id)
    book.removed_users.add(id)
    return True


def _brought(book: Book, run: Import, user: Row) -> bool:
    """Whether an account came while this import ran, or another one that is undone."""
    undone = [each for each in book.imports.values() if each.id == run.id or each.state in {"undoing", "undone"}]
    return any(each.finished_at and each.started_at <= user["created_at"] <= each.finished_at for each in undone)
