"""A query's answer as a frame, alike on both databases."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from ordermill.imports.model import MOMENT


def frame_of(connection: Connection, query: str, schema: Mapping[str, Any]) -> pl.DataFrame:
    """Run `query` and name its columns by `schema`; UUIDs come as 32 hex digits and moments as aware UTC."""
    rows = connection.exec_driver_sql(query).all()
    moments = [position for position, kind in enumerate(schema.values()) if kind == MOMENT]
    return pl.DataFrame([_plain(row, moments) for row in rows], schema=schema, orient="row")


def _plain(row: Any, moments: list[int]) -> list[Any]:
    values = [value.hex if isinstance(value, UUID) else value for value in row]
    for position in moments:
        if isinstance(values[position], str):
            values[position] = datetime.fromisoformat(values[position]).replace(tzinfo=UTC)
    return values
