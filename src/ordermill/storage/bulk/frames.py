"""A frame into a table, by the fastest way each database has."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection

from ordermill.imports.batch import MOMENT

# A third faster than a statement a row, and far from SQLite's limit of 32,766 parameters.
ROWS_A_STATEMENT: Final = 64


def insert_frame(connection: Connection, table: str, frame: pl.DataFrame, *, suffix: str = "") -> None:
    """
    Insert every row of `frame` into the columns of its names.

    Ids of UUID columns are 32 hex digits, moments MOMENT, JSON text. Constraints are checked as ever.

    Args:
        suffix: an ON CONFLICT clause; PostgreSQL's COPY has none, so there the rows go through a temporary table.
    """
    if frame.is_empty():
        return
    if connection.dialect.name == "sqlite":
        _execute_many(connection, table, frame, suffix)
    elif suffix:
        _copy_through_temporary(connection, table, frame, suffix)
    else:
        _copy(connection, table, frame)


def as_stored_text(moment: pl.Expr) -> pl.Expr:
    """Return moments as Django and `storage.types.Instant` write them on SQLite."""
    whole = moment.dt.strftime("%Y-%m-%d %H:%M:%S")
    return pl.when(moment.dt.microsecond() == 0).then(whole).otherwise(moment.dt.strftime("%Y-%m-%d %H:%M:%S%.6f"))


def _execute_many(connection: Connection, table: str, frame: pl.DataFrame, suffix: str) -> None:
    moments = [name for name, kind in frame.schema.items() if kind == MOMENT]
    plain = frame.with_columns(as_stored_text(pl.col(name)) for name in moments)
    places = f"({', '.join('?' * plain.width)})"
    head = f"INSERT INTO {table} ({_columns(plain)}) VALUES "  # noqa: S608  # names are ours
    rows = plain.rows()
    whole = len(rows) - len(rows) % ROWS_A_STATEMENT
    raw: Any = connection.connection.driver_connection
    driver: sqlite3.Connection = raw
    together = (tuple(chain.from_iterable(rows[at : at + ROWS_A_STATEMENT])) for at in range(0, whole, ROWS_A_STATEMENT))
    driver.executemany(f"{head} {', '.join([places] * ROWS_A_STATEMENT)} {suffix}", together)
    driver.executemany(f"{head} {places} {suffix}", rows[whole:])


def _copy(connection: Connection, table: str, frame: pl.DataFrame) -> None:
    source = io.BytesIO()
    # Unquoted nothing is NULL and quoted nothing is "": Polars writes and COPY reads it so.
    frame.write_csv(source, include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    source.seek(0)
    adapter: Any = connection.connection.dbapi_connection
    adapter.run_async(lambda driver: driver.copy_to_table(table, source=source, columns=frame.columns, format="csv"))


def _copy_through_temporary(connection: Connection, table: str, frame: pl.DataFrame, suffix: str) -> None:
    columns = _columns(frame)
    with temporary(connection, f"incoming_{table}", frame, like=table) as spare:
        connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {spare} {suffix}")  # noqa: S608  # names are ours


@contextmanager
def temporary(connection: Connection, name: str, frame: pl.DataFrame, *, like: str) -> Iterator[str]:
    """Put a frame into a temporary table whose columns are of the types they have in the table `like`."""
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} AS SELECT {_columns(frame)} FROM {like} WHERE 1 = 0")  # noqa: S608  # names are ours
    insert_frame(connection, name, frame)
    yield name
    # Not in a `finally`: a failed transaction refuses every statement, and its rollback removes the table.
    connection.exec_driver_sql(f"DROP TABLE {name}")


def _columns(frame: pl.DataFrame) -> str:
    return ", ".join(f'"{name}"' for name in frame.columns)
