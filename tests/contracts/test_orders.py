"""Orders with their items: exact to the last minor unit, found by number, newest first, or all in turn."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from builders import LATER, NOON, a_user, an_item, an_order
from storages import Storage

from ordermill.kit.errors import Conflict, Invalid, Taken
from ordermill.kit.ids import new_ids
from ordermill.orders.model import Address, Order, PaymentState, Status
from ordermill.orders.ports import OrderFilter, Place

pytestmark = pytest.mark.anyio

EVERYTHING = OrderFilter()


class TestAdd:
    async def test_keeps_every_field(self, storage: Storage) -> None:
        await storage.keep(a_user("Zoë@example.com", id=7))
        moment = datetime(2026, 10, 25, 0, 59, 59, 999999, tzinfo=UTC)
        home = Address(
            name="Zoë",
            company="Łódź & Söhne",
            line1="1 Mill Lane",
            line2='"Back" door',
            city="東京",
            region="X",
            postal_code="100-0001",
            country="JP",
            phone="+81 3",
        )
        order = an_order(
            "№ 7'\"",
            items=[an_item("ЧАЙ", 3, "1.2345", total=Decimal("3.70"), discount=Decimal("0.20")), an_item("B", name="Bée\n")],
            shipping=Decimal("4.90"),
            tax=Decimal("0.01"),
            tax_included=Decimal("1.00"),
            paid=Decimal("10.00"),
            refunded=Decimal("2.00"),
            source_total=Decimal("17.42"),
            channel="shop",
            external_id="gid://7",
            status=Status.SHIPPED,
            payment=PaymentState.PARTIALLY_REFUNDED,
            customer_id=7,
            customer_email="Zoë@example.com",
            discount_code="WELCOME10",
            shipping_address=home,
            billing_address=Address(country="FR"),
            carrier="Post",
            tracking_number="1Z",
            note="Leave it\tby the door,\r\nplease 🦊",
            placed_at=moment,
            updated_at=moment + timedelta(microseconds=1),
            version=4,
        )

        await storage.keep(order)

        assert await storage.unit().orders.get(order.id) == order

    async def test_keeps_what_is_none(self, storage: Storage) -> None:
        order = an_order(items=[])

        await storage.keep(order)

        stored = await storage.the_order()
        assert stored == order
        assert (stored.customer_email, stored.shipping_address, stored.source_total) == (None, None, None)

    @pytest.mark.parametrize(
        ("currency", "price", "total"),
        [("JPY", "1250", "2500"), ("EUR", "12.50", "25.00"), ("KWD", "12.505", "25.010")],
    )
    async def test_keeps_amounts_with_the_decimals_of_their_currency(
        self, storage: Storage, currency: str, price: str, total: str
    ) -> None:
        await storage.keep(an_order(currency=currency, items=[an_item(unit_price=price)]))

        stored = await storage.the_order()
        assert (str(stored.items[0].unit_price), str(stored.total), str(stored.items[0].total)) == (price, total, total)

    async def test_writes_an_amount_with_fewer_decimals_in_full(self, storage: Storage) -> None:
        await storage.keep(an_order(items=[an_item(unit_price="4.5")]))

        stored = await storage.the_order()
        assert (str(stored.items[0].unit_price), str(stored.total), str(stored.paid)) == ("4.50", "9.00", "0.00")

    async def test_keeps_a_unit_price_of_four_decimals(self, storage: Storage) -> None:
        await storage.keep(an_order(items=[an_item(quantity=1000, unit_price="0.0125", total=Decimal("12.50"))]))

        assert str((await storage.the_order()).items[0].unit_price) == "0.0125"

    async def test_refuses_more_decimals_than_the_currency_has(self, storage: Storage) -> None:
        with pytest.raises(Invalid) as caught:
            await storage.keep(an_order(currency="JPY", items=[an_item(unit_price="12.50", total=Decimal("12.50"))]))

        assert caught.value.code == "too_many_decimals"
        assert await storage.unit().orders.get_all() == []

    async def test_keeps_the_order_of_items(self, storage: Storage) -> None:
        await storage.keep(an_order(items=[an_item(sku) for sku in ("C", "A", "B")]))

        assert [item.sku for item in (await storage.the_order()).items] == ["C", "A", "B"]

    async def test_shows_the_customer_s_present_address(self, storage: Storage) -> None:
        ada = a_user("ada@example.com", id=7)
        await storage.keep(ada)
        await storage.keep(an_order(customer_id=7))
        async with storage.unit() as unit:
            ada.email = "ada@example.org"
            await unit.users.update(ada)
            await unit.commit()

        assert (await storage.the_order()).customer_email == "ada@example.org"

    async def test_is_the_caller_s_no_longer(self, storage: Storage) -> None:
        order = an_order()
        await storage.keep(order)

        order.items[0].sku = "OTHER"
        (await storage.the_order()).items.clear()

        assert [item.sku for item in (await storage.the_order()).items] == ["TEA-1"]


class TestUnique:
    async def test_number_within_a_channel(self, storage: Storage) -> None:
        await storage.keep(an_order("1001", channel="shop"))

        with pytest.raises(Taken) as caught:
            await storage.keep(an_order("1001", channel="shop"))

        assert caught.value.constraint == "orders_channel_number"
        assert len(await storage.unit().orders.get_all()) == 1

    async def test_external_id_within_a_channel(self, storage: Storage) -> None:
        await storage.keep(an_order("1001", channel="shop", external_id="gid://1"))

        with pytest.raises(Taken) as caught:
            await storage.keep(an_order("1002", channel="shop", external_id="gid://1"))

        assert caught.value.constraint == "orders_channel_external_id"
        assert len(await storage.unit().orders.get_all()) == 1

    async def test_ids(self, storage: Storage) -> None:
        order = an_order("1001")
        await storage.keep(order)

        with pytest.raises(Taken) as caught:
            await storage.keep(an_order("1002", id=order.id))

        assert caught.value.constraint == "orders_pkey"
        assert (await storage.the_order()).number == "1001"

    async def test_not_across_channels_and_not_where_none_is_given(self, storage: Storage) -> None:
        await storage.keep(
            an_order("1001", channel="one", external_id="gid://1"),
            an_order("1001", channel="two", external_id="gid://1"),
            an_order("1002", channel="one"),
            an_order("1003", channel="one"),
        )

        assert len(await storage.unit().orders.get_all()) == 4


class TestUpdate:
    async def test_replaces_fields_and_items(self, storage: Storage) -> None:
        order = an_order(items=[an_item("A"), an_item("B")])
        await storage.keep(order)

        async with storage.unit() as unit:
            order.status, order.note, order.updated_at = Status.SHIPPED, "sent", LATER
            order.items = [an_item("C", 1, "20.00")]
            order.subtotal = order.total = Decimal("20.00")
            await unit.orders.update(order)
            await unit.commit()

        stored = await storage.the_order()
        assert stored == order
        assert (stored.version, stored.total, [item.sku for item in stored.items]) == (2, Decimal("20.00"), ["C"])

    async def test_that_does_not_add_up_changes_nothing(self, storage: Storage) -> None:
        order = an_order()
        await storage.keep(order)
        order.total, order.items = Decimal("1.00"), []
        unit = storage.unit()
        await unit.orders.update(order)

        with pytest.raises(Conflict, match="check:orders_total_adds_up"):
            await unit.commit()

        stored = await storage.the_order()
        assert (stored.total, len(stored.items), stored.version) == (Decimal("9.00"), 1, 1)

    async def test_cannot_take_another_order_s_number(self, storage: Storage) -> None:
        order = an_order("1001")
        await storage.keep(order, an_order("1002"))
        order.number = "1002"
        unit = storage.unit()
        await unit.orders.update(order)

        with pytest.raises(Taken) as caught:
            await unit.commit()

        assert caught.value.constraint == "orders_channel_number"


class TestDelete:
    async def test_removes_an_order_with_its_items_and_keeps_its_number_free(self, storage: Storage) -> None:
        order = an_order("1001")
        await storage.keep(order)
        async with storage.unit() as unit:
            assert await unit.orders.delete(order.id) is True
            await unit.commit()
        assert await storage.unit().orders.get(order.id) is None

        await storage.keep(an_order("1001"))

        assert len((await storage.the_order()).items) == 1


def place_of(order: Order) -> Place:
    return Place(order.placed_at, order.id)


async def _page_through(storage: Storage, wanted: OrderFilter, *, limit: int) -> list[list[Order]]:
    pages = []
    page = await storage.unit().orders.newest(wanted, limit=limit)
    while page:
        pages.append(list(page))
        page = await storage.unit().orders.newest(wanted, limit=limit, after=place_of(page[-1]))
    return pages


class TestNewest:
    async def test_shows_the_latest_placed_first(self, storage: Storage) -> None:
        await storage.keep(
            an_order("middle", placed_at=NOON),
            an_order("newest", placed_at=NOON + timedelta(microseconds=1)),
            an_order("oldest", placed_at=NOON - timedelta(microseconds=1)),
        )

        orders = await storage.unit().orders.newest(EVERYTHING, limit=2)

        assert [order.number for order in orders] == ["newest", "middle"]

    async def test_shows_each_order_once_in_pages_when_all_were_placed_at_one_moment(self, storage: Storage) -> None:
        ids = new_ids(5, at=NOON)
        await storage.keep(*(an_order(str(number), id=id) for number, id in enumerate(ids)))

        pages = await _page_through(storage, EVERYTHING, limit=2)

        assert [[order.number for order in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]

    async def test_goes_on_behind_the_place_of_an_order_that_is_gone(self, storage: Storage) -> None:
        older, gone = an_order("older", placed_at=NOON - timedelta(days=1)), an_order("gone")
        await storage.keep(older, gone, an_order("newer", placed_at=LATER))
        async with storage.unit() as unit:
            await unit.orders.delete(gone.id)
            await unit.commit()

        orders = await storage.unit().orders.newest(EVERYTHING, limit=2, after=place_of(gone))

        assert [order.number for order in orders] == ["older"]

    @pytest.mark.parametrize(
        ("wanted", "numbers"),
        [
            (OrderFilter(status="shipped"), ["1"]),
            (OrderFilter(payment="paid"), ["2"]),
            (OrderFilter(channel="shop"), ["3"]),
            (OrderFilter(channel="nowhere"), []),
            (OrderFilter(customer="ADA@example.com"), ["4"]),
            (OrderFilter(customer="nobody@example.com"), []),
            (OrderFilter(number="2"), ["2"]),
            (OrderFilter(placed_from=LATER), ["5"]),
            (OrderFilter(placed_to=LATER, status="pending"), ["4", "3", "2"]),
            (OrderFilter(placed_from=NOON, placed_to=NOON), []),
            (OrderFilter(channel="shop", number="1"), []),
        ],
    )
    async def test_shows_what_every_part_of_the_filter_asks_for(
        self, storage: Storage, wanted: OrderFilter, numbers: list[str]
    ) -> None:
        await storage.keep(a_user("ada@example.com", id=7), a_user("bob@example.com", id=8))
        ids = new_ids(5, at=NOON)
        await storage.keep(
            an_order("1", id=ids[0], status=Status.SHIPPED),
            an_order("2", id=ids[1], payment=PaymentState.PAID, customer_id=8),
            an_order("3", id=ids[2], channel="shop"),
            an_order("4", id=ids[3], customer_id=7),
            an_order("5", id=ids[4], placed_at=LATER),
        )

        orders = await storage.unit().orders.newest(wanted, limit=10)

        assert [order.number for order in orders] == numbers


class TestByNumber:
    async def test_returns_the_orders_of_all_channels_or_of_one(self, storage: Storage) -> None:
        await storage.keep(
            an_order("1001", channel="one"), an_order("1001", channel="two", placed_at=LATER), an_order("1002", channel="one")
        )
        orders = storage.unit().orders

        assert [order.channel for order in await orders.by_number("1001")] == ["two", "one"]
        assert [order.channel for order in await orders.by_number("1001", channel="one")] == ["one"]
        assert await orders.by_number("1003") == []


class TestEvery:
    async def test_goes_through_matching_orders_by_id(self, storage: Storage) -> None:
        ids = new_ids(4, at=NOON)
        placed = (LATER, NOON, LATER, NOON)
        await storage.keep(*(an_order(str(n), id=id, placed_at=at) for n, (id, at) in enumerate(zip(ids, placed, strict=True))))

        every = [order.number async for order in storage.unit().orders.every(EVERYTHING)]
        later = [order.number async for order in storage.unit().orders.every(OrderFilter(placed_from=LATER))]

        assert (every, later) == (["0", "1", "2", "3"], ["0", "2"])

    async def test_goes_on_over_more_than_one_page(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ordermill.storage.repositories.orders.PAGE", 2)
        ids = new_ids(5, at=NOON)
        await storage.keep(*(an_order(str(n), id=id) for n, id in enumerate(ids)))

        numbers = [order.number async for order in storage.unit().orders.every(EVERYTHING)]

        assert numbers == ["0", "1", "2", "3", "4"]

    async def test_finds_nothing_in_an_empty_book(self, storage: Storage) -> None:
        assert [order async for order in storage.unit().orders.every(EVERYTHING)] == []


class TestGetAll:
    async def test_goes_through_all_in_pages_by_id(self, storage: Storage) -> None:
        ids = new_ids(3, at=NOON)
        await storage.keep(*(an_order(str(n), id=id) for n, id in enumerate(reversed(ids))))
        orders = storage.unit().orders

        first = await orders.get_all(limit=2)
        second = await orders.get_all(limit=2, after=first[-1].id)

        assert [order.id for order in (*first, *second)] == ids
