"""
Drafts become products and discounts, or change them; and what is said of that in the ledger. Pure.

What a draft alone cannot tell is judged here: whether amounts fit their currency, and what must fit together.
"""

from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from ordermill.catalogue.drafts import DiscountChange, DiscountCreate, ProductChange, ProductCreate
from ordermill.catalogue.model import Discount, DiscountKind, Product
from ordermill.kit.errors import Invalid
from ordermill.kit.money import Currency

_PERCENT: Final = Currency("%", 2)
_WHOLE: Final = Decimal(100)


def new_product(draft: ProductCreate, *, currency: str, at: datetime) -> Product:
    """
    Return the product of a draft.

    Args:
        currency: of the price, where the draft names none.

    Raises:
        Invalid: there is no such currency, or the price does not fit it.
    """
    money = _currency(draft.currency or currency)
    return Product(
        sku=draft.sku,
        name=draft.name,
        price=_fitting(draft.price, money, "/price"),
        currency=money.code,
        stock=draft.stock,
        is_active=draft.is_active,
        created_at=at,
    )


def changed_product(product: Product, draft: ProductChange) -> Product:
    """
    Return a product as it is to be, but for its stock.

    Raises:
        Invalid: the price does not fit the currency, or another currency comes without a price: a number must not
            quietly come to mean something else.
    """
    said = {name: value for name, value in draft.said().items() if name not in {"stock", "stock_change"}}
    if said.get("currency", product.currency) != product.currency and "price" not in said:
        raise Invalid.field("/price", "Another currency needs its own price.", code="price_missing")
    wanted = replace(product, **said)
    return replace(wanted, price=_fitting(wanted.price, _currency(wanted.currency), "/price"))


def new_discount(draft: DiscountCreate, *, at: datetime) -> Discount:
    """
    Return the discount of a draft.

    Raises:
        Invalid: its parts do not fit together.
    """
    return _fitted(Discount(created_at=at, **dict(draft)))


def changed_discount(discount: Discount, draft: DiscountChange) -> Discount:
    """
    Return a discount as it is to be.

    Raises:
        Invalid: its parts would not fit together, or an amount would quietly come to mean something else.
    """
    said = draft.said()
    wanted = replace(discount, **said)
    recast = wanted.kind is not discount.kind
    revalued = wanted.currency != discount.currency
    if (recast or (revalued and wanted.kind is DiscountKind.FIXED)) and "value" not in said:
        raise Invalid.field("/value", "Another kind or currency needs its own value.", code="value_missing")
    if revalued and wanted.minimum is not None and "minimum" not in said:
        raise Invalid.field("/minimum", "Another currency needs its own minimum.", code="minimum_missing")
    return _fitted(wanted)


def facts(thing: Product | Discount) -> dict[str, Any]:
    """Return what the ledger keeps of a new product or discount: plain values, without its id."""
    kept = {name: _plain(value) for name, value in asdict(thing).items() if name not in {"id", "version", "created_at", "uses"}}
    return {name: value for name, value in kept.items() if value is not None}


def differences(before: Product | Discount, after: Product | Discount) -> dict[str, dict[str, Any]]:
    """Return what differs between two states, by field, but for the stock: `{"price": {"from": "4.50", "to": "4.80"}}`."""
    was, now = asdict(before), asdict(after)
    return {
        name: {"from": _plain(was[name]), "to": _plain(now[name])} for name in now if name != "stock" and was[name] != now[name]
    }


def _fitted(discount: Discount) -> Discount:
    """Return a discount with its amounts in the decimals of their unit."""
    money = None if discount.currency is None else _currency(discount.currency)
    if discount.starts_at and discount.ends_at and discount.ends_at <= discount.starts_at:
        raise Invalid.field("/ends_at", "A discount ends after it starts.", code="ends_before_start")
    if money is None and (discount.kind is DiscountKind.FIXED or discount.minimum is not None):
        raise Invalid.field("/currency", "An amount of money needs its currency.", code="currency_missing")
    if discount.kind is DiscountKind.PERCENT and discount.value > _WHOLE:
        raise Invalid.field("/value", "A discount is at most 100 percent.", code="percent_too_large")
    unit = _PERCENT if money is None or discount.kind is DiscountKind.PERCENT else money
    minimum = discount.minimum
    return replace(
        discount,
        value=_positive(discount.value, unit, "/value"),
        minimum=None if minimum is None or money is None else _positive(minimum, money, "/minimum"),
    )


def _positive(amount: Decimal, money: Currency, pointer: str) -> Decimal:
    if amount <= 0:
        raise Invalid.field(pointer, "The amount must be more than 0.", code="amount_not_positive")
    return _fitting(amount, money, pointer)


def _fitting(amount: Decimal, money: Currency, pointer: str) -> Decimal:
    """Return an amount with exactly the decimals of its currency."""
    try:
        return money.decimal(money.minor(amount))
    except Invalid as refusal:
        raise money.unfit(refusal, pointer) from None


def _currency(code: str) -> Currency:
    try:
        return Currency.of(code)
    except Invalid as refusal:
        raise Invalid.field("/currency", "There is no such currency in ISO 4217.", code=refusal.code) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value
