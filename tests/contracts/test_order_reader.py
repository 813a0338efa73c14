"""`orders.ports.OrderReader`: the JSON of an order is that of its shape to the byte, who sees which, and pages lose nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from builders import LATER, NOON, a_product, a_user, an_item, an_order
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shopping import Shop, a_draft, a_line, signed_in
from storages import Storage

from ordermill.accounts.model import User
from ordermill.orders.model import Address, Order, PaymentState, Status
from ordermill.orders.ports import OrderFilter, Place
from ordermill.orders.shape import order_shape

pytestmark = pytest.mark.anyio

EVERYTHING = OrderFilter()
EVERYWHERE = Address(
    name='Ada "Countess" Byron\\', company="Müller & Söhne", line1="1 Mill\tLane\nBack door", line2="</script>", city="北京",
    region="🏴 Yorkshire", postal_code="YO1", country="GB", phone="+44 \u2028 1",
)  # fmt: skip


def a_full_order(**said: Any) -> Order:
    """Return an order in which no field is empty."""
    items = [an_item("TEA-1", 2, "4.50", discount=Decimal("1.00")), an_item("ÄÖ/'\"1", 3, "0.10", name="Tee\n\\ № ☕")]
    return an_order(
        "Nº 1/2", items=items, channel="shop “one”", external_id="X'1", status=Status.SHIPPED,
        payment=PaymentState.PARTIALLY_REFUNDED, discount_code="SPRING26", shipping=Decimal("2.00"), tax=Decimal("1.70"),
        tax_included=Decimal("0.30"), paid=Decimal("12.00"), refunded=Decimal("0.05"), source_total=Decimal("9.31"),
        shipping_address=EVERYWHERE, billing_address=Address(line1="Anywhere"), carrier="DHL\r\n", tracking_number="JD 01",
        note='Zwei Zeilen:\n"hier" \x7e ü', placed_at=NOON.replace(microsecond=120_000),
        updated_at=LATER.replace(microsecond=7),
        **said,
    )  # fmt: skip


def in_currency(currency: str, *prices: str) -> Order:
    """Return an order with items of these unit prices, one of each."""
    decimals = {"JPY": 0, "EUR": 2, "KWD": 3}[currency]
    minor = Decimal(1).scaleb(-decimals)
    items = [
        an_item(f"S-{price}", 1, price, total=Decimal(price).quantize(minor, rounding="ROUND_HALF_UP")) for price in prices
    ]
    return an_order(currency, currency=currency, items=items)


UNUSUAL = [
    a_full_order(),
    an_order(items=[]),
    an_order("plain"),
    an_order(placed_at=datetime(1970, 1, 1, tzinfo=UTC), updated_at=datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    an_order(source_total=Decimal("-1.05")),
    an_order(source_total=Decimal("-0.05")),
    an_order(source_total=Decimal("0.00")),
    an_order(items=[an_item(f"S-{number:02}", 1, "1.00") for number in range(12)]),
    an_order(items=[an_item("MUCH", 1, "90071992547409.91")], paid=Decimal("90071992547409.91")),
    in_currency("JPY", "0", "12", "12.5", "0.0001", "1200", "0.25"),
    in_currency("EUR", "0", "0.05", "12.3", "12.345", "0.0001", "10.10", "999.9999", "0.0500"),
    in_currency("KWD", "0", "0.005", "1.5", "1.2345", "0.0001", "10.100", "7"),
]


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Draw an order with texts, prices and moments of every kind."""
    text = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
    moments = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the bounds
    currency, decimals = draw(st.sampled_from([("JPY", 0), ("EUR", 2), ("KWD", 3)]))
    prices = [Decimal(units).scaleb(-4) for units in draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=3))]
    totals = [price.quantize(Decimal(1).scaleb(-decimals), rounding="ROUND_HALF_UP") for price in prices]
    items = [
        an_item(draw(text), 1, str(price), total=total, name=draw(text)) for price, total in zip(prices, totals, strict=True)
    ]
    return an_order(
        str(uuid4()), currency=currency, items=items, note=draw(st.none() | text), placed_at=draw(moments),
        updated_at=draw(moments), shipping_address=Address(city=draw(st.none() | text)),
    )  # fmt: skip


async def both(storage: Storage, order: Order) -> tuple[bytes, bytes]:
    """Return an order's text as the reader has it, and what its shape makes of it."""
    seen = await storage.reader.one(order.id, viewer=None)
    kept = await storage.unit().orders.get(order.id)
    assert seen is not None
    assert kept is not None
    return seen.body, orjson.dumps(order_shape(kept))


class TestJson:
    @pytest.mark.parametrize("order", UNUSUAL, ids=range(len(UNUSUAL)))
    async def test_is_that_of_the_shape_to_the_byte(self, storage: Storage, order: Order) -> None:
        await storage.keep(replace(order))
        found, expected = await both(storage, order)
        assert found == expected

    async def test_names_the_buyer(self, storage: Storage) -> None:
        buyer = a_user('"ada"@example.com')
        await storage.keep(buyer)
        order = a_full_order(customer_id=buyer.id)
        await storage.keep(order)

        found, expected = await both(storage, order)

        assert found == expected
        assert orjson.loads(found)["customer_email"] == '"ada"@example.com'

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(order=orders())
    async def test_is_that_of_the_shape_whatever_stands_in_it(self, storage: Storage, order: Order) -> None:
        await storage.keep(order)
        found, expected = await both(storage, order)
        assert found == expected

    async def test_comes_with_its_version_and_place(self, storage: Storage) -> None:
        order = an_order(placed_at=NOON.replace(microsecond=5))
        await storage.keep(order)
        async with storage.unit() as unit:
            await unit.orders.update(replace(order, note="x"))
            await unit.commit()

        seen = await storage.reader.one(order.id, viewer=None)

        assert seen is not None
        assert (seen.version, seen.place) == (2, Place(NOON.replace(microsecond=5), order.id))

    async def test_there_is_none_of_an_order_that_is_not_there(self, storage: Storage) -> None:
        assert await storage.reader.one(UUID(int=7), viewer=None) is None


class TestViewer:
    async def test_sees_the_own_orders_once_the_address_is_verified(self, storage: Storage) -> None:
        ada, eve = a_user(email_verified_at=NOON), a_user("eve@example.com", email_verified_at=NOON)
        await storage.keep(ada, eve)
        own, others, guests = an_order("1", customer_id=ada.id), an_order("2", customer_id=eve.id), an_order("3")
        await storage.keep(own, others, guests)

        assert await numbers_seen(storage, ada) == ["1"]
        assert [await sees(storage, ada, order) for order in (own, others, guests)] == [True, False, False]

    async def test_sees_only_what_was_placed_by_the_own_sign_in_before_that(self, storage: Storage) -> None:
        ada = a_user()
        tea = a_product()
        await storage.keep(ada, tea)
        imported = an_order("imported", customer_id=ada.id)
        await storage.keep(imported)
        await Shop(storage).placing.place(a_draft(a_line(tea)), by=signed_in(ada), once=None)

        (placed,) = (order for order in await storage.unit().orders.get_all() if order.number != "imported")

        assert await numbers_seen(storage, ada) == [placed.number]
        assert [await sees(storage, ada, order) for order in (placed, imported)] == [True, False]

    @pytest.mark.parametrize("gone", [{"is_active": False}, {"erased_at": NOON}])
    async def test_sees_nothing_when_the_account_is_deactivated_or_erased(self, storage: Storage, gone: dict[str, Any]) -> None:
        ada = a_user(email_verified_at=NOON, **gone)
        await storage.keep(ada)
        order = an_order(customer_id=ada.id)
        await storage.keep(order)

        assert await numbers_seen(storage, ada) == []
        assert await sees(storage, ada, order) is False

    async def test_that_may_not_see_an_order_may_not_commit_a_change_of_it(self, storage: Storage) -> None:
        ada, eve = a_user(email_verified_at=NOON), a_user("eve@example.com", email_verified_at=NOON)
        await storage.keep(ada, eve)
        order = an_order(customer_id=ada.id)
        await storage.keep(order)

        for user, refused in ((eve, True), (ada, False)):
            async with storage.unit() as unit:
                await unit.orders.update(replace(order, note="changed"))
                assert user.id is not None
                await unit.orders.require_seen(order.id, by=user.id)
                if refused:
                    with pytest.raises(Exception, match=r"^There is no such order\.$"):
                        await unit.commit()
                    assert (await storage.the_order()).note is None
                else:
                    await unit.commit()
        assert (await storage.the_order()).note == "changed"


async def numbers_seen(storage: Storage, user: User) -> list[str]:
    page = await storage.reader.page(EVERYTHING, viewer=user.id, limit=50)
    return [orjson.loads(seen.body)["number"] for seen in page.rows]


async def sees(storage: Storage, user: User, order: Order) -> bool:
    return await storage.reader.one(order.id, viewer=user.id) is not None


class TestPage:
    @pytest.mark.parametrize(
        ("wanted", "numbers"),
        [
            (EVERYTHING, ["7", "6", "5", "4", "3", "2", "1"]),
            (OrderFilter(status="shipped"), ["2"]),
            (OrderFilter(payment="paid"), ["3"]),
            (OrderFilter(channel="shop"), ["4"]),
            (OrderFilter(channel="nowhere"), []),
            (OrderFilter(customer="ADA@example.com"), ["5"]),
            (OrderFilter(customer="nobody@example.com"), []),
            (OrderFilter(number="6"), ["6"]),
            (OrderFilter(placed_from=NOON + timedelta(minutes=6)), ["7", "6"]),
            (OrderFilter(placed_to=NOON + timedelta(minutes=2)), ["1"]),
            (OrderFilter(status="pending", payment="paid", channel="api", number="3"), ["3"]),
            (OrderFilter(status="shipped", payment="paid"), []),
        ],
    )
    async def test_has_what_the_filter_says(self, storage: Storage, wanted: OrderFilter, numbers: list[str]) -> None:
        ada = a_user()
        await storage.keep(ada)
        differences: Sequence[dict[str, Any]] = [
            {}, {"status": Status.SHIPPED}, {"payment": PaymentState.PAID}, {"channel": "shop"}, {"customer_id": ada.id},
            {}, {},
        ]  # fmt: skip
        await storage.keep(
            *(an_order(str(n), placed_at=NOON + timedelta(minutes=n), **each) for n, each in enumerate(differences, start=1))
        )

        page = await storage.reader.page(wanted, viewer=None, limit=10)

        assert [orjson.loads(seen.body)["number"] for seen in page.rows] == numbers
        assert page.more is False

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        there=st.lists(st.integers(0, 3), max_size=8),
        meanwhile=st.lists(
            st.lists(st.tuples(st.sampled_from(["insert", "delete"]), st.integers(0, 9)), max_size=3), max_size=6
        ),
        limit=st.integers(1, 3),
        filtered=st.booleans(),
    )
    async def test_after_page_shows_each_order_once_that_was_there_throughout(
        self, storage: Storage, there: list[int], meanwhile: list[list[tuple[str, int]]], limit: int, *, filtered: bool
    ) -> None:
        """RELIABILITY.md A9: whatever comes and goes between the pages; few moments, so that many are the same."""
        channel = str(uuid4())
        wanted = OrderFilter(channel=channel, status="pending" if filtered else None)

        def placed(minutes: int) -> Order:
            return an_order(str(uuid4()), channel=channel, placed_at=NOON + timedelta(minutes=minutes))

        kept = [placed(minutes) for minutes in there]
        await storage.keep(*kept)
        throughout = {order.id for order in kept}
        seen: list[Place] = []
        page = await storage.reader.page(wanted, viewer=None, limit=limit)
        for changes in [*meanwhile, *([[]] * 30)]:
            seen += [each.place for each in page.rows]
            if page.last is None:
                break
            for change, number in changes:
                if change == "insert":
                    kept.append(placed(number % 4))
                    await storage.keep(kept[-1])
                elif kept:
                    gone = kept.pop(number % len(kept))
                    throughout.discard(gone.id)
                    async with storage.unit() as unit:
                        await unit.orders.delete(gone.id)
                        await unit.commit()
            page = await storage.reader.page(wanted, viewer=None, limit=limit, behind=page.last.place)

        assert page.last is None
        assert seen == sorted(set(seen), reverse=True)
        assert throughout <= {place.id for place in seen}
