"""What an undone import leaves: the book as it was before, and whatever was changed since (PRODUCT.md section 5)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from builders import LATER, NOON, Sold, a_batch, a_user, an_event, an_id, an_order, sold
from storages import Storage

from ordermill.imports.model import Import, Left
from ordermill.imports.undo import Undoing
from ordermill.kit.errors import Conflict, NotFound
from ordermill.orders.model import Status

pytestmark = pytest.mark.anyio

EVENING = LATER + timedelta(hours=6)
TABLES = ("orders", "items", "users", "payments", "refunds", "order_versions")


class Evening:
    """A clock."""

    def now(self) -> Any:
        return EVENING

    def monotonic(self) -> float:
        return 0.0


async def imported(storage: Storage, *orders: Sold, **said: Any) -> UUID:
    """Bring orders in by an import of their own."""
    run = await storage.begun(**said)
    await storage.imports.load(run, a_batch(*orders), at=LATER)
    await storage.imports.finish(run, at=LATER)
    return run.id


async def undo(storage: Storage, id: UUID) -> Import:
    return await Undoing(storage.undo, clock=Evening()).undo(id)


async def left(storage: Storage, id: UUID) -> list[Left]:
    return [left async for left in storage.undo.left(id)]


async def facts(storage: Storage) -> dict[str, Any]:
    """Return what people see of the book: orders with items and buyers, money, statistics that count, accounts."""
    orders = {
        number: {name: getattr(order, name) for name in order.__dataclass_fields__ if name not in {"version", "updated_at"}}
        for number, order in (await storage.numbered()).items()
    }
    return {
        "orders": orders,
        "sources": await storage.rows("orders", "number", "fingerprint", "status_set_here", "import_id"),
        "payments": await storage.rows("payments", "id", "amount", "method", "at", "import_id"),
        "refunds": await storage.rows("refunds", "id", "amount", "method", "at", "import_id"),
        "users": await storage.rows("users", "id", "email"),
        "figures": [hour for hour in await storage.figures() if hour[2:] != (0, 0, 0)],
    }


RICH = sold(
    "1001", ("TEA-1", 2, 450), ("CUP", 1, 700), external_id="gid://1", paid=1600, paid_at=NOON, payment="paid",
    payment_method="card", refunded=300, refunded_at=LATER, note="Ring twice. 🦊", carrier="DHL",
    shipping_address='{"name": "Zoë", "city": null}', source_updated_at=NOON + timedelta(microseconds=7),
)  # fmt: skip


class TestWhatAnImportCreated:
    async def test_is_gone_with_its_buyers_and_figures(self, storage: Storage) -> None:
        await storage.keep(an_order("7", channel="api"))
        before = await facts(storage)
        id = await imported(storage, RICH, sold("1002", customer_email=None), sold("1003", customer_email="bob@example.com"))

        run = await undo(storage, id)

        assert await facts(storage) == before
        assert run.state == "undone"
        assert run.undo is not None
        assert run.undo.counts == {"removed": 3, "restored": 0, "users_removed": 2, "left": 0}
        assert await left(storage, id) == []
        assert await storage.rows("payments", "amount") == await storage.rows("refunds", "amount") == []

    async def test_is_told_to_the_ledger_in_the_next_place(self, storage: Storage) -> None:
        id = await imported(storage, sold("1001", status="shipped"))
        order = await storage.the_order()

        await undo(storage, id)

        events = await storage.unit().events.of_order(order.id)
        assert [(event.sequence, event.type, event.actor) for event in events] == [
            (1, "order.imported", "import"),
            (2, "order.removed", "undo"),
        ]
        assert (events[1].at, events[1].import_id) == (EVENING, id)
        assert events[1].data == {"status": "shipped", "payment": "unpaid"}
        (end,) = await storage.unit().events.recent(type="import.undone")
        assert (end.import_id, end.data) == (id, {"removed": 1, "restored": 0, "users_removed": 1, "left": 0})

    async def test_comes_again_when_the_file_is_processed_again(self, storage: Storage) -> None:
        id = await imported(storage, sold("1001"), sold("1002"))
        await undo(storage, id)

        again = await imported(storage, sold("1001"), sold("1002"))

        assert again != id
        assert await storage.rows("orders", "number", "import_id") == [("1001", again), ("1002", again)]
        assert await storage.figures() == [(NOON, "EUR", 2, 1800, 0)]

    async def test_stays_where_somebody_changed_it_since(self, storage: Storage) -> None:
        id = await imported(storage, sold("1001"), sold("1002", customer_email="bob@example.com"))
        order = (await storage.numbered())["1001"]
        async with storage.unit() as unit:
            order.status = Status.SHIPPED
            await unit.orders.update(order)
            await unit.commit()

        run = await undo(storage, id)

        assert await storage.rows("orders", "number", "status") == [("1001", "shipped")]
        assert await left(storage, id) == [Left(order.id, "1001", created=True, reason="changed_since")]
        assert run.undo is not None
        assert run.undo.counts == {"removed": 1, "restored": 0, "users_removed": 1, "left": 1}
        assert await storage.rows("users", "email") == [("ada@example.com",)]

    async def test_stays_where_a_later_import_updated_it_until_that_is_undone(self, storage: Storage) -> None:
        first = await imported(storage, sold("1001"), sold("1002"))
        second = await imported(storage, sold("1001", note="new"), sha256="1" * 64)
        await undo(storage, first)
        order = await storage.the_order()
        held = await left(storage, first)

        await undo(storage, second)
        freed = await left(storage, first)
        run = await undo(storage, first)

        assert held == [Left(order.id, "1001", created=True, reason="updated_later")]
        assert freed == [Left(order.id, "1001", created=True, reason="free")]
        assert run.undo is not None
        assert run.undo.counts == {"removed": 2, "restored": 0, "users_removed": 1, "left": 0}
        assert await storage.rows("orders", "id") == await storage.rows("users", "id") == []

    async def test_takes_more_steps_than_one(self, storage: Storage) -> None:
        id = await imported(storage, *(sold(str(n), customer_email=f"buyer{n}@example.com") for n in range(1, 1203)))

        run = await undo(storage, id)

        assert run.undo is not None
        assert run.undo.counts == {"removed": 1202, "restored": 0, "users_removed": 1202, "left": 0}
        assert await storage.rows("orders", "id") == await storage.rows("users", "id") == []


class TestWhatAnImportUpdated:
    async def test_is_as_it_was_before(self, storage: Storage) -> None:
        await imported(storage, RICH, sold("1002"))
        before = await facts(storage)
        changed = {"customer_email": "bob@example.com", "external_id": "gid://1", "status": "cancelled", "paid": 100}
        second = await imported(storage, sold("1001-B", ("MUG", 3, 100), **changed), sold("1003"), sha256="1" * 64)

        run = await undo(storage, second)

        assert await facts(storage) == before
        assert run.undo is not None
        assert run.undo.counts == {"removed": 1, "restored": 1, "users_removed": 1, "left": 0}
        assert await storage.rows("order_versions", "order_id") == []

    async def test_has_a_version_that_it_never_had(self, storage: Storage) -> None:
        """Whoever read the order before the undo does not write over it."""
        await imported(storage, sold("1001"))
        second = await imported(storage, sold("1001", note="new"), sha256="1" * 64)

        await undo(storage, second)

        order = await storage.the_order()
        assert (order.version, order.updated_at, order.note) == (3, EVENING, None)
        events = await storage.unit().events.of_order(order.id)
        assert [(event.sequence, event.type) for event in events] == [
            (1, "order.imported"),
            (2, "order.updated"),
            (3, "order.updated"),
        ]

    async def test_is_undone_from_the_last_import_to_the_first(self, storage: Storage) -> None:
        runs = [await imported(storage, sold("1001", note=note), sha256=note * 64) for note in "abc"]

        notes = []
        for id in reversed(runs):
            notes.append((await storage.the_order()).note)
            await undo(storage, id)

        assert notes == ["c", "b", "a"]
        assert await storage.rows("orders", "id") == await storage.rows("order_versions", "order_id") == []

    async def test_stays_where_somebody_changed_it_before_or_since(self, storage: Storage) -> None:
        await imported(storage, sold("1001"))
        order = await storage.the_order()
        async with storage.unit() as unit:
            order.status = Status.SHIPPED
            await unit.orders.update(order)
            await unit.commit()
        second = await imported(storage, sold("1001", note="new"), sha256="1" * 64)
        changed = await storage.the_order()
        async with storage.unit() as unit:
            changed.carrier = "DHL"
            await unit.orders.update(changed)
            await unit.commit()

        await undo(storage, second)

        assert await left(storage, second) == [Left(order.id, "1001", created=False, reason="changed_since")]
        stored = await storage.the_order()
        assert (stored.note, stored.carrier, stored.version) == ("new", "DHL", 4)

    async def test_keeps_a_local_change_that_came_before_it(self, storage: Storage) -> None:
        first = await imported(storage, sold("1001"))
        order = await storage.the_order()
        async with storage.unit() as unit:
            order.status = Status.SHIPPED
            await unit.orders.update(order)
            await unit.commit()
        second = await imported(storage, sold("1001", note="new"), sha256="1" * 64)

        await undo(storage, second)
        await undo(storage, first)

        stored = await storage.the_order()
        assert (stored.status, stored.note) == (Status.SHIPPED, None)
        assert [left.reason for left in await left(storage, first)] == ["changed_since"]

    async def test_stays_where_its_number_is_another_order_s_now(self, storage: Storage) -> None:
        await imported(storage, sold("1001", external_id="gid://1"))
        second = await imported(storage, sold("1002", external_id="gid://1"), sha256="1" * 64)
        await imported(storage, sold("1001", external_id="gid://2"), sha256="2" * 64)

        await undo(storage, second)

        assert [(left.number, left.reason) for left in await left(storage, second)] == [("1002", "number_taken")]
        assert await storage.rows("orders", "number") == [("1001",), ("1002",)]


class TestBuyers:
    async def test_stay_where_they_were_known_before(self, storage: Storage) -> None:
        await storage.keep(a_user(created_at=NOON - timedelta(days=1)))
        id = await imported(storage, sold("1001"))

        await undo(storage, id)

        assert await storage.rows("users", "email") == [("ada@example.com",)]

    async def test_stay_where_they_have_registered_since(self, storage: Storage) -> None:
        id = await imported(storage, sold("1001"))
        user = await storage.the_user()
        async with storage.unit() as unit:
            user.password_hash = "a hash"  # of nothing
            await unit.users.update(user)
            await unit.commit()

        await undo(storage, id)

        assert await storage.rows("users", "email", "password") == [("ada@example.com", "a hash")]

    async def test_of_two_imports_go_with_the_last_that_is_undone(self, storage: Storage) -> None:
        first = await imported(storage, sold("1001"))
        second = await imported(storage, sold("1002"), sha256="1" * 64)

        await undo(storage, first)
        assert await storage.rows("users", "email") == [("ada@example.com",)]
        await undo(storage, second)

        assert await storage.rows("users", "email") == []

    async def test_stay_where_an_undo_may_need_them(self, storage: Storage) -> None:
        await imported(storage, sold("1001", customer_email="bob@example.com"))
        brings_ada = await imported(storage, sold("1001"), sold("1002"), sha256="1" * 64)
        takes_ada = await imported(storage, sold("1001", customer_email="bob@example.com"), sha256="2" * 64)
        await undo(storage, brings_ada)
        assert await storage.rows("users", "email") == [("ada@example.com",), ("bob@example.com",)]

        await undo(storage, takes_ada)

        assert (await storage.the_order()).customer_email == "ada@example.com"


class TestRefusals:
    async def test_unknown_running_and_undone_imports_are_refused(self, storage: Storage) -> None:
        running = await storage.begun(sha256="1" * 64)
        await storage.imports.load(running, a_batch(sold("2001")), at=LATER)
        undone = await imported(storage, sold("1001"))
        await undo(storage, undone)
        before = await storage.rows("events", "type")

        for id, kind, code in (
            (an_id(), NotFound, "import_not_found"),
            (running.id, Conflict, "import_unfinished"),
            (undone, Conflict, "import_undone"),
        ):
            with pytest.raises(kind) as refusal:
                await undo(storage, id)
            assert refusal.value.code == code

        assert await storage.rows("orders", "number") == [("2001",)]
        assert await storage.rows("events", "type") == before


class TestTwoAtOnce:
    async def test_do_it_once(self, storage: Storage) -> None:
        id = await imported(storage, *(sold(str(n)) for n in range(1, 1203)))

        runs = await asyncio.gather(*(undo(storage, id) for _ in range(3)), return_exceptions=True)

        done = [run for run in runs if isinstance(run, Import)]
        refused = [run.code for run in runs if isinstance(run, Conflict)]
        assert {run.undo.counts["removed"] for run in done if run.undo} == {1202}
        assert len(done) + refused.count("import_undone") == 3
        assert len(await storage.unit().events.recent(type="import.undone")) == 1


class TestStopping:
    async def test_leaves_the_rest_to_the_next_call(self, storage: Storage) -> None:
        await imported(storage, sold("1"))
        id = await imported(storage, *(sold(str(n), note="new") for n in range(1, 1203)), sha256="1" * 64)
        stopped = await Undoing(storage.undo, clock=Evening()).undo(id, stop=lambda: True)
        first = await storage.rows("orders", "number")

        run = await undo(storage, id)

        assert (stopped.state, run.state) == ("undoing", "undone")
        assert len(first) == 1202
        assert run.undo is not None
        assert run.undo.counts == {"removed": 1201, "restored": 1, "users_removed": 0, "left": 0}
        assert await storage.rows("orders", "number", "note") == [("1", None)]


async def test_a_place_in_the_ledger_is_free_for_what_comes_next(storage: Storage) -> None:
    id = await imported(storage, sold("1001"))
    order = await storage.the_order()
    await storage.keep(an_event(order.id, sequence=2, type="order.noted"))

    await undo(storage, id)

    assert [event.sequence for event in await storage.unit().events.of_order(order.id)] == [1, 2, 3]
