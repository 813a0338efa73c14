"""What imports and undos make of somebody who was erased: nothing that brings them back."""

from decimal import Decimal

import pytest
from builders import a_batch, a_user, an_order, outcomes, sold
from erasures import EVENING, HOME, ada, erased, hers, imported, left_of_her, undone
from storages import Storage

from ordermill.orders.model import PaymentState, Status

pytestmark = pytest.mark.anyio


class TestLaterImports:
    async def test_of_the_same_file_change_nothing(self, storage: Storage) -> None:
        await imported(storage, hers("1001"))
        await erased(storage)
        before = await storage.the_order()

        _, tally, became = await imported(storage, hers("1001"), sha256="2" * 64)

        assert became == {"unchanged": 1}
        assert tally.adjustments == {}
        assert await storage.the_order() == before
        assert await left_of_her(storage) == []

    async def test_change_money_status_and_items_and_keep_the_blanks(self, storage: Storage) -> None:
        await imported(storage, hers("1001"))
        done = await erased(storage)

        newer = hers("1001", ("TEA-1", 3, 450), status="shipped", paid=1350, payment="paid", tracking_number="PARCEL-77b")
        _, tally, became = await imported(storage, newer, sha256="2" * 64)

        order = await storage.the_order()
        assert became == {"updated": 1}
        assert (order.customer_id, order.status, order.payment) == (done.user_id, Status.SHIPPED, PaymentState.PAID)
        assert (order.total, order.paid) == (Decimal("13.50"), Decimal("13.50"))
        assert (order.shipping_address, order.note, order.tracking_number, order.carrier) == (None, None, None, "DHL")
        assert tally.adjustments == {"erased": 1}
        assert await left_of_her(storage) == []
        assert await storage.faults() == []

    async def test_keep_the_blanks_also_where_the_file_names_no_buyer_or_another(self, storage: Storage) -> None:
        await imported(storage, hers("1001"), hers("1002"))
        done = await erased(storage)

        nobody = hers("1001", ("TEA-1", 3, 450), customer_email=None, customer_key=None)
        other = hers("1002", ("TEA-1", 3, 450), customer_email="shop@example.com", customer_key="shop@example.com")
        _, tally, became = await imported(storage, nobody, other, sha256="2" * 64)

        assert became == {"updated": 2}
        assert await storage.rows("orders", "user_id", "note") == [(done.user_id, None)] * 2
        assert tally.adjustments == {"erased": 2}
        assert await left_of_her(storage) == []
        assert await storage.persons.by_email("shop@example.com") is None

    async def test_bring_new_orders_as_a_guests(self, storage: Storage) -> None:
        await imported(storage, hers("1001"))
        await erased(storage)

        _, tally, became = await imported(
            storage, hers("1005"), sold("1006", customer_email="bob@example.com"), sha256="2" * 64
        )

        orders = await storage.numbered()
        assert became == {"new": 2}
        assert (orders["1005"].customer_id, orders["1005"].shipping_address, orders["1005"].note) == (None, None, None)
        assert (orders["1005"].total, orders["1006"].customer_email) == (Decimal("9.00"), "bob@example.com")
        assert tally.adjustments == {"erased": 1}
        assert (tally.customers["guests"], tally.customers["new"]) == (1, 1)
        assert await left_of_her(storage) == []
        assert await storage.faults() == []

    async def test_are_compared_as_they_would_be_loaded(self, storage: Storage) -> None:
        await imported(storage, hers("1001"))
        await erased(storage)
        batch = a_batch(hers("1001", ("TEA-1", 3, 450)), hers("1005"))

        told = await storage.imports.compare(batch, file="orders.csv")

        assert outcomes(told) == {"new": 1, "updated": 1}
        assert told.tally.adjustments == {"erased": 2}
        assert told.strangers.to_list() == []

    async def test_leave_alone_what_a_person_gave_who_came_back(self, storage: Storage) -> None:
        await imported(storage, hers("1001"))
        await erased(storage)
        await storage.keep(a_user(name="Ada again"))
        again = await ada(storage)
        await storage.keep(an_order("A1", channel="shop", customer_id=again.id, shipping_address=HOME))

        await imported(storage, hers("A1", ("TEA-1", 5, 450), note="Ring twice."), sha256="2" * 64)

        order = (await storage.numbered())["A1"]
        assert (order.customer_id, order.shipping_address, order.note) == (again.id, HOME, None)
        assert order.items[0].quantity == 5

    async def test_cannot_be_undone_to_what_was_before_the_erasure(self, storage: Storage) -> None:
        first, _, _ = await imported(storage, hers("1001"), hers("1002"))
        second, _, _ = await imported(storage, hers("1001", ("TEA-1", 9, 450), note="Ring twice. Or not."), sha256="2" * 64)
        await erased(storage)

        back = await undone(storage, second)

        order = (await storage.numbered())["1001"]
        assert back.undo is not None
        assert (back.undo.restored, back.undo.left, order.items[0].quantity) == (1, 0, 2)
        assert (order.shipping_address, order.billing_address, order.note, order.tracking_number) == (None,) * 4
        assert await left_of_her(storage) == []
        gone = await undone(storage, first)
        assert gone.undo is not None
        assert (gone.undo.removed, gone.undo.left, await storage.numbered()) == (2, 0, {})
        assert await storage.faults() == []
        assert (await storage.the_user()).erased_at == EVENING

    async def test_undone_give_an_order_back_blank_that_had_gone_to_somebody_else(self, storage: Storage) -> None:
        await imported(storage, hers("1001"))
        second, _, _ = await imported(storage, sold("1001", customer_email="bob@example.com", note="Bob's"), sha256="2" * 64)

        done = await erased(storage)
        await undone(storage, second)

        order = await storage.the_order()
        assert done.orders == 0
        assert (order.customer_id, order.shipping_address, order.note) == (done.user_id, None, None)
        assert await left_of_her(storage) == []
