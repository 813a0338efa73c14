"""Files of the catalogue: whatever a product or discount says comes back from a file as it went."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from builders import a_discount, a_product
from hypothesis import given
from hypothesis import strategies as st

from ordermill.catalogue import sheets
from ordermill.catalogue.changes import changed_discount, changed_product
from ordermill.catalogue.drafts import DiscountChange, ProductChange
from ordermill.catalogue.model import Discount, DiscountKind, Product
from ordermill.catalogue.shape import discount_shape, product_shape
from ordermill.kit.text import defect, identifier

texts = st.text(min_size=1, max_size=40).map(str.strip).filter(lambda text: text and not defect(text))
skus = texts.map(identifier)
currencies = st.sampled_from([("EUR", 2), ("JPY", 0), ("BHD", 3)])
minor = st.integers(1, 10**9)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  # the zone is told apart
limits = st.none() | st.integers(1, 2**31 - 1)


@st.composite
def products(draw: st.DrawFn) -> Product:
    currency, exponent = draw(currencies)
    price = Decimal(draw(minor)).scaleb(-exponent)
    stock = draw(st.none() | st.integers(0, 10**12))
    said: dict[str, Any] = {"name": draw(texts), "currency": currency, "stock": stock, "is_active": draw(st.booleans())}
    return a_product(draw(skus), f"{price:f}", id=7, **said)


@st.composite
def discounts(draw: st.DrawFn) -> Discount:
    currency, exponent = draw(currencies)
    fixed = draw(st.booleans())
    starts, ends = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
    value = Decimal(draw(minor)).scaleb(-exponent) if fixed else Decimal(draw(st.integers(1, 10_000))).scaleb(-2)
    return a_discount(
        draw(st.from_regex(r"[A-Z0-9]{6,10}", fullmatch=True)),
        id=7,
        kind=DiscountKind.FIXED if fixed else DiscountKind.PERCENT,
        value=f"{value:f}",
        currency=currency if fixed else draw(st.sampled_from([None, currency])),
        starts_at=draw(st.sampled_from([None, starts])),
        ends_at=draw(st.sampled_from([None, ends])),
        minimum=Decimal(draw(minor)).scaleb(-exponent) if fixed and draw(st.booleans()) else None,
        max_uses=draw(limits),
        max_uses_per_customer=draw(limits),
        is_active=draw(st.booleans()),
    )


def there_and_back(shape: dict[str, Any], sheet: sheets.Sheet, suffix: str) -> dict[str, Any]:
    """Write one record to a file, and return what is read of it."""

    async def shapes() -> AsyncGenerator[dict[str, Any], None]:
        yield shape

    with TemporaryDirectory() as directory:
        path = Path(directory) / f"out{suffix}"
        asyncio.run(sheets.write(shapes(), path, sheet, shape=dict))
        (record,) = sheets.read(path, sheet)
    assert record.defect is None
    return dict(record.said)


class TestRoundTrip:
    @given(product=products(), suffix=st.sampled_from([".csv", ".jsonl"]))
    def test_of_a_product_changes_nothing(self, product: Product, suffix: str) -> None:
        draft = ProductChange.model_validate(there_and_back(product_shape(product), sheets.PRODUCTS, suffix))

        assert changed_product(product, draft) == product
        assert (draft.stock, draft.moves_stock_of(product)) == (product.stock, False)

    @given(discount=discounts(), suffix=st.sampled_from([".csv", ".jsonl"]))
    def test_of_a_discount_changes_nothing(self, discount: Discount, suffix: str) -> None:
        draft = DiscountChange.model_validate(there_and_back(discount_shape(discount), sheets.DISCOUNTS, suffix))

        assert changed_discount(discount, draft) == discount
