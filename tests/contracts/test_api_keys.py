"""`accounts.api_keys`: what each storage promises of them, and what the ledger is told."""

import asyncio
from uuid import UUID

import pytest
from builders import LATER, NOON, a_user, an_id
from clocks import HandClock
from storages import Storage

from ordermill.accounts.api_keys import ApiKey, ApiKeyCreate, ApiKeyNotFound, ApiKeys
from ordermill.accounts.one_time import digest
from ordermill.accounts.principal import Scope
from ordermill.accounts.standing import set_active_in, set_staff_in
from ordermill.privacy.model import Erasure

pytestmark = pytest.mark.anyio


def the_keys(storage: Storage) -> ApiKeys:
    return ApiKeys(storage.unit, clock=HandClock())


async def make(storage: Storage, name: str = "Shop", scope: Scope = Scope.READ) -> tuple[ApiKey, str]:
    return await the_keys(storage).create(ApiKeyCreate(name=name, scope=scope), actor="user:7")


class TestCreate:
    async def test_shows_the_secret_once_and_keeps_a_hash(self, storage: Storage) -> None:
        key, secret = await make(storage, scope=Scope.STOREFRONT)

        assert secret.startswith("om_")
        assert len(secret) == 46
        assert await storage.unit().api_keys.by_secret(digest(secret)) == key
        assert (key.created_by, key.created_at, key.revoked_at) == ("user:7", NOON, None)
        assert secret not in str(await storage.rows("api_keys", "name", "scope", "secret_hash"))
        assert secret not in repr(key)

    async def test_tells_the_ledger(self, storage: Storage) -> None:
        key, secret = await make(storage)
        (event,) = await storage.unit().events.recent()
        assert (event.type, event.actor, event.data) == ("api_key.created", "user:7", {"api_key": str(key.id), "scope": "read"})
        assert secret not in str(event)

    async def test_makes_another_secret_each_time(self, storage: Storage) -> None:
        assert len({secret for _, secret in [await make(storage) for _ in range(3)]}) == 3


class TestPage:
    async def test_goes_through_all_that_work(self, storage: Storage) -> None:
        made = sorted([(await make(storage, f"{number}"))[0] for number in range(4)], key=lambda key: key.id)
        await the_keys(storage).revoke(made[1].id, actor="user:7")

        first = await the_keys(storage).page(limit=2)
        rest = await the_keys(storage).page(limit=2, after=first.last.id if first.last else None)

        assert (list(first.rows), first.more) == ([made[0], made[2]], True)
        assert (list(rest.rows), rest.more) == ([made[3]], False)


class TestRevoke:
    async def test_lets_it_work_no_more(self, storage: Storage) -> None:
        key, secret = await make(storage)
        other, other_secret = await make(storage)

        await the_keys(storage).revoke(key.id, actor="user:8")

        assert await storage.unit().api_keys.by_secret(digest(secret)) is None
        assert await storage.unit().api_keys.by_secret(digest(other_secret)) == other
        latest, *_ = [event for event in await storage.unit().events.recent() if event.type == "api_key.revoked"]
        assert (latest.actor, latest.data) == ("user:8", {"api_key": str(key.id)})

    @pytest.mark.parametrize("id", [an_id(), UUID(int=0), UUID(int=2**128 - 1)])
    async def test_refuses_one_that_is_none(self, storage: Storage, id: UUID) -> None:
        with pytest.raises(ApiKeyNotFound):
            await the_keys(storage).revoke(id, actor="user:8")
        assert await storage.unit().events.recent() == []

    async def test_happens_once(self, storage: Storage) -> None:
        key, _ = await make(storage)

        ends = await asyncio.gather(
            *(the_keys(storage).revoke(key.id, actor="user:8") for _ in range(5)), return_exceptions=True
        )

        assert sum(end is None for end in ends) == 1
        assert {type(end) for end in ends if end is not None} == {ApiKeyNotFound}
        assert len(await storage.unit().events.recent(type="api_key.revoked")) == 1


class TestMaker:
    @pytest.mark.parametrize("leave", ["deactivated", "demoted", "erased"])
    async def test_who_leaves_takes_their_keys_along(self, storage: Storage, leave: str) -> None:
        maker, other = a_user(is_staff=True, password_hash="argon2$nobody's"), a_user("bob@example.com", is_staff=True)
        await storage.keep(maker, other)
        keys, draft = the_keys(storage), ApiKeyCreate(name="Shop", scope=Scope.STAFF)
        _, gone = await keys.create(draft, actor=f"user:{maker.id}")
        kept, secret = await keys.create(draft, actor=f"user:{other.id}")

        if leave == "erased":
            await storage.persons.erase(Erasure.of(maker.id or 0, event_id=an_id(), at=LATER, actor="command"))
        async with storage.unit() as unit:
            if leave == "deactivated":
                await set_active_in(unit, maker, active=False, at=LATER, actor="command")
            if leave == "demoted":
                await set_staff_in(unit, maker, staff=False, at=LATER, actor="command")
            await unit.commit()

        assert await storage.unit().api_keys.by_secret(digest(gone)) is None
        assert await storage.unit().api_keys.by_secret(digest(secret)) == kept
