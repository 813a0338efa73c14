"""A query's answer as a frame, alike on both databases, without an object per value on the way."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import Connection, text

from ordermill.imports.batch import MOMENT


def frame_of(
    connection: Connection, query: str, schema: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
) -> pl.DataFrame:
    """
    Run `query` and name its columns by `schema`; UUIDs come as 32 hex digits and moments as aware UTC.

    Lists among the `parameters` are what `listed` stands for.
    """
    rows = [tuple(row) for row in connection.execute(text(query), _bound(connection, parameters or {}))]
    if connection.dialect.name == "sqlite":
        stored = {name: _AS_STORED.get(kind, kind) for name, kind in schema.items()}
        return pl.DataFrame(rows, schema=stored, orient="row").with_columns(_from_stored(schema))
    return pl.DataFrame(_hexed(rows), schema=schema, orient="row")


def listed(connection: Connection, name: str) -> str:
    """Return what stands behind a column to say that it is one of the list given as parameter `name`."""
    if connection.dialect.name == "sqlite":
        return f"IN (SELECT value FROM json_each(:{name}))"  # noqa: S608  # the names are ours
    return f"= ANY(:{name})"


_AS_STORED: Mapping[Any, Any] = {MOMENT: pl.String, pl.Boolean: pl.Int64}


def _from_stored(schema: Mapping[str, Any]) -> list[pl.Expr]:
    moments = [name for name, kind in schema.items() if kind == MOMENT]
    flags = [name for name, kind in schema.items() if kind == pl.Boolean]
    return [
        pl.col(moments).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC"),
        pl.col(flags).cast(pl.Boolean),
    ]


def _bound(connection: Connection, parameters: Mapping[str, Any]) -> dict[str, Any]:
    if connection.dialect.name != "sqlite":
        return dict(parameters)
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in parameters.items()}


def _hexed(rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    ids = [place for place, value in enumerate(rows[0]) if isinstance(value, UUID)] if rows else []
    if ids == [0]:
        return [(row[0].hex, *row[1:]) for row in rows]
    return [tuple(value.hex if place in ids else value for place, value in enumerate(row)) for row in rows] if ids else rows
