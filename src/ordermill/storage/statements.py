"""The few statements that the two databases write differently."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

Upsert = PostgresInsert | SqliteInsert


def upsert(connection: Connection, row: type[Any]) -> Upsert:
    """Return an INSERT that knows ON CONFLICT."""
    return sqlite_insert(row) if connection.dialect.name == "sqlite" else postgres_insert(row)


def insert_ignoring(connection: Connection, row: type[Any]) -> Upsert:
    """Return an INSERT that leaves a row that is already there as it is."""
    return upsert(connection, row).on_conflict_do_nothing()
