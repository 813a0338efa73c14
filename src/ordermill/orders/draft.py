"""
What a buyer sends to place an order: PRODUCT.md section 2, "Orders through the API", as far as the request alone tells.

Not here: prices, stock, discounts and currencies, which only the catalogue knows. Orders from files have rules of their
own (imports).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ordermill.accounts.drafts import Email
from ordermill.kit.fields import Amount, storable
from ordermill.orders.model import Address

MAX_ITEMS: Final = 50
MAX_QUANTITY: Final = 100

Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
ProductId = Annotated[int, Field(strict=True, ge=1, lt=2**63)]
DiscountCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{6,10}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(storable)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5000), AfterValidator(storable)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


def at_most(limit: int) -> BeforeValidator:
    """Refuse more items before each of them is looked at, which may take seconds; pydantic counts a tuple's afterwards."""

    def few_enough(value: object) -> object:
        if isinstance(value, Sequence) and len(value) > limit:
            raise PydanticCustomError("too_long", "Write at most {limit} items.", {"limit": limit})
        return value

    return BeforeValidator(few_enough)


_SENT: Final = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AddressCreate(BaseModel):
    """Where to send goods or the bill; `country` is ISO 3166-1 alpha-2."""

    model_config = _SENT

    name: Line | None = None
    company: Line | None = None
    line1: Line
    line2: Line | None = None
    city: Line
    region: Line | None = None
    postal_code: Line | None = None
    country: Country
    phone: Line | None = None

    def address(self) -> Address:
        """Return it as the order keeps it."""
        return Address(**self.__dict__)


def _where_the_goods_go(value: object, sent: ValidationInfo) -> object:
    if value is not None:
        return value
    # Where that is at fault itself, one error is enough; whatever stands here then, no draft comes of it.
    return sent.data.get("shipping_address") or AddressCreate.model_construct(line1="", city="", country="")


class OrderItem(BaseModel):
    """
    One line of an order to be placed; `unit_price` is what the buyer was shown.

        >>> OrderItem(product_id=7, quantity=2, unit_price="4.50").total
        Decimal('9.00')
    """

    model_config = _SENT

    product_id: ProductId
    quantity: Quantity
    unit_price: Amount

    @property
    def total(self) -> Decimal:
        """Quantity x unit price, before discount; exact, since the price has no more decimals than its currency."""
        return self.quantity * self.unit_price


class BasketItem(BaseModel):
    """One line of a basket to be priced; `unit_price`, if given, is what the buyer was shown."""

    model_config = _SENT

    product_id: ProductId
    quantity: Quantity
    unit_price: Amount | None = None


class BasketCreate(BaseModel):
    """
    A basket to be priced: an order as far as it is known, up to the very order that is then placed.

    Addresses and note must be right where they are given; the price does not depend on them.
    """

    model_config = _SENT

    customer_email: Email | None = None
    items: Annotated[tuple[BasketItem, ...], Field(min_length=1, max_length=MAX_ITEMS), at_most(MAX_ITEMS)]
    shipping_address: AddressCreate | None = None
    billing_address: AddressCreate | None = None
    discount_code: DiscountCode | None = None
    note: Note | None = None
    shipping: Amount | None = None
    tax: Amount | None = None

    @model_validator(mode="after")
    def _each_product_once(self) -> Self:
        _once(self.items)
        return self


class OrderCreate(BaseModel):
    """An order to be placed. Without a billing address the bill goes where the goods go."""

    model_config = _SENT

    customer_email: Email | None = None
    items: Annotated[tuple[OrderItem, ...], Field(min_length=1, max_length=MAX_ITEMS), at_most(MAX_ITEMS)]
    shipping_address: AddressCreate
    billing_address: Annotated[AddressCreate, BeforeValidator(_where_the_goods_go)] = Field(default=None, validate_default=True)
    discount_code: DiscountCode | None = None
    note: Note | None = None
    shipping: Amount | None = None
    tax: Amount | None = None

    @model_validator(mode="after")
    def _each_product_once(self) -> Self:
        _once(self.items)
        return self


def _once(items: Sequence[OrderItem | BasketItem]) -> None:
    if len({item.product_id for item in items}) < len(items):
        raise PydanticCustomError("repeated_product", "Write each product once, with its whole quantity.")
