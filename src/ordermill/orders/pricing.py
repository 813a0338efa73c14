"""
What a basket costs. Pure: products and a discount as they are kept in, priced items and sums out, or a refusal.

    quantity x catalogue price = item total      Σ item totals = subtotal
    subtotal - discount + shipping + tax = total   the items' shares of the discount sum to it exactly

Not here: who may buy, and what is taken from the shelf (placing).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from ordermill.catalogue.model import Discount, DiscountKind, Product
from ordermill.kit.errors import Conflict, Invalid, NotFound
from ordermill.kit.money import Currency, split
from ordermill.orders.model import ZERO, Item


class Wanted(Protocol):
    """One line of a basket; `unit_price` is what the buyer was shown, if anything."""

    @property
    def product_id(self) -> int: ...

    @property
    def quantity(self) -> int: ...

    @property
    def unit_price(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What comes on top of the items."""

    shipping: Decimal = ZERO
    tax: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """
    The discount that a buyer named, as far as there is one.

    `used` says how often this customer has used it; None where it is nobody known, who can use none with such a limit.
    """

    code: str
    discount: Discount | None
    used: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A basket with its prices. `short` holds the positions of which there is less than wanted, with how much there is."""

    currency: str
    items: list[Item]
    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    tax: Decimal
    total: Decimal
    short: dict[int, int]


class ProductNotFound(NotFound):
    """There is no such product, or it is not for sale any more."""

    default_code = "product_not_found"

    def __init__(self, positions: Sequence[int]) -> None:
        sentence = "There is no such product, or it is not for sale."
        super().__init__(
            sentence, details={"errors": _errors(self.default_code, "product_id", dict.fromkeys(positions, sentence))}
        )


class CurrencyMismatch(Conflict):
    """An order has one currency."""

    default_code = "currency_mismatch"

    def __init__(self, currencies: Sequence[str]) -> None:
        super().__init__(
            f"These products are sold in {', '.join(currencies)}; an order has one currency.",
            details={"currencies": list(currencies)},
        )


class PriceChanged(Conflict):
    """The buyer was shown another price; `details` has the present ones."""

    default_code = "price_changed"

    def __init__(self, products: Mapping[int, Product]) -> None:
        present = {position: f"The price is {each.currency} {each.price:f}." for position, each in products.items()}
        prices = [
            {"product_id": each.id, "unit_price": f"{each.price:f}", "currency": each.currency} for each in products.values()
        ]
        super().__init__(
            "Prices have changed; show the buyer the present ones and order again.",
            details={"prices": prices, "errors": _errors(self.default_code, "unit_price", present)},
        )


class OutOfStock(Conflict):
    """There is less than wanted; `details` says how much there is."""

    default_code = "out_of_stock"

    def __init__(self, items: Sequence[Item], left: Mapping[int, int]) -> None:
        sentences = {
            position: f"There are only {there} left." if there else "There is none left." for position, there in left.items()
        }
        stock = [{"product_id": items[position].product_id, "available": there} for position, there in left.items()]
        super().__init__(
            "Not everything is there in the quantity that is wanted.",
            details={"stock": stock, "errors": _errors(self.default_code, "quantity", sentences)},
        )


class DiscountNotApplicable(Conflict):
    """One answer for every reason, so that nobody learns by trying which codes there are."""

    default_code = "discount_not_applicable"

    def __init__(self) -> None:
        super().__init__("This discount code cannot be used for this order.")


def price(wanted: Sequence[Wanted], products: Mapping[int, Product], *, extras: Extras, offer: Offer | None) -> Priced:
    """
    Price a basket.

    Raises:
        ProductNotFound, CurrencyMismatch, PriceChanged, DiscountNotApplicable: as they say.
        Invalid: an amount has more decimals than the currency, or the whole is more than can be kept.
    """
    bought = _found(wanted, products)
    money = _currency(bought)
    _as_shown(wanted, bought, money)
    totals = [line.quantity * product.price for line, product in zip(wanted, bought, strict=True)]
    subtotal = sum(totals, ZERO)
    money.minor(subtotal)  # refuses what is beyond all bounds
    discount = ZERO if offer is None else _discount(offer, subtotal, money)
    shares = [ZERO] * len(totals) if discount == ZERO else _shares(discount, totals, money)
    shipping = _amount(extras.shipping, "/shipping", money)
    tax = _amount(extras.tax, "/tax", money)
    total = subtotal - discount + shipping + tax
    money.minor(total)
    return Priced(
        currency=money.code,
        items=[_item(*line) for line in zip(wanted, bought, totals, shares, strict=True)],
        subtotal=subtotal,
        discount=discount,
        shipping=shipping,
        tax=tax,
        total=total,
        short={
            position: product.stock
            for position, (line, product) in enumerate(zip(wanted, bought, strict=True))
            if product.stock is not None and product.stock < line.quantity
        },
    )


def _found(wanted: Sequence[Wanted], products: Mapping[int, Product]) -> list[Product]:
    found = [products.get(line.product_id) for line in wanted]
    missing = [position for position, product in enumerate(found) if product is None or not product.is_active]
    if missing:
        raise ProductNotFound(missing)
    return [product for product in found if product is not None]


def _currency(bought: Sequence[Product]) -> Currency:
    currencies = {product.currency for product in bought}
    if len(currencies) > 1:
        raise CurrencyMismatch(sorted(currencies))
    return Currency.of(currencies.pop())


def _as_shown(wanted: Sequence[Wanted], bought: Sequence[Product], money: Currency) -> None:
    changed = {}
    for position, (line, product) in enumerate(zip(wanted, bought, strict=True)):
        if line.unit_price is not None and line.unit_price != product.price:
            _amount(line.unit_price, f"/items/{position}/unit_price", money)
            changed[position] = product
    if changed:
        raise PriceChanged(changed)


def _amount(amount: Decimal, pointer: str, money: Currency) -> Decimal:
    """Refuse an amount that the currency does not have, at its field."""
    try:
        money.minor(amount)
    except Invalid as refusal:
        raise money.unfit(refusal, pointer) from None
    return amount


def _discount(offer: Offer, subtotal: Decimal, money: Currency) -> Decimal:
    discount = offer.discount
    if discount is None or not _applies(discount, offer, subtotal, money):
        raise DiscountNotApplicable
    share = discount.value if discount.kind is DiscountKind.FIXED else subtotal * discount.value / 100
    return min(money.round(share), subtotal)


def _applies(discount: Discount, offer: Offer, subtotal: Decimal, money: Currency) -> bool:
    begun = discount.starts_at is None or discount.starts_at <= offer.at
    over = discount.ends_at is not None and discount.ends_at <= offer.at
    exhausted = discount.max_uses is not None and discount.uses >= discount.max_uses
    enough = discount.minimum is None or subtotal >= discount.minimum
    own = discount.max_uses_per_customer
    may = own is None or (offer.used is not None and offer.used < own)
    return (
        discount.is_active
        and discount.currency in {None, money.code}
        and begun
        and not over
        and not exhausted
        and enough
        and may
    )


def _shares(discount: Decimal, totals: Sequence[Decimal], money: Currency) -> list[Decimal]:
    shares = split(money.minor(discount), [money.minor(total) for total in totals])
    return [money.decimal(share) for share in shares]


def _item(line: Wanted, product: Product, total: Decimal, discount: Decimal) -> Item:
    return Item(
        product_id=product.id,
        sku=product.sku,
        name=product.name,
        quantity=line.quantity,
        unit_price=product.price,
        total=total,
        discount=discount,
    )


def _errors(code: str, field: str, sentences: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {"pointer": f"/items/{position}/{field}", "detail": sentence, "code": code} for position, sentence in sentences.items()
    ]
