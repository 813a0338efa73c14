"""
An order and its money as the whole product sees them: exact decimals in major units, aware UTC moments, addresses as values.

Not here: how an order is validated from a request (draft) or a file (imports).
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

ZERO = Decimal(0)


class Status(StrEnum):
    """Where the goods are."""

    PENDING = "pending"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class PaymentState(StrEnum):
    """Where the money is."""

    UNPAID = "unpaid"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to send goods or the bill; `country` is ISO 3166-1 alpha-2."""

    name: str | None = None
    company: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None


@dataclass(slots=True, kw_only=True)
class Item:
    """One line: `total` is before `discount`, which is its share of all the order's discounts."""

    sku: str
    name: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    discount: Decimal = ZERO
    product_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Order:
    """
    What was bought. `total = subtotal - discount + shipping + tax`; `tax_included` is inside the prices.

    `channel` and `number` identify it for people, `channel` and `external_id` for the shop it came from.
    """

    id: UUID
    number: str
    currency: str
    placed_at: datetime
    updated_at: datetime
    channel: str = "api"
    external_id: str | None = None
    status: Status = Status.PENDING
    payment: PaymentState = PaymentState.UNPAID
    customer_id: int | None = None
    customer_email: str | None = None
    items: list[Item] = field(default_factory=list)
    subtotal: Decimal = ZERO
    discount: Decimal = ZERO
    discount_code: str | None = None
    shipping: Decimal = ZERO
    tax: Decimal = ZERO
    tax_included: Decimal = ZERO
    total: Decimal = ZERO
    paid: Decimal = ZERO
    refunded: Decimal = ZERO
    source_total: Decimal | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    note: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """
    Money received for an order (a payment) or given back (a refund), in the order's currency.

    `reference` is the payment provider's; `import_id` names the import that told of it, None says it was recorded here.
    """

    id: UUID
    order_id: UUID
    currency: str
    amount: Decimal
    at: datetime
    method: str | None = None
    reference: str | None = None
    import_id: UUID | None = None
