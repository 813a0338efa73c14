"""A unit of work is all or nothing, whatever it is over."""

import anyio
import pytest
from builders import a_user, an_event, an_item, an_order
from storages import Storage

from ordermill.kit.errors import Conflict, NotFound, StaleVersion, Taken
from ordermill.kit.ports import Repository, UnitOfWork

pytestmark = pytest.mark.anyio


class TestShape:
    async def test_units_and_repositories_fit_their_protocols(self, storage: Storage) -> None:
        unit = storage.unit()

        assert isinstance(unit, UnitOfWork)
        assert isinstance(unit.users, Repository)
        assert isinstance(unit.orders, Repository)


class TestCommit:
    async def test_makes_everything_visible_to_others(self, storage: Storage) -> None:
        order = an_order()
        async with storage.unit() as unit:
            await unit.orders.add(order)
            await unit.events.append(an_event(order.id, sequence=1))
            await unit.users.add(a_user())
            await unit.commit()

        other = storage.unit()
        assert await other.orders.get(order.id) is not None
        assert [event.type for event in await other.events.of_order(order.id)] == ["order.placed"]
        assert len(await other.users.get_all()) == 1

    async def test_without_changes_does_nothing(self, storage: Storage) -> None:
        async with storage.unit() as unit:
            await unit.commit()

        assert await storage.unit().users.get_all() == []

    async def test_writes_values_as_they_are_at_commit(self, storage: Storage) -> None:
        async with storage.unit() as unit:
            user = await unit.users.add(a_user(name="Ada"))
            user.name = "Ada L."
            await unit.commit()

        assert (await storage.the_user()).name == "Ada L."

    async def test_begins_anew_so_that_the_unit_may_go_on(self, storage: Storage) -> None:
        async with storage.unit() as unit:
            await unit.users.add(a_user("ada@example.com"))
            await unit.commit()
            await unit.users.add(a_user("bob@example.com"))
            await unit.commit()

        assert [user.email for user in await storage.unit().users.get_all()] == ["ada@example.com", "bob@example.com"]


class TestLeaving:
    async def test_without_commit_leaves_nothing(self, storage: Storage) -> None:
        async with storage.unit() as unit:
            await unit.users.add(a_user())

        assert await storage.unit().users.get_all() == []

    async def test_by_an_exception_leaves_nothing(self, storage: Storage) -> None:
        async def fail() -> None:
            async with storage.unit() as unit:
                await unit.users.add(a_user())
                raise LookupError

        with pytest.raises(LookupError):
            await fail()

        assert await storage.unit().users.get_all() == []

    async def test_forgets_what_it_was_told(self, storage: Storage) -> None:
        unit = storage.unit()
        async with unit:
            await unit.users.add(a_user())
        await unit.commit()

        assert await storage.unit().users.get_all() == []

    async def test_after_rollback_leaves_only_what_came_later(self, storage: Storage) -> None:
        order = an_order()
        async with storage.unit() as unit:
            await unit.orders.add(order)
            await unit.rollback()
            assert await unit.orders.get(order.id) is None
            await unit.users.add(a_user())
            await unit.commit()

        assert await storage.unit().orders.get_all() == []
        assert len(await storage.unit().users.get_all()) == 1


class TestRefusal:
    async def test_leaves_nothing_of_the_whole_unit(self, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com"))
        order = an_order()
        unit = storage.unit()
        await unit.orders.add(order)
        await unit.events.append(an_event(order.id, sequence=1))
        await unit.users.add(a_user("bob@example.com"))
        await unit.users.add(a_user("ada@example.com"))

        with pytest.raises(Taken):
            await unit.commit()

        assert await storage.unit().orders.get_all() == []
        assert await storage.unit().events.recent() == []
        assert (await storage.the_user()).email == "ada@example.com"

    async def test_takes_back_the_ids_and_versions_that_it_gave(self, storage: Storage) -> None:
        known, new = a_user("ada@example.com"), a_user("bob@example.com")
        await storage.keep(known)
        unit = storage.unit()
        await unit.users.update(known)
        await unit.users.add(new)
        await unit.users.add(a_user("ada@example.com"))

        with pytest.raises(Taken):
            await unit.commit()

        assert new.id is None
        assert known.version == 1

    async def test_lets_the_same_entity_be_told_again(self, storage: Storage) -> None:
        """An id left over from the failed attempt would be taken for a given one, and collide."""
        new = a_user("bob@example.com")
        await storage.keep(a_user("ada@example.com"))
        with pytest.raises(Taken):
            await storage.keep(new, a_user("ada@example.com"))

        await storage.keep(a_user("cleo@example.com"), new)

        assert len({user.id for user in await storage.unit().users.get_all()}) == 3

    async def test_of_what_refers_to_nothing_names_no_unique_value(self, storage: Storage) -> None:
        with pytest.raises(Conflict) as caught:
            await storage.keep(an_order(customer_id=4711))

        assert not isinstance(caught.value, Taken)
        assert await storage.unit().orders.get_all() == []

    async def test_of_an_item_of_an_unknown_product_leaves_nothing(self, storage: Storage) -> None:
        with pytest.raises(Conflict):
            await storage.keep(an_order(items=[an_item(product_id=4711)]))

        assert await storage.unit().orders.get_all() == []

    async def test_of_removing_a_user_who_has_orders_keeps_both(self, storage: Storage) -> None:
        user = a_user(id=7)
        await storage.keep(user)
        await storage.keep(an_order(customer_id=7))
        unit = storage.unit()
        assert await unit.users.delete(7)

        with pytest.raises(Conflict):
            await unit.commit()

        assert (await storage.the_user()).id == 7
        assert (await storage.the_order()).customer_id == 7


class TestVersionGuard:
    async def test_lets_the_first_of_two_units_win(self, storage: Storage) -> None:
        await storage.keep(an_order())
        one, two = await storage.the_order(), await storage.the_order()
        first, second = storage.unit(), storage.unit()
        one.note, two.note = "first", "second"
        await first.orders.update(one)
        await second.orders.update(two)

        await first.commit()
        with pytest.raises(StaleVersion):
            await second.commit()

        stored = await storage.the_order()
        assert (stored.note, stored.version, one.version, two.version) == ("first", 2, 2, 1)

    async def test_lets_one_of_twenty_parallel_units_win(self, storage: Storage) -> None:
        await storage.keep(a_user())
        outcomes: list[str] = []

        async def rename(name: str) -> None:
            unit = storage.unit()
            mine = copies.pop()
            mine.name = name
            await unit.users.update(mine)
            try:
                await unit.commit()
            except StaleVersion:
                name = "stale"
            outcomes.append(name)

        copies = [await storage.the_user() for _ in range(20)]
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(rename, f"Ada {number}")

        stored = await storage.the_user()
        assert sorted(outcomes) == sorted([stored.name, *["stale"] * 19])
        assert stored.version == 2

    async def test_of_one_entity_told_twice_counts_once(self, storage: Storage) -> None:
        user = a_user()
        await storage.keep(user)

        async with storage.unit() as unit:
            user.name = "Ada L."
            await unit.users.update(user)
            user.is_staff = True
            await unit.users.update(user)
            await unit.commit()

        stored = await storage.the_user()
        assert (stored.name, stored.is_staff, stored.version, user.version) == ("Ada L.", True, 2, 2)

    async def test_finds_no_user_to_change(self, storage: Storage) -> None:
        unit = storage.unit()
        await unit.users.update(a_user(id=4711))

        with pytest.raises(NotFound):
            await unit.commit()

        assert await storage.unit().users.get_all() == []

    async def test_finds_no_order_to_change(self, storage: Storage) -> None:
        unit = storage.unit()
        await unit.orders.update(an_order())

        with pytest.raises(NotFound):
            await unit.commit()

        assert await storage.unit().orders.get_all() == []
