"""What can be bought, and what makes it cheaper."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from ordermill.storage.tables.mapping import mapped, models, table


@mapped
class ProductRow:
    __table__ = table(models.Product)
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


@mapped
class MovementRow:
    __table__ = table(models.StockMovement)
    id: Mapped[int]
    product_id: Mapped[int]
    change: Mapped[int]
    kind: Mapped[str]
    order_id: Mapped[UUID | None]
    actor: Mapped[str]
    at: Mapped[datetime]


@mapped
class DiscountRow:
    __table__ = table(models.Discount)
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


@mapped
class UseRow:
    __table__ = table(models.DiscountUse)
    order_id: Mapped[UUID]
    discount_id: Mapped[int]
    user_id: Mapped[int | None]
    at: Mapped[datetime]
