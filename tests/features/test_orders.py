"""Finding orders, listing them, what happened to them, and the shape they are shown in."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from order_books import CLOCK, PLACED, an_order, book_of, tea

from ordermill.kit.errors import Conflict, Invalid, NotFound
from ordermill.kit.events import Event
from ordermill.kit.ids import new_id
from ordermill.orders.model import Address, Order, PaymentState, Status
from ordermill.orders.ports import OrderFilter, OrdersUnit, Place
from ordermill.orders.service import Orders
from ordermill.orders.shape import order_shape

pytestmark = pytest.mark.anyio

# The order of PRODUCT.md section 4, "Shapes", with its keys in that order.
ITEM = {
    "product_id": 7,
    "sku": "TEA-1",
    "name": "Tea",
    "quantity": 2,
    "unit_price": "4.50",
    "discount": "0.00",
    "total": "9.00",
}
ADDRESS = {
    "name": "Ada",
    "company": None,
    "line1": "1 Mill Lane",
    "line2": None,
    "city": "York",
    "region": None,
    "postal_code": "YO1",
    "country": "GB",
    "phone": None,
}
DOCUMENTED = {
    "id": "0192f1c4-0000-7000-8000-000000000001",
    "number": "1001",
    "channel": "api",
    "external_id": None,
    "status": "pending",
    "payment": "unpaid",
    "currency": "EUR",
    "customer_id": 12,
    "customer_email": "ada@example.com",
    "items": [ITEM],
    "subtotal": "9.00",
    "discount": "0.00",
    "discount_code": None,
    "shipping": "0.00",
    "tax": "0.00",
    "tax_included": "0.00",
    "total": "9.00",
    "paid": "0.00",
    "refunded": "0.00",
    "source_total": None,
    "shipping_address": ADDRESS,
    "billing_address": None,
    "carrier": None,
    "tracking_number": None,
    "note": None,
    "placed_at": "2026-11-22T10:00:00Z",
    "updated_at": "2026-11-22T10:00:00Z",
    "version": 1,
}


async def orders_of(*orders: Order) -> Orders:
    return Orders((await book_of(*orders)).unit, clock=CLOCK)


class TestGet:
    async def test_finds_an_order_by_its_id(self) -> None:
        order = an_order()
        orders = await orders_of(order, an_order(number="1002"))

        assert (await orders.get(order.id)).number == "1001"
        assert (await orders.get(str(order.id))).number == "1001"

    async def test_finds_an_order_by_its_number(self) -> None:
        order = an_order()
        orders = await orders_of(order, an_order(number="1002"))

        assert (await orders.get(" 1001 ")).id == order.id

    async def test_finds_a_number_that_looks_like_an_id(self) -> None:
        order = an_order(number="12345678901234567890123456789012")
        orders = await orders_of(order)

        assert (await orders.get("12345678901234567890123456789012")).id == order.id

    async def test_refuses_a_number_that_several_channels_have_and_names_them(self) -> None:
        orders = await orders_of(an_order(channel="shopify"), an_order(channel="api"), an_order(number="7"))

        with pytest.raises(Conflict) as caught:
            await orders.get("1001")

        assert caught.value.code == "ambiguous_number"
        assert caught.value.details == {"number": "1001", "channels": ["api", "shopify"]}
        assert str(caught.value) == "There are orders '1001' in the channels 'api', 'shopify'; say which channel."

    async def test_finds_such_a_number_within_its_channel(self) -> None:
        wanted = an_order(channel="shopify")
        orders = await orders_of(wanted, an_order(channel="api"))

        assert (await orders.get("1001", channel="shopify")).id == wanted.id

    @pytest.mark.parametrize("reference", ["1002", "", str(UUID(int=7)), "x" * 500])
    async def test_says_when_there_is_none(self, reference: str) -> None:
        orders = await orders_of(an_order())

        with pytest.raises(NotFound) as caught:
            await orders.get(reference)

        assert caught.value.code == "order_not_found"
        assert len(str(caught.value)) < 200

    @pytest.mark.parametrize(("number", "channel"), [("\ud800", None), ("1001\0", None), ("1001", "\ud800")])
    async def test_asks_no_book_for_a_text_that_none_holds(self, number: str, channel: str | None) -> None:
        """PostgreSQL refuses NUL and no driver encodes half a surrogate pair; a terminal's arguments may hold both."""

        def never() -> OrdersUnit:
            pytest.fail("The book was asked.")

        with pytest.raises(NotFound):
            await Orders(never, clock=CLOCK).get(number, channel=channel)

    async def test_an_order_of_another_channel_is_none(self) -> None:
        order = an_order()
        orders = await orders_of(order)

        for reference in ("1001", str(order.id)):
            with pytest.raises(NotFound, match="in the channel 'shopify'"):
                await orders.get(reference, channel="shopify")


class TestNewest:
    async def test_lists_the_latest_placed_first_in_pages(self) -> None:
        orders = await orders_of(*(an_order(number=str(n), placed_at=PLACED + timedelta(days=n)) for n in range(5)))

        first = await orders.newest(OrderFilter(), limit=2)
        rest = await orders.newest(OrderFilter(), limit=9, after=Place(first[-1].placed_at, first[-1].id))

        assert [order.number for order in first] == ["4", "3"]
        assert [order.number for order in rest] == ["2", "1", "0"]

    async def test_takes_every_part_of_a_filter(self) -> None:
        shipped = {"status": Status.SHIPPED, "payment": PaymentState.PAID, "channel": "shop"}
        wanted = an_order(number="1", customer_email="ada@example.com", **shipped)
        orders = await orders_of(
            wanted,
            an_order(number="2", customer_email="ada@example.com", **shipped, placed_at=PLACED - timedelta(days=1)),
            an_order(number="3", customer_email="eve@example.com", **shipped),
            an_order(number="4", customer_email="ada@example.com"),
        )

        found = await orders.newest(
            OrderFilter(
                status="shipped",
                payment="paid",
                channel="shop",
                customer="ADA@example.com",
                placed_from=PLACED,
                placed_to=PLACED + timedelta(seconds=1),
            ),
            limit=9,
        )

        assert [order.id for order in found] == [wanted.id]

    @pytest.mark.parametrize(
        ("wanted", "code", "sentence"),
        [
            (
                OrderFilter(status="lost"),
                "unknown_status",
                "'lost' is no status of an order; it is one of pending, processing, shipped, delivered, cancelled.",
            ),
            (
                OrderFilter(payment="owed"),
                "unknown_payment",
                "'owed' is no payment of an order; it is one of unpaid, partially_paid, paid, partially_refunded, refunded.",
            ),
            (OrderFilter(number="\ud800"), "text_not_storable", "No order's number holds a lone surrogate U+D800."),
            (OrderFilter(customer="\0"), "text_not_storable", "No order's customer holds a control character U+0000."),
        ],
    )
    async def test_refuses_what_no_order_can_be(self, wanted: OrderFilter, code: str, sentence: str) -> None:
        orders = await orders_of(an_order())

        for ask in (orders.newest(wanted, limit=9), anext(orders.every(wanted))):
            with pytest.raises(Invalid) as caught:
                await ask
            assert (caught.value.code, str(caught.value)) == (code, sentence)


class TestEvery:
    async def test_goes_through_all_that_match_in_the_order_of_their_ids(self) -> None:
        ids = [an_order(number=str(n), currency=currency) for n, currency in enumerate(["EUR", "GBP", "EUR"])]
        orders = await orders_of(*reversed(ids), an_order(number="7", channel="shop"))

        assert [order.number async for order in orders.every(OrderFilter(channel="api"))] == [
            order.number for order in sorted(ids, key=lambda order: order.id)
        ]


class TestEvents:
    async def test_are_told_in_their_sequence(self) -> None:
        order = an_order()
        storage = await book_of(order)
        async with storage.unit() as unit:
            for sequence in (2, 1):
                event = Event(id=new_id(PLACED), type=f"order.{sequence}", at=PLACED, actor="test", order_id=order.id)
                event.sequence = sequence
                await unit.events.append(event)
            await unit.commit()

        assert [event.type for event in await Orders(storage.unit, clock=CLOCK).events(order.id)] == ["order.1", "order.2"]

    async def test_an_unknown_order_has_none(self) -> None:
        assert await (await orders_of()).events(UUID(int=7)) == []


class TestShape:
    async def test_is_the_one_of_the_documentation_key_by_key(self) -> None:
        order = Order(
            id=UUID("0192f1c4-0000-7000-8000-000000000001"),
            number="1001",
            currency="EUR",
            customer_id=12,
            customer_email="ada@example.com",
            items=[tea(product_id=7)],
            subtotal=Decimal("9.00"),
            total=Decimal("9.00"),
            shipping_address=Address(name="Ada", line1="1 Mill Lane", city="York", postal_code="YO1", country="GB"),
            placed_at=PLACED,
            updated_at=PLACED,
        )

        shape = order_shape(order)

        assert shape == DOCUMENTED
        assert list(shape) == list(DOCUMENTED)
        assert list(shape["items"][0]) == list(ITEM)
        assert list(shape["shipping_address"]) == list(ADDRESS)

    @pytest.mark.parametrize(
        ("currency", "amount", "shown"),
        [("EUR", "9", "9.00"), ("JPY", "1900", "1900"), ("KWD", "1.5", "1.500"), ("EUR", "0", "0.00")],
    )
    async def test_amounts_have_the_currencys_decimals(self, currency: str, amount: str, shown: str) -> None:
        shape = order_shape(an_order(currency=currency, total=Decimal(amount), source_total=Decimal(amount), items=[]))

        assert (shape["total"], shape["source_total"]) == (shown, shown)

    @pytest.mark.parametrize(
        ("currency", "price", "shown"),
        [
            ("EUR", "0.1250", "0.125"),
            ("EUR", "4.5", "4.50"),
            ("EUR", "0.0001", "0.0001"),
            ("JPY", "1900", "1900"),
            ("JPY", "0.5", "0.5"),
        ],
    )
    async def test_unit_prices_have_more_decimals_where_they_need_them(self, currency: str, price: str, shown: str) -> None:
        item = tea(unit_price=Decimal(price), total=Decimal(9))

        assert order_shape(an_order(currency=currency, items=[item]))["items"][0]["unit_price"] == shown

    async def test_moments_are_utc_whatever_zone_they_came_in(self) -> None:
        there = datetime(2026, 1, 31, 23, 30, 0, 250000, tzinfo=timezone(timedelta(hours=-5)))

        shape = order_shape(an_order(placed_at=there, updated_at=there.astimezone(UTC)))

        assert shape["placed_at"] == shape["updated_at"] == "2026-02-01T04:30:00.250000Z"
