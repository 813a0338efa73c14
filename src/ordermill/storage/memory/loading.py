"""One batch into the book in memory. What becomes of each order is decided by the code that decides it for SQL."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import polars as pl

from ordermill.imports.batch import MOMENT, Batch, Loaded
from ordermill.imports.model import Import
from ordermill.kit.ids import new_id
from ordermill.storage.bulk.figures import before, placed, refunded, summed
from ordermill.storage.bulk.forgotten import with_kept_buyers
from ordermill.storage.bulk.outcome import outcome
from ordermill.storage.bulk.plan import EXISTING, plan
from ordermill.storage.bulk.recorded import MOVEMENTS, beyond_recorded, refunds_after, with_recorded
from ordermill.storage.bulk.rows import (
    ACTOR,
    CARRIED,
    Stamp,
    customer_rows,
    event_rows,
    item_rows,
    order_rows,
    payment_rows,
    refund_rows,
    with_ids,
)
from ordermill.storage.entities import Row
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.erased import without_erased
from ordermill.storage.memory.versions import keep_version

_NO_PRODUCTS: Final = pl.DataFrame(schema={"sku": pl.String, "product_id": pl.Int64})
_UUIDS: Final = ("id", "order_id", "import_id")
_ADDRESSES: Final = ("shipping_address", "billing_address")


def compare(book: Book, batch: Batch, *, file: str) -> Loaded:
    """Say what `load` would do."""
    decided = plan(batch.orders, _existing(book, batch.orders))
    decided = decided.holding(_holding(book, decided.cancelling))
    decided = without_erased(book, decided)
    told = outcome(batch, decided, customers=0, file=file)
    keys = pl.concat([decided.new["customer_key"], decided.changed["customer_key"]]).drop_nulls().unique(maintain_order=True)
    known = pl.Series([book.users.owner("users_email_key", key) is not None for key in keys], dtype=pl.Boolean)
    told.strangers = keys.filter(~known)
    return told


def load(book: Book, batch: Batch, stamp: Stamp, *, file: str) -> Loaded:
    """Write a batch's orders with everything that belongs to them; return what became of each."""
    decided = plan(batch.orders, _existing(book, batch.orders)).told_twice(_written_by(book, stamp.import_id))
    decided = decided.holding(_holding(book, decided.cancelling))
    decided = without_erased(book, decided)
    people = len(book.users.rows)
    new = _with_customers(book, decided.new, at=stamp.at)
    figures = _insert(book, new, batch.items, stamp)
    if not decided.changed.is_empty():
        changed = with_kept_buyers(_with_customers(book, decided.changed, at=stamp.at))
        figures = summed(figures, _replace(book, changed, batch.items, stamp))
    _move_figures(book, figures)
    return outcome(batch, decided, customers=len(book.users.rows) - people, file=file)


def add_finished_event(book: Book, run: Import, *, at: datetime) -> None:
    data = json.dumps({"orders": run.tally.orders, "lines": run.tally.lines})
    facts = {"type": "import.finished", "at": at, "actor": ACTOR, "import_id": run.id, "data": data}
    book.add_event({"id": new_id(at), **facts})


def _existing(book: Book, orders: pl.DataFrame) -> pl.DataFrame:
    """Return the stored orders (`EXISTING`) that share channel and number, or channel and external id, with a batch's."""
    names = (("orders_channel_number", "number"), ("orders_channel_external_id", "external_id"))
    owners = {
        book.orders.owner(constraint, pair) for constraint, name in names for pair in orders.select("channel", name).iter_rows()
    }
    rows = [book.orders.rows[id] for id in owners if id is not None]
    return pl.DataFrame([[_plain(row[name]) for name in EXISTING] for row in rows], schema=EXISTING, orient="row")


def _holding(book: Book, ids: pl.Series) -> pl.Series:
    """Return those of the stored orders `ids` that hold stock or a discount's use."""
    if ids.is_empty():
        return ids
    moved = {(row["order_id"], row["product_id"], row["kind"]) for row in book.stock_movements.rows.values()}
    taken = {order for order, product, kind in moved if kind == "order" and (order, product, "cancel") not in moved}
    return ids.filter(pl.Series([UUID(id) in taken or UUID(id) in book.discount_uses.rows for id in ids], dtype=pl.Boolean))


def _with_customers(book: Book, orders: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """Add `user_id` to orders, null for guests; customers who have no account get one, unclaimed."""

    def account(key: str) -> int | None:
        return book.users.owner("users_email_key", key)

    wanted = orders.filter(pl.col("customer_key").is_not_null()).unique("customer_key", keep="first", maintain_order=True)
    missing = [account(key) is None for key in wanted["customer_key"]]
    unclaimed = {"password": None, "email_verified_at": None, "erased_at": None}
    for row in customer_rows(wanted.filter(pl.Series(missing, dtype=pl.Boolean)), at=at).iter_rows(named=True):
        id = book.new_user_id()
        book.users.insert(id, {"id": id, **unclaimed, **row})
    accounts = [None if key is None else account(key) for key in orders["customer_key"]]
    return orders.with_columns(user_id=pl.Series(accounts, dtype=pl.Int64))


def _insert(book: Book, new: pl.DataFrame, items: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    orders = with_ids(new, stamp).with_columns(channel_id="channel", sequence=pl.lit(1, pl.Int32))
    bought = _by_order(item_rows(items, orders, _NO_PRODUCTS))
    for row in _rows(order_rows(orders, stamp)):
        row["channel"] = row.pop("channel_id")
        book.put_order(row["id"], row, bought[row["id"]])
    refunds = _add_money(book, orders, stamp)
    _add_events(book, event_rows(orders, stamp, kind="order.imported"))
    with_order = refunds.join(orders.select("id", "status", "currency"), left_on="order_id", right_on="id")
    return summed(placed(orders), refunded(with_order))


def _replace(book: Book, changed: pl.DataFrame, items: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    last = _last_sequences(book)
    orders = changed.with_columns(id="old_id", updated_at=pl.lit(stamp.at, MOMENT)).with_columns(
        sequence=pl.Series([last[UUID(id)] + 1 for id in changed["old_id"]], dtype=pl.Int32)
    )
    payments, refunds = (_movements(kept, orders) for kept in (book.payments, book.refunds))
    orders = with_recorded(orders, payments=payments, refunds=refunds)
    bought = _by_order(item_rows(items, orders, _NO_PRODUCTS))
    for row in _rows(orders.select("id", *CARRIED, "user_id", "updated_at")):
        stored = book.orders.rows[row["id"]]
        keep_version(book, stored, UUID(stamp.import_id))
        version = {"version": stored["version"] + 1, "imported_version": stored["version"] + 1}
        book.put_order(row["id"], {**stored, **row, **version}, bought[row["id"]])
        for movements in (book.payments, book.refunds):
            kept = movements.get(row["id"], ())
            movements[row["id"]] = tuple(movement for movement in kept if movement["import_id"] is None)
    imported = _add_money(book, beyond_recorded(orders), stamp)
    _add_events(book, event_rows(orders, stamp, kind="order.updated"))
    after = refunded(refunds_after(orders, refunds, imported))
    return summed(before(orders, refunds), placed(orders), after)


def _movements(kept: Mapping[UUID, Sequence[Row]], orders: pl.DataFrame) -> pl.DataFrame:
    """Return the payments or refunds of orders (`MOVEMENTS`)."""
    found = [
        (id, movement["at"], movement["amount"], movement["import_id"] is None)
        for id in orders["id"]
        for movement in kept.get(UUID(id), ())
    ]
    return pl.DataFrame(found, schema=MOVEMENTS, orient="row")


def _add_money(book: Book, orders: pl.DataFrame, stamp: Stamp) -> pl.DataFrame:
    """Record what was paid and given back; return the refunds."""
    refunds = refund_rows(orders, stamp)
    for movements, rows in ((book.payments, payment_rows(orders, stamp)), (book.refunds, refunds)):
        for order, added in _by_order(rows).items():
            movements[order] = (*movements.get(order, ()), *added)
    return refunds


def _written_by(book: Book, import_id: str) -> pl.Series:
    run = UUID(import_id)
    ids = {event["order_id"].hex for event in book.events.rows.values() if event["import_id"] == run and event["order_id"]}
    return pl.Series(sorted(ids), dtype=pl.String)


def _add_events(book: Book, frame: pl.DataFrame) -> None:
    for row in _rows(frame):
        book.add_event(row)


def _last_sequences(book: Book) -> dict[UUID, int]:
    last: dict[UUID, int] = defaultdict(int)
    for event in book.events.rows.values():
        last[event["order_id"]] = max(last[event["order_id"]], event["sequence"] or 0)
    return last


def _move_figures(book: Book, figures: pl.DataFrame) -> None:
    for added in figures.iter_rows(named=True):
        key = (added["hour"], added["currency"])
        kept = book.hours.get(key, {})
        book.hours[key] = {name: kept.get(name, 0) + added[name] for name in ("count", "total", "refunded")}


def _by_order(frame: pl.DataFrame) -> dict[UUID, list[Row]]:
    grouped: dict[UUID, list[Row]] = defaultdict(list)
    for row in _rows(frame):
        grouped[row["order_id"]].append(row)
    return grouped


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows with UUIDs and JSON objects where a frame has only text."""
    rows = frame.to_dicts()
    for row in rows:
        row |= {name: UUID(row[name]) for name in _UUIDS if row.get(name) is not None}
        row |= {name: json.loads(row[name]) for name in _ADDRESSES if row.get(name) is not None}
    return rows


def _plain(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value
