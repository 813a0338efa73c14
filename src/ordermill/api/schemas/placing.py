"""
Orders to be placed and baskets to be priced, as they are sent; and the answer to the latter.

A shop may set its own limits (`ORDERMILL_ORDER_ITEMS`, `ORDERMILL_ORDER_QUANTITY`), so the models here take as much as any
shop may allow, and the use case holds this shop's. The documentation names the usual ones.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ordermill.api.schemas.orders import OrderItemResponse
from ordermill.orders.draft import MAX_ITEMS, MAX_QUANTITY, BasketCreate, BasketItem, OrderCreate, OrderItem, at_most

# What the settings allow at most; config.Settings says the same.
ITEMS_LIMIT: Final = 500
QUANTITY_LIMIT: Final = 1_000_000

_ADDRESS: Final[dict[str, JsonValue]] = {
    "name": "Ada", "line1": "1 Mill Lane", "city": "York", "postal_code": "YO1", "country": "GB"
}  # fmt: skip
_LINE: Final[dict[str, JsonValue]] = {"product_id": 7, "quantity": 2, "unit_price": "4.50"}
_QUOTE: Final[dict[str, JsonValue]] = {
    "currency": "EUR",
    "items": [{**_LINE, "sku": "TEA-1", "name": "Tea", "discount": "0.90", "total": "9.00", "available": True}],
    "subtotal": "9.00", "discount": "0.90", "discount_code": "SPRING10", "shipping": "4.90", "tax": "0.00", "total": "13.00",
    "available": True,
}  # fmt: skip

Quantity = Annotated[int, Field(strict=True, ge=1, le=QUANTITY_LIMIT, json_schema_extra={"maximum": MAX_QUANTITY})]


class OrderItemSent(OrderItem):
    """One line of an order; `unit_price` is what the buyer was shown: where it is another now, 409 `price_changed`."""

    quantity: Quantity


class OrderSent(OrderCreate):
    """
    An order to be placed. Without a billing address the bill goes where the goods go.

    `customer_email`, `shipping` and `tax` are for staff and storefronts: people who sign in order for themselves, at the
    shop's own shipping. Without an address for mail the order is a guest's.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_LINE], "shipping_address": _ADDRESS}]})

    items: Annotated[
        tuple[OrderItemSent, ...],
        Field(min_length=1, max_length=ITEMS_LIMIT, json_schema_extra={"maxItems": MAX_ITEMS}),
        at_most(ITEMS_LIMIT),
    ]


class BasketItemSent(BasketItem):
    """One line of a basket to be priced; `unit_price`, if given, is what the buyer was shown."""

    quantity: Quantity


class BasketSent(BasketCreate):
    """
    A basket to be priced: an order as far as it is known, up to the very body that `POST /orders` then takes.

    Addresses and note must be right where they are given; the price does not depend on them.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"product_id": 7, "quantity": 2}], "discount_code": "SPRING10"}]}
    )

    items: Annotated[
        tuple[BasketItemSent, ...],
        Field(min_length=1, max_length=ITEMS_LIMIT, json_schema_extra={"maxItems": MAX_ITEMS}),
        at_most(ITEMS_LIMIT),
    ]


class QuotedItem(OrderItemResponse):
    """One line with its price."""

    available: bool = Field(description="Whether there is as much as wanted at this moment.")


class QuoteResponse(BaseModel):
    """What an order would cost at this moment: `total = subtotal - discount + shipping + tax`. Nothing is reserved."""

    model_config = ConfigDict(json_schema_extra={"examples": [_QUOTE]})

    currency: str
    items: list[QuotedItem]
    subtotal: str
    discount: str
    discount_code: str | None
    shipping: str
    tax: str
    total: str
    available: bool = Field(description="Whether everything is there.")
