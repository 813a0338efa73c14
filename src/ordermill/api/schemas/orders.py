"""
The shape of an order in every answer and webhook, as the documentation and generated clients see it.

The answers themselves are built where the rows lie (`storage.order_json`) or by `orders.shape`; a test holds both to this.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ordermill.api.paging import Listed
from ordermill.orders.model import PaymentState, Status

_ADDRESS: Final[dict[str, JsonValue]] = {
    "name": "Ada", "company": None, "line1": "1 Mill Lane", "line2": None, "city": "York", "region": None,
    "postal_code": "YO1", "country": "GB", "phone": None,
}  # fmt: skip
_ID: Final = "0192f1c4-7a1e-7000-8000-000000000001"
_ORDER: Final[dict[str, JsonValue]] = {
    "id": _ID, "number": "7K3M9QXB", "channel": "api", "external_id": None, "status": "pending", "payment": "unpaid",
    "currency": "EUR", "customer_id": 12, "customer_email": "ada@example.com",
    "items": [
        {
            "product_id": 7, "sku": "TEA-1", "name": "Tea", "quantity": 2, "unit_price": "4.50", "discount": "0.00",
            "total": "9.00",
        }
    ],
    "subtotal": "9.00", "discount": "0.00", "discount_code": None, "shipping": "0.00", "tax": "0.00", "tax_included": "0.00",
    "total": "9.00", "paid": "0.00", "refunded": "0.00", "source_total": None, "shipping_address": _ADDRESS,
    "billing_address": _ADDRESS, "carrier": None, "tracking_number": None, "note": None,
    "placed_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z", "version": 1,
}  # fmt: skip
_MOVEMENT: Final[dict[str, JsonValue]] = {
    "id": "0192f1c5-02b0-7000-8000-000000000001", "order_id": _ID, "amount": "9.00", "currency": "EUR", "method": "card",
    "reference": "ch_3MmlLr", "at": "2026-11-22T10:01:00Z",
}  # fmt: skip
_AFTER: Final[dict[str, JsonValue]] = {"payment": "paid", "paid": "9.00", "refunded": "0.00", "version": 2}
_EVENT: Final[dict[str, JsonValue]] = {
    "id": "0192f1c4-7a1e-7000-8000-000000000002", "type": "order.placed", "at": "2026-11-22T10:00:00Z", "actor": "user:12",
    "order_id": _ID, "sequence": 1, "data": {},
}  # fmt: skip

_AMOUNT: Final = r"^-?\d+(\.\d{2,3})?$"


def _shown(*examples: dict[str, JsonValue]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class AddressResponse(BaseModel):
    """Where goods or the bill went, as it was at the time."""

    model_config = _shown(_ADDRESS)

    name: str | None
    company: str | None
    line1: str | None
    line2: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None = Field(description="ISO 3166-1 alpha-2.")
    phone: str | None


class OrderItemResponse(BaseModel):
    """One line of an order; SKU, name and price as they were."""

    product_id: int | None
    sku: str
    name: str
    quantity: int
    unit_price: str = Field(description="With the currency's decimals, more only where the source had them.", examples=["4.50"])
    discount: str = Field(description="This line's share of the order's discount.", pattern=_AMOUNT)
    total: str = Field(description="Quantity times unit price, before discount.", pattern=_AMOUNT)


class OrderResponse(BaseModel):
    """
    What was bought: `total = subtotal - discount + shipping + tax`; `tax_included` is inside the prices.

    Amounts are strings with the currency's decimals, moments RFC 3339 in UTC.
    """

    model_config = _shown(_ORDER)

    id: UUID
    number: str = Field(description="For people; unique within the channel.")
    channel: str = Field(description="Where the order came from.")
    external_id: str | None
    status: Status
    payment: PaymentState
    currency: str = Field(description="ISO 4217.")
    customer_id: int | None
    customer_email: str | None
    items: list[OrderItemResponse]
    subtotal: str = Field(pattern=_AMOUNT)
    discount: str = Field(pattern=_AMOUNT)
    discount_code: str | None
    shipping: str = Field(pattern=_AMOUNT)
    tax: str = Field(pattern=_AMOUNT)
    tax_included: str = Field(pattern=_AMOUNT)
    total: str = Field(pattern=_AMOUNT)
    paid: str = Field(pattern=_AMOUNT)
    refunded: str = Field(pattern=_AMOUNT)
    source_total: str | None = Field(description="What the imported file said the total was.")
    shipping_address: AddressResponse | None
    billing_address: AddressResponse | None
    carrier: str | None
    tracking_number: str | None
    note: str | None
    placed_at: datetime
    updated_at: datetime
    version: int = Field(description="Counts changes; the order's ETag.")


class OrderList(Listed[OrderResponse]):
    """Orders, latest placed first."""

    model_config = _shown({"data": [_ORDER], "has_more": False, "next_cursor": None})


class EventResponse(BaseModel):
    """Something that happened to an order; `data` has no personal data in it."""

    model_config = _shown(_EVENT)

    id: UUID
    type: str = Field(description="Such as order.placed, order.status_changed, order.paid.")
    at: datetime
    actor: str = Field(description="Who did it: a user, an API key, a command.")
    order_id: UUID | None
    sequence: int | None = Field(description="Counts from 1 within the order.")
    data: dict[str, Any]


class EventList(Listed[EventResponse]):
    """What happened, first things first."""

    model_config = _shown({"data": [_EVENT], "has_more": False, "next_cursor": None})


class MovementResponse(BaseModel):
    """Money that was received for an order, or given back."""

    model_config = _shown(_MOVEMENT)

    id: UUID
    order_id: UUID
    amount: str = Field(pattern=_AMOUNT)
    currency: str
    method: str | None
    reference: str | None
    at: datetime


class MovementList(Listed[MovementResponse]):
    """Movements of money, first things first."""

    model_config = _shown({"data": [_MOVEMENT], "has_more": False, "next_cursor": None})


class MoneyState(BaseModel):
    """Where an order's money is after a movement, and the version (the ETag) that the order has by it."""

    payment: PaymentState
    paid: str = Field(pattern=_AMOUNT)
    refunded: str = Field(pattern=_AMOUNT)
    version: int


class RecordedMovement(MovementResponse):
    """A movement that was recorded, and what it made of the order."""

    model_config = _shown({**_MOVEMENT, "order": _AFTER})

    order: MoneyState
