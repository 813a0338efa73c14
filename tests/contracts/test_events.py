"""The ledger: added to with the unit, read in order, each place in an order's story given once."""

from datetime import UTC, datetime

import pytest
from builders import NOON, a_user, an_event, an_id, an_order
from storages import Storage

from ordermill.kit.errors import Taken
from ordermill.kit.ids import new_ids

pytestmark = pytest.mark.anyio


class TestAppend:
    async def test_keeps_every_field(self, storage: Storage) -> None:
        event = an_event(
            an_id(),
            sequence=3,
            type="order.status_changed",
            at=datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC),
            actor="key:0192",
            user_id=7,
            import_id=an_id(),
            data={"from": "pending", "to": "shipped", "totals": {"EUR": "12.30"}, "lines": [1, None, True], "naïve": "🦊"},
        )

        await storage.keep(event)

        assert await storage.unit().events.recent() == [event]

    async def test_keeps_what_is_none(self, storage: Storage) -> None:
        event = an_event()

        await storage.keep(event)

        (stored,) = await storage.unit().events.recent()
        assert stored == event
        assert (stored.order_id, stored.user_id, stored.import_id, stored.sequence, stored.data) == (None, None, None, None, {})

    async def test_names_a_user_whom_the_same_unit_adds(self, storage: Storage) -> None:
        user = a_user()
        async with storage.unit() as unit:
            await unit.users.add(user)
            await unit.events.append(an_event(type="user.registered"), user=user)
            await unit.commit()

        (event,) = await storage.unit().events.recent()
        assert event.user_id == user.id
        assert event.user_id is not None

    async def test_is_seen_only_once_committed(self, storage: Storage) -> None:
        unit = storage.unit()
        await unit.events.append(an_event())

        assert await storage.unit().events.recent() == []
        await unit.commit()
        assert len(await storage.unit().events.recent()) == 1

    async def test_refuses_a_second_event_in_one_place(self, storage: Storage) -> None:
        order = an_order()
        await storage.keep(order, an_event(order.id, sequence=1))
        note = an_order("1002")

        with pytest.raises(Taken) as caught:
            await storage.keep(note, an_event(order.id, sequence=1, type="order.paid"))

        assert caught.value.constraint == "events_order_sequence"
        assert [event.type for event in await storage.unit().events.recent()] == ["order.placed"]
        assert (await storage.the_order()).number == "1001"


class TestOfOrder:
    async def test_returns_one_order_s_events_by_sequence(self, storage: Storage) -> None:
        mine, other = an_id(), an_id()
        await storage.keep(
            an_event(mine, sequence=2, type="order.paid"),
            an_event(other, sequence=1, type="order.imported"),
            an_event(mine, sequence=10, type="order.refunded"),
            an_event(mine, sequence=1, type="order.placed"),
        )

        events = await storage.unit().events.of_order(mine)

        assert [event.type for event in events] == ["order.placed", "order.paid", "order.refunded"]

    async def test_outlives_the_order(self, storage: Storage) -> None:
        order = an_order()
        await storage.keep(order, an_event(order.id, sequence=1))
        async with storage.unit() as unit:
            await unit.orders.delete(order.id)
            await unit.events.append(an_event(order.id, sequence=2, type="order.removed"))
            await unit.commit()

        events = await storage.unit().events.of_order(order.id)

        assert [event.type for event in events] == ["order.placed", "order.removed"]


class TestRecent:
    async def test_returns_the_latest_first(self, storage: Storage) -> None:
        ids = new_ids(3, at=NOON)
        await storage.keep(*(an_event(id=id, actor=str(n)) for n, id in enumerate(ids)))

        assert [event.actor for event in await storage.unit().events.recent(limit=2)] == ["2", "1"]

    async def test_returns_one_type(self, storage: Storage) -> None:
        await storage.keep(an_event(type="user.registered"), an_event(type="order.placed"))

        assert [event.type for event in await storage.unit().events.recent(type="order.placed")] == ["order.placed"]
