"""Tables read off Django's models: one column for each of their fields, of the type that reads and writes the same."""

from typing import Any

from django.db import models as django
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeEngine

from ordermill.schema.setup import configure

__all__ = ["MODELS", "mapped", "models", "table"]

configure()

from ordermill.schema import models  # noqa: E402  # the models can be imported only after Django was configured
from ordermill.storage.types import Instant  # noqa: E402  # likewise

# Every model, for those who ask about constraints; Django is configured by now.
MODELS: list[type[django.Model]] = [getattr(models, name) for name in models.__all__]

_registry = registry(metadata=MetaData())
# Makes a class stand for a row of its `__table__`.
mapped = _registry.mapped

# From special to general: the first that fits is taken.
_TYPES: "list[tuple[type[django.Field[Any, Any]], TypeEngine[Any]]]" = [
    (django.BooleanField, Boolean()),
    (django.SmallIntegerField, SmallInteger()),
    (django.BigIntegerField, BigInteger()),
    (django.BigAutoField, BigInteger()),
    (django.IntegerField, Integer()),
    (django.DateTimeField, Instant()),
    (django.UUIDField, Uuid()),
    (django.JSONField, JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")),
    (django.BinaryField, LargeBinary()),
    (django.TextField, Text()),
    (django.CharField, String()),
]


def _type(field: "django.Field[Any, Any]") -> TypeEngine[Any]:
    while isinstance(field, django.ForeignKey):
        field = field.target_field
    return next(kind for django_type, kind in _TYPES if isinstance(field, django_type))


def table(model: type[django.Model]) -> Table:
    options = model._meta  # noqa: SLF001  # Django's documented Model _meta API
    keys = {field.column for field in options.pk_fields}
    columns = [
        Column(field.column, _type(field), primary_key=field.column in keys, nullable=field.null, key=field.column)
        for field in options.local_concrete_fields
        if field.column is not None
    ]
    return Table(options.db_table, _registry.metadata, *columns)
