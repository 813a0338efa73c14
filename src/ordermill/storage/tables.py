"""
SQLAlchemy's view of the schema: classes mapped to tables that are read off Django's models.

Nothing here names a type or a constraint a second time; the annotations are for the type checker, and
tests/contracts/test_schema.py compares them with the models.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

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
from sqlalchemy.orm import Mapped, registry
from sqlalchemy.types import TypeEngine

from ordermill.schema.setup import configure

configure()

from ordermill.schema import models  # noqa: E402  # the models can be imported only after Django was configured
from ordermill.storage.types import Instant  # noqa: E402  # likewise

# Every model, for those who ask about constraints; Django is configured by now.
MODELS: list[type[django.Model]] = [getattr(models, name) for name in models.__all__]

_registry = registry(metadata=MetaData())

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


def _table(model: type[django.Model]) -> Table:
    options = model._meta  # noqa: SLF001  # Django's documented Model _meta API
    keys = {field.column for field in options.pk_fields}
    columns = [
        Column(field.column, _type(field), primary_key=field.column in keys, nullable=field.null, key=field.column)
        for field in options.local_concrete_fields
        if field.column is not None
    ]
    return Table(options.db_table, _registry.metadata, *columns)


@_registry.mapped
class UserRow:
    __table__ = _table(models.User)
    id: Mapped[int]
    email: Mapped[str]
    email_key: Mapped[str]
    name: Mapped[str]
    password: Mapped[str | None]
    is_active: Mapped[bool]
    is_staff: Mapped[bool]
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    version: Mapped[int]


@_registry.mapped
class ProductRow:
    __table__ = _table(models.Product)
    id: Mapped[int]
    sku: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    price: Mapped[int]
    currency: Mapped[str]
    stock: Mapped[int | None]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    version: Mapped[int]


@_registry.mapped
class ChannelRow:
    __table__ = _table(models.Channel)
    id: Mapped[int]
    name: Mapped[str]
    created_at: Mapped[datetime]


@_registry.mapped
class OrderRow:
    __table__ = _table(models.Order)
    id: Mapped[UUID]
    channel_id: Mapped[int]
    number: Mapped[str]
    external_id: Mapped[str | None]
    status: Mapped[str]
    payment: Mapped[str]
    currency: Mapped[str]
    user_id: Mapped[int | None]
    subtotal: Mapped[int]
    discount: Mapped[int]
    discount_code: Mapped[str | None]
    shipping: Mapped[int]
    tax: Mapped[int]
    tax_included: Mapped[int]
    total: Mapped[int]
    source_total: Mapped[int | None]
    paid: Mapped[int]
    refunded: Mapped[int]
    shipping_address: Mapped[dict[str, Any] | None]
    billing_address: Mapped[dict[str, Any] | None]
    carrier: Mapped[str | None]
    tracking_number: Mapped[str | None]
    note: Mapped[str | None]
    placed_by_customer: Mapped[bool]
    placed_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int]
    source_updated_at: Mapped[datetime | None]
    fingerprint: Mapped[str | None]
    status_set_here: Mapped[bool]
    imported_version: Mapped[int | None]
    import_id: Mapped[UUID | None]


@_registry.mapped
class ItemRow:
    __table__ = _table(models.Item)
    id: Mapped[int]
    order_id: Mapped[UUID]
    position: Mapped[int]
    product_id: Mapped[int | None]
    sku: Mapped[str]
    name: Mapped[str]
    quantity: Mapped[int]
    unit_price: Mapped[int]
    price_scale: Mapped[int]
    total: Mapped[int]
    discount: Mapped[int]


@_registry.mapped
class PaymentRow:
    __table__ = _table(models.Payment)
    id: Mapped[UUID]
    order_id: Mapped[UUID]
    amount: Mapped[int]
    method: Mapped[str | None]
    reference: Mapped[str | None]
    at: Mapped[datetime]
    import_id: Mapped[UUID | None]


@_registry.mapped
class RefundRow:
    __table__ = _table(models.Refund)
    id: Mapped[UUID]
    order_id: Mapped[UUID]
    amount: Mapped[int]
    method: Mapped[str | None]
    reference: Mapped[str | None]
    at: Mapped[datetime]
    import_id: Mapped[UUID | None]


@_registry.mapped
class VersionRow:
    __table__ = _table(models.OrderVersion)
    id: Mapped[int]
    import_id: Mapped[UUID]
    order_id: Mapped[UUID]
    version: Mapped[int]
    user_id: Mapped[int | None]
    previous: Mapped[dict[str, Any]]


@_registry.mapped
class EventRow:
    __table__ = _table(models.Event)
    id: Mapped[UUID]
    type: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    order_id: Mapped[UUID | None]
    user_id: Mapped[int | None]
    import_id: Mapped[UUID | None]
    sequence: Mapped[int | None]
    data: Mapped[dict[str, Any]]


@_registry.mapped
class ImportRow:
    __table__ = _table(models.Import)
    id: Mapped[UUID]
    channel_id: Mapped[int]
    file_name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    records: Mapped[int | None]
    format: Mapped[str]
    mapping: Mapped[str]
    options_key: Mapped[str]
    header: Mapped[bytes | None]
    delimiter: Mapped[str | None]
    state: Mapped[str]
    checkpoint: Mapped[int]
    tally: Mapped[dict[str, Any]]
    actor: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    undo: Mapped[dict[str, Any] | None]


@_registry.mapped
class RejectRow:
    __table__ = _table(models.ImportReject)
    id: Mapped[int]
    import_id: Mapped[UUID]
    position: Mapped[int]
    line: Mapped[int]
    number: Mapped[str | None]
    field: Mapped[str | None]
    value: Mapped[str | None]
    code: Mapped[str]
    message: Mapped[str]
    lines: Mapped[bytes | None]


@_registry.mapped
class HourRow:
    __table__ = _table(models.StatisticsHour)
    hour: Mapped[datetime]
    currency: Mapped[str]
    stripe: Mapped[int]
    count: Mapped[int]
    total: Mapped[int]
    refunded: Mapped[int]


@_registry.mapped
class MovementRow:
    __table__ = _table(models.StockMovement)
    id: Mapped[int]
    product_id: Mapped[int]
    change: Mapped[int]
    kind: Mapped[str]
    order_id: Mapped[UUID | None]
    actor: Mapped[str]
    at: Mapped[datetime]


@_registry.mapped
class DiscountRow:
    __table__ = _table(models.Discount)
    id: Mapped[int]
    code: Mapped[str]
    kind: Mapped[str]
    value: Mapped[int]
    currency: Mapped[str | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    minimum: Mapped[int | None]
    max_uses: Mapped[int | None]
    max_uses_per_customer: Mapped[int | None]
    uses: Mapped[int]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    version: Mapped[int]


@_registry.mapped
class UseRow:
    __table__ = _table(models.DiscountUse)
    order_id: Mapped[UUID]
    discount_id: Mapped[int]
    user_id: Mapped[int | None]
    at: Mapped[datetime]


@_registry.mapped
class SessionRow:
    __table__ = _table(models.Session)
    id: Mapped[UUID]
    user_id: Mapped[int]
    current_hash: Mapped[str]
    previous_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    refreshed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


@_registry.mapped
class ApiKeyRow:
    __table__ = _table(models.ApiKey)
    id: Mapped[UUID]
    name: Mapped[str]
    scope: Mapped[str]
    secret_hash: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


@_registry.mapped
class OneTimeTokenRow:
    __table__ = _table(models.OneTimeToken)
    hash: Mapped[str]
    purpose: Mapped[str]
    user_id: Mapped[int | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


@_registry.mapped
class ThrottleRow:
    __table__ = _table(models.SignInThrottle)
    key: Mapped[str]
    failures: Mapped[int]
    since: Mapped[datetime]
    until: Mapped[datetime]


@_registry.mapped
class IdempotencyRow:
    __table__ = _table(models.IdempotencyKey)
    principal: Mapped[str]
    route: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    answer: Mapped[str]
    created_at: Mapped[datetime]


@_registry.mapped
class ErasedRow:
    __table__ = _table(models.ErasedEmail)
    hash: Mapped[str]
    at: Mapped[datetime]


@_registry.mapped
class BookKeyRow:
    __table__ = _table(models.BookKey)
    name: Mapped[str]
    value: Mapped[str]


ROWS = {
    row.__table__.name: row
    for row in (
        UserRow, ProductRow, ChannelRow, OrderRow, ItemRow, PaymentRow, RefundRow, VersionRow, EventRow, ImportRow, RejectRow,
        HourRow, MovementRow, DiscountRow, UseRow, SessionRow, ApiKeyRow, OneTimeTokenRow, ThrottleRow, IdempotencyRow,
        ErasedRow, BookKeyRow,
    )
}  # fmt: skip
