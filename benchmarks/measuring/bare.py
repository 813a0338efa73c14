"""
The limit: the rows of a real run, prebuilt, written to a fresh book with nothing but the driver.

Same batches, transactions, durability, indexes and constraints; every table that `process` writes, the run's
checkpoint and tally among them. Only writing is timed: neither building the rows nor reading the record.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import asyncpg
import polars as pl
from record import Insert, Record, Transaction
from sqlalchemy import Connection, text, update

from ordermill.bootstrap import connect
from ordermill.config import DatabaseUrl
from ordermill.imports.batch import MOMENT
from ordermill.imports.process import ACTOR
from ordermill.kit.clock import SystemClock
from ordermill.storage import sqlite
from ordermill.storage.bulk.frames import as_stored_text
from ordermill.storage.database import Database
from ordermill.storage.imports import SqlImports
from ordermill.storage.tables import ImportRow

# What must be equal in a book that was loaded bare and in the one whose rows these are.
_SUMS: Final = {
    "users": "count(*), sum(id)",
    "orders": "count(*), sum(user_id), sum(total), sum(paid), sum(refunded)",
    "order_items": "count(*), sum(position), sum(quantity), sum(total), sum(discount)",
    "payments": "count(*), sum(amount)",
    "refunds": "count(*), sum(amount)",
    "events": "count(*), sum(sequence)",
    "statistics_hours": "count(*), sum(count), sum(total), sum(refunded)",
    "import_rejects": "count(*), sum(line)",
    "imports": "count(*), sum(checkpoint)",
}
_SQL_TYPES: Final[dict[Any, str]] = {MOMENT: "timestamptz", pl.String: "text", pl.Int64: "bigint", pl.Int16: "smallint"}

Sums = dict[str, Any]


def load(record: Path, url: str, *, like: str) -> float:
    """
    Write a recorded run to the fresh book at `url`; return the seconds that writing took.

    Raises:
        AssertionError: the book does not come out as the one at `like`, where the record was made.
    """
    run = asyncio.run(_in_books(_begin, like, url))
    book = DatabaseUrl(url)
    transactions = Record(record).transactions()
    if book.embedded:
        seconds = _into_sqlite(book.path, run, transactions)
    else:
        seconds = asyncio.run(_into_postgres(book.secret_url, run, transactions))
    asyncio.run(_in_books(_finish, url))
    require_equal(url, like)
    return seconds


def require_equal(url: str, like: str) -> None:
    """
    Compare the counts and sums of every table, and the tally of the only run.

    Raises:
        AssertionError: the two books differ.
    """
    found, expected = (asyncio.run(_in_books(_sums, book)) for book in (url, like))
    if found != expected:
        raise AssertionError(f"The books should be equal, but one holds {found} and the other {expected}")


async def _in_books(work: Callable[..., Awaitable[Any]], *urls: str) -> Any:
    books = [connect(DatabaseUrl(url)) for url in urls]
    try:
        return await work(*books)
    finally:
        for book in books:
            await book.close()


async def _begin(recorded: Database, bare: Database) -> UUID:
    """Open the recorded run in the bare book, under the id that its rows name."""
    (run,) = await SqlImports(recorded).recent(limit=1)
    begun = await SqlImports(bare).begin(run.file, at=SystemClock().now(), actor=ACTOR)
    naming = update(ImportRow).where(ImportRow.id == begun.id).values(id=run.id)
    await bare.write(lambda connection: connection.execute(naming))
    return run.id


async def _finish(bare: Database) -> None:
    store = SqlImports(bare)
    (run,) = await store.recent(limit=1)
    await store.finish(run, at=SystemClock().now())


async def _sums(book: Database) -> Sums:
    def look(connection: Connection) -> Sums:
        return {table: tuple(connection.execute(text(f"SELECT {what} FROM {table}")).one()) for table, what in _SUMS.items()}

    (run,) = await SqlImports(book).recent(limit=1)
    return await book.read(look, patient=True) | {"tally": run.tally.as_json()}


def _into_sqlite(path: str, run: UUID, transactions: Iterator[Transaction]) -> float:
    driver = sqlite.connect(path)
    seconds = 0.0
    for checkpoint, transaction in enumerate(transactions):
        rows = [(_insert(insert), _stored(insert.frame)) for insert in transaction.inserts if len(insert.frame)]
        rejected = transaction.rejected
        if rejected.rows:
            rows.append((_statement("import_rejects", rejected.columns), rejected.rows))
        begun = perf_counter()
        driver.execute("BEGIN IMMEDIATE")
        driver.execute(
            "UPDATE imports SET checkpoint = ? WHERE id = ? AND checkpoint = ?", (checkpoint + 1, run.hex, checkpoint)
        )
        for statement, values in rows:
            driver.executemany(statement, values)
        driver.execute("UPDATE imports SET tally = ? WHERE id = ?", (transaction.tally, run.hex))
        driver.execute("COMMIT")
        seconds += perf_counter() - begun
    driver.close()
    return seconds


def _insert(insert: Insert) -> str:
    return f"{_statement(insert.table, insert.frame.columns)} {insert.upsert}"


def _statement(table: str, columns: list[str] | tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _stored(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    moments = [name for name, kind in frame.schema.items() if kind == MOMENT]
    return frame.with_columns(as_stored_text(pl.col(name)) for name in moments).rows()


async def _into_postgres(url: str, run: UUID, transactions: Iterator[Transaction]) -> float:
    driver = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    seconds = 0.0
    for checkpoint, transaction in enumerate(transactions):
        steps = [_prebuilt(driver, insert) for insert in transaction.inserts if len(insert.frame)]
        rejected = transaction.rejected
        begun = perf_counter()
        async with driver.transaction():
            guard = "UPDATE imports SET checkpoint = $1 WHERE id = $2 AND checkpoint = $3"
            await driver.execute(guard, checkpoint + 1, run, checkpoint)
            for step in steps:
                await step()
            if rejected.rows:
                await driver.copy_records_to_table("import_rejects", records=rejected.rows, columns=rejected.columns)
            await driver.execute("UPDATE imports SET tally = $1 WHERE id = $2", transaction.tally, run)
        seconds += perf_counter() - begun
    await driver.close()
    return seconds


def _prebuilt(driver: Any, insert: Insert) -> Callable[[], Awaitable[Any]]:
    """Return what writes the rows: COPY of text that is ready, or one statement with one array a column where rows add up."""
    frame = insert.frame
    if insert.upsert:
        columns = ", ".join(frame.columns)
        arrays = ", ".join(f"${place}::{_SQL_TYPES[kind]}[]" for place, kind in enumerate(frame.dtypes, start=1))
        statement = f"INSERT INTO {insert.table} ({columns}) SELECT * FROM unnest({arrays}) {insert.upsert}"
        values = [column.to_list() for column in frame.get_columns()]
        return lambda: driver.execute(statement, *values)
    source = io.BytesIO(frame.write_csv(include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ").encode())
    return lambda: driver.copy_to_table(insert.table, source=source, columns=frame.columns, format="csv")
