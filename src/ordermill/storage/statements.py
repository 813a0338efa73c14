"""The few statements that the two databases write differently."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
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


def among(connection: Connection, what: Any, values: Sequence[str]) -> ColumnElement[bool]:
    """
    Return the condition that `what` is one of `values`, as one parameter however many there are.

    SQLite has a limit on parameters (32,766) and takes a JSON array; PostgreSQL takes an array.
    """
    if connection.dialect.name == "sqlite":
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        found: ColumnElement[bool] = what.in_(select(listed.c.value))
        return found
    equal: ColumnElement[bool] = what == func.any(bindparam(None, list(values), type_=ARRAY(String)))
    return equal
