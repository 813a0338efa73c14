"""Column types that write exactly what Django writes, so that both halves find each other's rows."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, String, TypeDecorator
from sqlalchemy.types import TypeEngine


class Instant(TypeDecorator[datetime]):
    """
    An aware UTC moment: `timestamptz` on PostgreSQL, Django's text on SQLite.

    That text is UTC without offset, with six digits of fraction only where there is one. It sorts
    as the moments do.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A naive datetime was about to be stored; every moment is aware UTC.")
        return text_of(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return moment_of(value)
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if dialect.name == "sqlite" else moment.astimezone(UTC)


def text_of(moment: datetime) -> str:
    """Return how an aware moment is stored on SQLite."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def moment_of(text: str) -> datetime:
    """Return the moment that is stored on SQLite."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
