"""What an import brings that the book does not have, and what it brings again."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from builders import LATER, NOON, a_batch, a_user, an_item, an_order, outcomes, sold
from storages import Storage

from ordermill.orders.model import Address, Item, Order, PaymentState, Status

pytestmark = pytest.mark.anyio

MOVEMENT = ("amount", "method", "reference", "at")


class TestNewOrders:
    async def test_come_with_everything_that_the_file_says(self, storage: Storage) -> None:
        await storage.load(
            a_batch(
                sold(
                    "№ 1,\"'",
                    ("TEA-1", 2, 450),
                    ("ЧАЙ", 1, 100),
                    external_id="gid://1",
                    customer_email="Zoë@Example.com",
                    customer_name="Zoë Łukasz",
                    status="shipped",
                    payment="paid",
                    shipping=490,
                    source_total=1491,
                    paid=1490,
                    discount_code="",
                    shipping_address='{"name": "Zoë", "company": null, "line1": "1, \\"Mill\\" Lane", "line2": null, '
                    '"city": "York", "region": null, "postal_code": "YO1", "country": "GB", "phone": null}',
                    note='Line one,\r\n"line two"; \\. 🦊',
                    placed_at=NOON + timedelta(microseconds=1),
                )
            ),
        )

        order = await storage.the_order()
        user = await storage.the_user()
        assert order == Order(
            id=order.id,
            number="№ 1,\"'",
            currency="EUR",
            placed_at=NOON + timedelta(microseconds=1),
            updated_at=LATER,
            channel="shop",
            external_id="gid://1",
            status=Status.SHIPPED,
            payment=PaymentState.PAID,
            customer_id=user.id,
            customer_email="Zoë@Example.com",
            items=[
                Item(sku="TEA-1", name="Tea-1", quantity=2, unit_price=Decimal("4.50"), total=Decimal("9.00")),
                Item(sku="ЧАЙ", name="Чай", quantity=1, unit_price=Decimal("1.00"), total=Decimal("1.00")),
            ],
            subtotal=Decimal("10.00"),
            discount_code="",
            shipping=Decimal("4.90"),
            total=Decimal("14.90"),
            paid=Decimal("14.90"),
            source_total=Decimal("14.91"),
            shipping_address=Address(name="Zoë", line1='1, "Mill" Lane', city="York", postal_code="YO1", country="GB"),
            note='Line one,\r\n"line two"; \\. 🦊',
        )

    @pytest.mark.parametrize(
        ("currency", "minor", "total"), [("JPY", 1250, "2500"), ("EUR", 1250, "25.00"), ("KWD", 12505, "25.010")]
    )
    async def test_come_in_any_currency(self, storage: Storage, currency: str, minor: int, total: str) -> None:
        await storage.load(a_batch(sold("1001", ("TEA-1", 2, minor), currency=currency)))

        order = await storage.the_order()
        assert (str(order.total), str(order.items[0].total)) == (total, total)

    async def test_are_told_to_the_ledger(self, storage: Storage) -> None:
        run = await storage.begun()
        await storage.imports.load(run, a_batch(sold("1001", status="shipped", payment="paid")), at=LATER)

        order = await storage.the_order()
        (event,) = await storage.unit().events.of_order(order.id)
        assert (event.type, event.at, event.actor, event.sequence) == ("order.imported", LATER, "import", 1)
        assert (event.import_id, event.user_id, event.data) == (run.id, None, {"status": "shipped", "payment": "paid"})

    async def test_bring_their_payments_and_refunds(self, storage: Storage) -> None:
        await storage.load(
            a_batch(
                sold("1001", paid=900, payment_method="card", payment_reference="ch_1", paid_at=LATER),
                sold("1002", paid=900, refunded=300, refunded_at=LATER),
                sold("1003"),
            ),
        )

        assert await storage.rows("payments", "amount", "at") == [(900, NOON), (900, LATER)]
        assert await storage.rows("refunds", *MOVEMENT) == [(300, None, None, LATER)]
        card = [row for row in await storage.rows("payments", "at", *MOVEMENT) if row[0] == LATER]
        assert card == [(LATER, 900, "card", "ch_1", LATER)]

    async def test_move_the_statistics_of_their_hour_and_currency(self, storage: Storage) -> None:
        await storage.load(
            a_batch(
                sold("1001", placed_at=NOON),
                sold("1002", placed_at=NOON + timedelta(minutes=59, seconds=59, microseconds=999999)),
                sold("1003", placed_at=LATER),
                sold("1004", currency="USD"),
                sold("1005", status="cancelled", refunded=900, refunded_at=LATER),
                sold("1006", refunded=300, refunded_at=LATER),
            ),
        )

        assert await storage.figures() == [
            (NOON, "EUR", 3, 2700, 0),
            (NOON, "USD", 1, 900, 0),
            (LATER, "EUR", 1, 900, 300),
        ]

    async def test_add_to_the_statistics_that_are_there(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001")))
        await storage.load(a_batch(sold("1002")))

        assert await storage.figures() == [(NOON, "EUR", 2, 1800, 0)]

    async def test_of_two_channels_may_have_one_number(self, storage: Storage) -> None:
        loaded = await storage.load(a_batch(sold("1001"), sold("1001", channel="other")))

        assert outcomes(loaded) == {"new": 2}
        assert sorted(order.channel for order in await storage.unit().orders.get_all()) == ["other", "shop"]


class TestCustomers:
    async def test_are_created_once_however_they_are_spelt(self, storage: Storage) -> None:
        loaded = await storage.load(
            a_batch(
                sold("1001", customer_email="Zoë@example.com", customer_name="Zoë"),
                sold("1002", customer_email="ZOE\u0308@EXAMPLE.com"),
                sold("1003", customer_email="bob.smith@example.com"),
            ),
        )

        users = await storage.unit().users.get_all()
        assert loaded.tally.customers["new"] == 2
        assert sorted((user.email, user.name, user.claimed) for user in users) == [
            ("Zoë@example.com", "Zoë", False),
            ("bob.smith@example.com", "bob.smith", False),
        ]
        assert {user.created_at for user in users} == {LATER}

    async def test_who_have_an_account_are_found(self, storage: Storage) -> None:
        await storage.keep(a_user("Ada@Example.com", id=7, name="Ada L.", password_hash="hash"))

        loaded = await storage.load(a_batch(sold("1001", customer_email="ada@example.com", customer_name="Other")))

        user = await storage.the_user()
        assert loaded.tally.customers["new"] == 0
        assert (user.name, user.claimed) == ("Ada L.", True)
        assert (await storage.the_order()).customer_id == 7

    async def test_of_a_later_batch_are_those_of_an_earlier_one(self, storage: Storage) -> None:
        run = await storage.begun()
        await storage.imports.load(run, a_batch(sold("1001")), at=LATER)

        loaded = await storage.imports.load(run, a_batch(sold("1002"), index=1), at=LATER)

        assert loaded is not None
        assert loaded.tally.customers["new"] == 0
        assert run.tally.customers["new"] == 1

    async def test_are_none_for_a_guest_order(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", customer_email=None)))

        order = await storage.the_order()
        assert (order.customer_id, order.customer_email) == (None, None)
        assert await storage.unit().users.get_all() == []

    async def test_get_a_name_no_longer_than_accounts_have(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", customer_name="Ł" * 101)))

        assert (await storage.the_user()).name == "Ł" * 100


class TestUnchangedOrders:
    async def test_leave_everything_as_it_is(self, storage: Storage) -> None:
        batch = a_batch(sold("1001", paid=900, refunded=100), sold("1002", customer_email=None))
        await storage.load(batch)
        before = await storage.numbered()
        figures = await storage.figures()

        loaded = await storage.load(batch)

        assert outcomes(loaded) == {"unchanged": 2}
        assert loaded.tally.customers["new"] == 0
        assert await storage.numbered() == before
        assert await storage.figures() == figures
        assert len(await storage.rows("payments", "amount")) == 1
        assert [event.type for event in await storage.unit().events.recent(type="order.updated")] == []

    async def test_are_those_whose_source_is_older_than_the_book(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", status="shipped", source_updated_at=LATER)))

        loaded = await storage.load(a_batch(sold("1001", status="pending", source_updated_at=NOON)))

        assert outcomes(loaded) == {"unchanged": 1}
        order = await storage.the_order()
        assert (order.status, order.version) == (Status.SHIPPED, 1)

    @pytest.mark.parametrize("source_updated_at", [LATER, LATER + timedelta(microseconds=1), None])
    async def test_are_not_those_of_the_same_or_an_unknown_time(self, storage: Storage, source_updated_at: Any) -> None:
        """Then the later run wins."""
        await storage.load(a_batch(sold("1001", status="pending", source_updated_at=LATER)))

        loaded = await storage.load(a_batch(sold("1001", status="shipped", source_updated_at=source_updated_at)))

        assert outcomes(loaded) == {"updated": 1}


class TestImportedOrders:
    async def test_can_be_removed_with_their_payments_and_refunds(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", paid=900, refunded=900)))
        order = await storage.the_order()

        async with storage.unit() as unit:
            assert await unit.orders.delete(order.id)
            await unit.commit()

        assert await storage.unit().orders.get_all() == []
        assert await storage.rows("payments", "id") == []
        assert await storage.rows("refunds", "id") == []

    async def test_share_their_channel_with_orders_added_otherwise(self, storage: Storage) -> None:
        await storage.keep(an_order("1001", channel="shop", items=[an_item(unit_price="4.50")]))

        loaded = await storage.load(a_batch(sold("1001", customer_email=None)))

        assert outcomes(loaded) == {"updated": 1}
        assert (await storage.the_order()).version == 2
