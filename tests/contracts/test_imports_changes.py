"""What a newer export does to orders that the book has (PRODUCT.md section 2, "Identity and updates")."""

from decimal import Decimal
from typing import Any

import pytest
from builders import LATER, NOON, a_batch, a_reject, an_event, outcomes, sold
from shopping import Shop, a_draft, a_line
from storages import Storage

from ordermill.orders.model import Status

pytestmark = pytest.mark.anyio


class TestChangedOrders:
    async def test_take_over_what_the_file_says_under_the_id_they_have(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", ("TEA-1", 2, 450), ("CUP", 1, 700), external_id="gid://1")))
        before = await storage.the_order()

        loaded = await storage.load(
            a_batch(
                sold("1001-B", ("TEA-1", 3, 450), external_id="gid://1", status="shipped", customer_email="bob@example.com")
            ),
        )

        order = await storage.the_order()
        assert outcomes(loaded) == {"updated": 1}
        assert loaded.tally.customers["new"] == 1
        assert (order.id, order.version, order.number, order.status) == (before.id, 2, "1001-B", Status.SHIPPED)
        assert [(item.sku, item.quantity) for item in order.items] == [("TEA-1", 3)]
        assert (order.total, order.customer_email) == (Decimal("13.50"), "bob@example.com")

    async def test_are_told_to_the_ledger_in_the_next_place(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001")))
        order = await storage.the_order()
        await storage.keep(an_event(order.id, sequence=2, type="order.paid"))

        await storage.load(a_batch(sold("1001", status="shipped")))

        events = await storage.unit().events.of_order(order.id)
        assert [(event.sequence, event.type) for event in events] == [
            (1, "order.imported"),
            (2, "order.paid"),
            (3, "order.updated"),
        ]
        assert events[-1].data == {"status": "shipped", "payment": "unpaid"}

    async def test_replace_what_imports_said_of_payments_and_refunds(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", paid=900, refunded=100)))

        await storage.load(a_batch(sold("1001", paid=500, refunded=200)))

        assert await storage.rows("payments", "amount") == [(500,)]
        assert await storage.rows("refunds", "amount") == [(200,)]

    @pytest.mark.parametrize(
        ("changes", "figures"),
        [
            ({"shipping": 100}, [(NOON, "EUR", 2, 1900, 0)]),
            ({"status": "cancelled"}, [(NOON, "EUR", 1, 900, 0)]),
            ({"status": "cancelled", "refunded": 900}, [(NOON, "EUR", 1, 900, 0)]),
            ({"refunded": 300}, [(NOON, "EUR", 2, 1800, 300)]),
            ({"note": "new"}, [(NOON, "EUR", 2, 1800, 0)]),
        ],
    )
    async def test_move_the_statistics(self, storage: Storage, changes: dict[str, Any], figures: list[Any]) -> None:
        await storage.load(a_batch(sold("1001"), sold("1002")))

        await storage.load(a_batch(sold("1001", **changes)))

        assert await storage.figures() == figures

    async def test_move_the_statistics_back(self, storage: Storage) -> None:
        plain = a_batch(sold("1001", refunded=300))
        await storage.load(plain)
        await storage.load(a_batch(sold("1001", status="cancelled", refunded=900)))

        await storage.load(plain)

        assert await storage.figures() == [(NOON, "EUR", 1, 900, 300)]

    async def test_are_guarded_by_the_version_of_the_next_unit(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001")))
        mine = await storage.the_order()
        await storage.load(a_batch(sold("1001", note="new")))

        assert mine.version == 1
        assert (await storage.the_order()).version == 2

    async def test_come_together_with_new_and_unchanged_ones(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001"), sold("1002")))

        loaded = await storage.load(a_batch(sold("1003"), sold("1002"), sold("1001", note="new")))

        assert outcomes(loaded) == {"new": 1, "updated": 1, "unchanged": 1}
        assert {number: order.note for number, order in (await storage.numbered()).items()} == {
            "1001": "new",
            "1002": None,
            "1003": None,
        }


class TestKeptStatus:
    async def test_wins_over_the_file_s(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", status="processing")))
        order = await storage.the_order()
        async with storage.unit() as unit:
            order.status = Status.SHIPPED
            await unit.orders.update(order)
            await unit.commit()

        loaded = await storage.load(a_batch(sold("1001", status="delivered", note="new")))

        assert outcomes(loaded) == {"updated": 1, "kept": 1}
        stored = await storage.the_order()
        assert (stored.status, stored.note, stored.version) == (Status.SHIPPED, "new", 3)

    async def test_is_not_counted_where_the_file_says_the_same(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", status="processing")))
        order = await storage.the_order()
        async with storage.unit() as unit:
            order.status = Status.SHIPPED
            await unit.orders.update(order)
            await unit.commit()

        loaded = await storage.load(a_batch(sold("1001", status="shipped")))

        assert outcomes(loaded) == {"updated": 1}

    async def test_is_the_file_s_as_long_as_only_other_things_changed_here(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", status="processing")))
        order = await storage.the_order()
        async with storage.unit() as unit:
            order.note = "here"
            await unit.orders.update(order)
            await unit.commit()

        loaded = await storage.load(a_batch(sold("1001", status="delivered")))

        assert outcomes(loaded) == {"updated": 1}
        assert (await storage.the_order()).status is Status.DELIVERED

    async def test_decides_what_the_statistics_count(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", status="processing")))
        order = await storage.the_order()
        async with storage.unit() as unit:
            order.status = Status.SHIPPED
            await unit.orders.update(order)
            await unit.commit()

        await storage.load(a_batch(sold("1001", status="cancelled")))

        assert await storage.figures() == [(NOON, "EUR", 1, 900, 0)]


class TestAnOrderThatWasPlacedHere:
    @pytest.mark.parametrize("holds", ["stock", "a discount's use"])
    async def test_is_not_cancelled_by_a_file_as_long_as_it_holds_something(self, storage: Storage, holds: str) -> None:
        shop = Shop(storage)
        tea = await shop.product(stock=10 if holds == "stock" else None)
        discount = await shop.discount()
        placed = await shop.place(a_draft(a_line(tea), discount_code=None if holds == "stock" else "SPRING10"))
        order = await storage.the_order()
        cancelled = a_batch(
            sold(order.number, channel=order.channel, currency=order.currency, placed_at=order.placed_at, status="cancelled")
        )

        compared = await storage.imports.compare(cancelled, file="orders.csv")
        loaded = await storage.load(cancelled)

        assert outcomes(compared) == outcomes(loaded) == {"updated": 1, "kept": 1}
        assert (await storage.the_order()).status is Status.PENDING
        await shop.orders.set_status(placed.id, "cancelled", actor="user:1")
        assert (await shop.stock(tea), await shop.uses(discount)) == (10 if holds == "stock" else None, 0)
        assert await storage.faults() == []

    async def test_is_cancelled_by_a_file_where_it_holds_nothing(self, storage: Storage) -> None:
        shop = Shop(storage)
        await shop.place(a_draft(a_line(await shop.product(stock=None))))
        order = await storage.the_order()
        said = {"channel": order.channel, "currency": order.currency, "placed_at": order.placed_at}

        loaded = await storage.load(a_batch(sold(order.number, status="cancelled", **said)))

        assert outcomes(loaded) == {"updated": 1}
        assert (await storage.the_order()).status is Status.CANCELLED


class TestDifferentOrders:
    @pytest.mark.parametrize(
        "other",
        [
            sold("1001", currency="USD"),
            sold("1001", placed_at=LATER),
            sold("1001", external_id="gid://2"),
            sold("1002", external_id="gid://1"),  # 1002 is another order's number
            sold("1003", external_id="gid://1", placed_at=LATER),
        ],
    )
    async def test_are_rejected(self, storage: Storage, other: Any) -> None:
        known = a_batch(sold("1001", external_id="gid://1"), sold("1002", external_id="gid://3"))
        await storage.load(known)
        before = await storage.numbered()

        loaded = await storage.load(a_batch(other))

        assert outcomes(loaded) == {"rejected": 1}
        assert [(reject.code, reject.number, reject.line) for reject in loaded.rejects] == [
            ("different_order", other.number, 2)
        ]
        assert loaded.rejects[0].lines == ((2, "TEA-1"),)
        assert await storage.numbered() == before
        assert await storage.figures() == [(NOON, "EUR", 2, 1800, 0)]

    async def test_are_taken_out_of_the_run_s_figures(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", currency="USD")))
        run = await storage.begun()

        await storage.imports.load(
            run, a_batch(sold("1001", customer_email=None, source_total=901), sold("1002"), rejects=[a_reject(9)]), at=LATER
        )

        stored = await storage.imports.get(run.id)
        assert stored is not None
        assert stored.tally == run.tally
        assert run.tally.orders == {
            "read": 3, "new": 1, "updated": 0, "unchanged": 0, "kept": 0, "rejected": 2, "merged": 0,
        }  # fmt: skip
        assert run.tally.lines == {"read": 3, "accepted": 1, "rejected": 2}
        assert run.tally.customers == {"new": 0, "known": 0, "guests": 0}
        assert run.tally.money["EUR"].total == 900
        assert run.tally.reasons["different_order"].count == 1
        assert [reject.code async for reject in storage.imports.rejects(run.id)] == ["quantity_out_of_range", "different_order"]

    async def test_of_one_batch_and_one_external_id_are_rejected_but_the_first(self, storage: Storage) -> None:
        batch = a_batch(sold("1001", external_id="gid://1"), sold("1002", external_id="gid://1"))

        loaded = await storage.load(batch)
        again = await storage.load(batch)

        assert outcomes(loaded) == {"new": 1, "rejected": 1}
        assert outcomes(again) == {"unchanged": 1, "rejected": 1}
        assert list(await storage.numbered()) == ["1001"]

    async def test_that_mean_one_stored_order_by_id_and_by_number_are_rejected_but_the_first(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001", external_id="gid://1")))

        loaded = await storage.load(a_batch(sold("1002", external_id="gid://1"), sold("1001", note="other")))

        assert outcomes(loaded) == {"updated": 1, "rejected": 1}
        assert (await storage.the_order()).number == "1002"

    async def test_are_not_those_that_an_earlier_export_knew_by_number_alone(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001")))

        loaded = await storage.load(a_batch(sold("1001", external_id="gid://1")))

        assert outcomes(loaded) == {"updated": 1}
        assert (await storage.the_order()).external_id == "gid://1"
