"""Orders and what belongs to them: money, the ledger, the kept figures, answers that were given."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from ordermill.storage.tables.mapping import mapped, models, table


@mapped
class ChannelRow:
    __table__ = table(models.Channel)
    id: Mapped[int]
    name: Mapped[str]
    created_at: Mapped[datetime]


@mapped
class OrderRow:
    __table__ = table(models.Order)
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


@mapped
class ItemRow:
    __table__ = table(models.Item)
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


@mapped
class PaymentRow:
    __table__ = table(models.Payment)
    id: Mapped[UUID]
    order_id: Mapped[UUID]
    amount: Mapped[int]
    method: Mapped[str | None]
    reference: Mapped[str | None]
    at: Mapped[datetime]
    import_id: Mapped[UUID | None]


@mapped
class RefundRow:
    __table__ = table(models.Refund)
    id: Mapped[UUID]
    order_id: Mapped[UUID]
    amount: Mapped[int]
    method: Mapped[str | None]
    reference: Mapped[str | None]
    at: Mapped[datetime]
    import_id: Mapped[UUID | None]


@mapped
class VersionRow:
    __table__ = table(models.OrderVersion)
    id: Mapped[int]
    import_id: Mapped[UUID]
    order_id: Mapped[UUID]
    version: Mapped[int]
    user_id: Mapped[int | None]
    previous: Mapped[dict[str, Any]]


@mapped
class EventRow:
    __table__ = table(models.Event)
    id: Mapped[UUID]
    type: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    order_id: Mapped[UUID | None]
    user_id: Mapped[int | None]
    import_id: Mapped[UUID | None]
    sequence: Mapped[int | None]
    data: Mapped[dict[str, Any]]


@mapped
class HourRow:
    __table__ = table(models.StatisticsHour)
    hour: Mapped[datetime]
    currency: Mapped[str]
    stripe: Mapped[int]
    count: Mapped[int]
    total: Mapped[int]
    refunded: Mapped[int]


@mapped
class IdempotencyRow:
    __table__ = table(models.IdempotencyKey)
    principal: Mapped[str]
    route: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    answer: Mapped[str]
    created_at: Mapped[datetime]
