"""What a basket costs: the laws of money hold for every basket, currency and discount."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordermill.catalogue.model import Discount, DiscountKind, Product
from ordermill.kit.errors import Invalid
from ordermill.kit.money import LIMIT_MINOR, Currency
from ordermill.orders.model import Order, PaymentState
from ordermill.orders.pricing import DiscountNotApplicable, Extras, Offer, Priced, price
from ordermill.orders.shape import order_shape

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CURRENCIES = ("JPY", "EUR", "KWD")


@dataclass(frozen=True)
class Line:
    product_id: int
    quantity: int
    unit_price: Decimal | None = None


def a_discount(**said: Any) -> Discount:
    plain = {"code": "SPRING10", "kind": DiscountKind.PERCENT, "value": Decimal(10), "created_at": NOON}
    return Discount(**{**plain, **said})


def offer(discount: Discount | None, *, used: int | None = 0) -> Offer:
    return Offer(code="SPRING10", discount=discount, used=used, at=NOON)


@st.composite
def baskets(draw: st.DrawFn) -> dict[str, Any]:
    """Return the arguments of `price` for a basket that nothing is wrong with."""
    money = Currency.of(draw(st.sampled_from(CURRENCIES)))
    lines = draw(st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 100)), min_size=1, max_size=50))
    products = {
        id: Product(id=id, sku=f"S-{id}", name="Tea", price=money.decimal(minor), currency=money.code, created_at=NOON)
        for id, (minor, _) in enumerate(lines, start=1)
    }
    percent = st.integers(1, 10_000).map(lambda value: a_discount(value=Decimal(value).scaleb(-2)))
    fixed = st.integers(1, 10**9).map(
        lambda minor: a_discount(kind=DiscountKind.FIXED, value=money.decimal(minor), currency=money.code)
    )
    discount = draw(st.none() | percent | fixed)
    amounts = st.integers(0, 10**6).map(money.decimal)
    return {
        "wanted": [Line(id, quantity) for id, (_, quantity) in enumerate(lines, start=1)],
        "products": products,
        "extras": Extras(shipping=draw(amounts), tax=draw(amounts)),
        "offer": None if discount is None else offer(discount),
    }


def priced(basket: dict[str, Any]) -> Priced:
    return price(basket["wanted"], basket["products"], extras=basket["extras"], offer=basket["offer"])


class TestPrice:
    @given(baskets())
    def test_adds_up(self, basket: dict[str, Any]) -> None:
        """RELIABILITY.md E1: sum of items - discount + shipping + tax = total, and the shares are the discount."""
        found = priced(basket)

        assert sum(item.total for item in found.items) == found.subtotal
        assert sum(item.discount for item in found.items) == found.discount
        assert found.total == found.subtotal - found.discount + found.shipping + found.tax
        assert all(item.total == item.quantity * item.unit_price for item in found.items)

    @given(baskets())
    def test_gives_no_item_more_discount_than_it_costs(self, basket: dict[str, Any]) -> None:
        found = priced(basket)

        assert all(0 <= item.discount <= item.total for item in found.items)
        assert 0 <= found.discount <= found.subtotal

    @given(baskets())
    def test_writes_every_amount_with_exactly_the_currencys_decimals(self, basket: dict[str, Any]) -> None:
        found = priced(basket)
        sums = {name: getattr(found, name) for name in ("subtotal", "discount", "shipping", "tax", "total")}
        order = Order(
            id=UUID(int=7), number="1", currency=found.currency, placed_at=NOON, updated_at=NOON, items=found.items, **sums,
            payment=PaymentState.UNPAID,
        )  # fmt: skip

        shape = order_shape(order)

        money = Currency.of(found.currency)
        for name, amount in sums.items():
            assert shape[name] == f"{money.decimal(money.minor(amount)):f}"
        for said, item in zip(shape["items"], found.items, strict=True):
            assert said["unit_price"] == f"{money.decimal(money.minor(item.unit_price)):f}"

    @given(st.integers(1, 10**9), st.integers(1, 10_000))
    def test_rounds_a_share_once_half_up(self, minor: int, hundredths: int) -> None:
        money = Currency.of("EUR")
        product = Product(id=1, sku="T", name="T", price=money.decimal(minor), currency="EUR", created_at=NOON)
        exact = product.price * Decimal(hundredths) / 10_000

        found = price(
            [Line(1, 1)], {1: product}, extras=Extras(), offer=offer(a_discount(value=Decimal(hundredths).scaleb(-2)))
        )

        assert found.discount == exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)

    def test_refuses_what_is_beyond_all_bounds(self) -> None:
        money = Currency.of("EUR")
        dear = Product(id=1, sku="T", name="T", price=money.decimal(LIMIT_MINOR), currency="EUR", created_at=NOON)

        with pytest.raises(Invalid) as caught:
            price([Line(1, 2)], {1: dear}, extras=Extras(), offer=None)

        assert caught.value.code == "amount_too_large"

    def test_takes_a_price_however_it_is_written(self) -> None:
        tea = Product(id=1, sku="T", name="T", price=Decimal("4.50"), currency="EUR", created_at=NOON)

        assert price([Line(1, 2, Decimal("4.5"))], {1: tea}, extras=Extras(), offer=None).total == Decimal("9.00")


class TestOffer:
    @pytest.mark.parametrize(
        ("said", "used"),
        [
            ({"starts_at": NOON}, 0),
            ({"ends_at": NOON.replace(second=1)}, 0),
            ({"max_uses": 3, "uses": 2}, 0),
            ({"max_uses_per_customer": 2}, 1),
            ({"currency": "EUR", "minimum": Decimal("9.00")}, None),
        ],
    )
    def test_applies_up_to_its_very_borders(self, said: dict[str, Any], used: int | None) -> None:
        tea = Product(id=1, sku="T", name="T", price=Decimal("4.50"), currency="EUR", created_at=NOON)

        found = price([Line(1, 2)], {1: tea}, extras=Extras(), offer=offer(a_discount(**said), used=used))

        assert found.discount == Decimal("0.90")

    def test_of_a_code_that_is_not_there_is_refused(self) -> None:
        tea = Product(id=1, sku="T", name="T", price=Decimal("4.50"), currency="EUR", created_at=NOON)

        with pytest.raises(DiscountNotApplicable):
            price([Line(1, 2)], {1: tea}, extras=Extras(), offer=offer(None))
