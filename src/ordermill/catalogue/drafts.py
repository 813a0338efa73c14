"""
What staff send to make or change products and discounts, as far as it can be judged alone.

In a change, what is left out stays as it is; only what may be empty may be null.

Not here: whether an amount fits its currency, and what must fit together (changes).
"""

from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from ordermill.catalogue.model import STOCK_LIMIT, DiscountKind, Product
from ordermill.kit.fields import Amount, CurrencyCode, Moment, composed, storable, unsaid

SKU_LIMIT: Final = 64
_INT32: Final = 2**31

Sku = Annotated[str, StringConstraints(min_length=1, max_length=SKU_LIMIT), AfterValidator(storable), BeforeValidator(composed)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(storable)]
Stock = Annotated[int, Field(strict=True, ge=0, le=STOCK_LIMIT)]
StockChange = Annotated[int, Field(strict=True, ge=-STOCK_LIMIT, le=STOCK_LIMIT)]
Flag = Annotated[bool, Field(strict=True)]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9]{6,10}$")]
Uses = Annotated[int, Field(strict=True, ge=1, lt=_INT32)]

_SENT: Final = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ProductCreate(BaseModel):
    """A new product. Without a currency its price is in the book's own; without a stock nobody counts it."""

    model_config = _SENT

    sku: Sku
    name: Name
    price: Amount
    currency: CurrencyCode | None = None
    stock: Stock | None = None
    is_active: Flag = True


class ProductChange(BaseModel):
    """
    What is to be otherwise about a product. Another currency comes with its price.

    `stock` says how much there is (null: it is not tracked any more), `stock_change` how much came or, below 0, went.
    """

    model_config = _SENT

    sku: Sku = Field(default_factory=unsaid)
    name: Name = Field(default_factory=unsaid)
    price: Amount = Field(default_factory=unsaid)
    currency: CurrencyCode = Field(default_factory=unsaid)
    stock: Stock | None = Field(default_factory=unsaid)
    stock_change: StockChange = Field(default_factory=unsaid)
    is_active: Flag = Field(default_factory=unsaid)

    @model_validator(mode="after")
    def _stock_once(self) -> Self:
        if {"stock", "stock_change"} <= self.model_fields_set:
            raise PydanticCustomError("stock_said_twice", "Say how much there is, or how much came, and not both.")
        return self

    def said(self) -> dict[str, Any]:
        """Return what is not left out, by field."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    def moves_stock_of(self, product: Product) -> bool:
        """Whether the stock is to be another one than the product was read with."""
        return bool(self.stock_change) or ("stock" in self.model_fields_set and self.stock != product.stock)


class DiscountCreate(BaseModel):
    """
    A new discount; `value` is percent, with at most two decimals, or an amount of `currency`.

    It holds from `starts_at` and before `ends_at`, for orders of at least `minimum`.
    """

    model_config = _SENT

    code: Code
    kind: DiscountKind
    value: Amount
    currency: CurrencyCode | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    minimum: Amount | None = None
    max_uses: Uses | None = None
    max_uses_per_customer: Uses | None = None
    is_active: Flag = True


class DiscountChange(BaseModel):
    """What is to be otherwise about a discount. Another kind or currency comes with the amounts that it gives a new meaning."""

    model_config = _SENT

    code: Code = Field(default_factory=unsaid)
    kind: DiscountKind = Field(default_factory=unsaid)
    value: Amount = Field(default_factory=unsaid)
    currency: CurrencyCode | None = Field(default_factory=unsaid)
    starts_at: Moment | None = Field(default_factory=unsaid)
    ends_at: Moment | None = Field(default_factory=unsaid)
    minimum: Amount | None = Field(default_factory=unsaid)
    max_uses: Uses | None = Field(default_factory=unsaid)
    max_uses_per_customer: Uses | None = Field(default_factory=unsaid)
    is_active: Flag = Field(default_factory=unsaid)

    def said(self) -> dict[str, Any]:
        """Return what is not left out, by field."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class ProductResponse(BaseModel):
    """A product as everybody sees it; `stock` is null where nobody counts it."""

    model_config = ConfigDict(frozen=True)

    id: int
    sku: str
    name: str
    price: str = Field(description="With the currency's decimals.")
    currency: str
    stock: int | None
    is_active: bool


class DiscountResponse(BaseModel):
    """A discount as staff see it; `uses` counts the orders that were placed with it and not cancelled."""

    model_config = ConfigDict(frozen=True)

    id: int
    code: str
    kind: DiscountKind
    value: str = Field(description="Percent with two decimals, or an amount with the currency's.")
    currency: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    minimum: str | None
    max_uses: int | None
    max_uses_per_customer: int | None
    uses: int
    is_active: bool
