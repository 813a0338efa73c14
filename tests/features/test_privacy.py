"""A person's data handed out and forgotten, through the service: who may see what, and what must be shown first."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from builders import LATER, NOON, a_user, an_order

from ordermill.accounts.changes import UserNotFound
from ordermill.accounts.hashing import Hashing
from ordermill.accounts.keyring import KeyRing
from ordermill.accounts.model import User
from ordermill.accounts.passwords import hash_password
from ordermill.accounts.throttles import Throttles, TooManyAttempts
from ordermill.accounts.tokens import Unauthenticated
from ordermill.kit.clock import FixedClock, LocalClock
from ordermill.kit.errors import Invalid
from ordermill.privacy.mentions import addresses_in, fragment
from ordermill.privacy.model import hashed
from ordermill.privacy.service import Privacy
from ordermill.storage.memory import MemoryStorage

pytestmark = pytest.mark.anyio

PASSWORD: Final = "correct horse battery"  # invented


@pytest.fixture
def memory() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def privacy(memory: MemoryStorage) -> Privacy:
    clock = FixedClock(LATER)
    throttles = Throttles(memory.throttles, keyring=KeyRing("k" * 43, clock=clock), clock=LocalClock(clock))
    return Privacy(memory.persons, clock=clock, hashing=Hashing(), throttles=lambda: throttles)


async def known(memory: MemoryStorage, *orders: Any, **said: Any) -> int:
    """Add Ada with her orders, and return her id."""
    async with memory.unit() as unit:
        user = await unit.users.add(a_user(**said))
        await unit.commit()
    async with memory.unit() as unit:
        for order in orders:
            await unit.orders.add(replace(order, customer_id=user.id))
        await unit.commit()
    return user.id or 0


async def document(pieces: AsyncIterator[str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads("".join([piece async for piece in pieces]))
    return found


async def the_user(memory: MemoryStorage) -> User:
    (user,) = await memory.unit().users.get_all()
    return user


class TestExport:
    async def test_is_one_document_with_orders_in_their_shape(self, memory: MemoryStorage, privacy: Privacy) -> None:
        id = await known(memory, an_order(note="Ring “twice”.\n"), an_order("1002"), password_hash="argon2$secret")

        found = await document(await privacy.export(id))

        assert list(found) == ["exported_at", "account", "sessions", "discount_uses", "events", "orders"]
        assert found["exported_at"] == "2026-11-22T13:00:00Z"
        assert found["account"] == {
            "id": id, "email": "ada@example.com", "name": "Ada", "is_active": True, "is_staff": False,
            "email_verified_at": None, "created_at": "2026-11-22T12:00:00Z", "has_password": True,
        }  # fmt: skip
        orders = {order["number"]: order for order in found["orders"]}
        assert {number: (order["total"], order["payments"]) for number, order in orders.items()} == {
            "1001": ("9.00", []),
            "1002": ("9.00", []),
        }
        assert orders["1001"]["note"] == "Ring “twice”.\n"
        assert "argon2" not in json.dumps(found)

    async def test_of_oneself_shows_what_came_by_other_ways_once_the_address_is_verified(
        self, memory: MemoryStorage, privacy: Privacy
    ) -> None:
        id = await known(memory, an_order())
        before = await document(await privacy.export_own(id))
        async with memory.unit() as unit:
            await unit.users.update(replace(await the_user(memory), email_verified_at=NOON))
            await unit.commit()

        after = await document(await privacy.export_own(id))

        assert (len(before["orders"]), len(after["orders"])) == (0, 1)

    async def test_refuses_before_the_first_piece(self, memory: MemoryStorage, privacy: Privacy) -> None:
        id = await known(memory, is_active=False)

        with pytest.raises(Unauthenticated):
            await privacy.export_own(id)
        with pytest.raises(UserNotFound):
            await privacy.export(4711)
        with pytest.raises(UserNotFound):
            await privacy.by_email("bob@example.com")

    async def test_finds_nobody_by_an_address_that_no_database_holds(self, privacy: Privacy) -> None:
        """A terminal hands on bytes that are no text as lone surrogates."""
        for address in ("\udcff@example.com", "ada\x00@example.com"):
            with pytest.raises(UserNotFound):
                await privacy.by_email(address)


class TestErase:
    async def test_of_oneself_needs_the_password(self, memory: MemoryStorage, privacy: Privacy) -> None:
        id = await known(memory, password_hash=hash_password(PASSWORD))

        with pytest.raises(Invalid) as caught:
            await privacy.erase_own(id, "another horse", address="192.0.2.1")

        assert caught.value.code == "current_password_wrong"
        assert caught.value.details["errors"][0]["pointer"] == "/current_password"
        assert (await the_user(memory)).erased_at is None

        await privacy.erase_own(id, PASSWORD, address="192.0.2.1")

        assert (await the_user(memory)).erased_at == LATER
        (event,) = await memory.unit().events.recent(type="user.erased")
        assert (event.actor, event.user_id) == (f"user:{id}", id)

    async def test_of_oneself_lets_nobody_guess(self, memory: MemoryStorage, privacy: Privacy) -> None:
        id = await known(memory, password_hash=hash_password(PASSWORD))
        for _ in range(5):
            with pytest.raises(Invalid):
                await privacy.erase_own(id, "another horse", address="192.0.2.1")

        with pytest.raises(TooManyAttempts):
            await privacy.erase_own(id, PASSWORD, address="192.0.2.1")

        assert (await the_user(memory)).erased_at is None

    async def test_lets_the_person_come_back_as_somebody_new(self, memory: MemoryStorage, privacy: Privacy) -> None:
        id = await known(memory, an_order())
        await privacy.erase(id, actor="command")

        again = await known(memory, an_order("1002"))

        assert again != id
        assert (await privacy.by_email("ada@example.com")).id == again
        orders = [order["number"] for order in (await document(await privacy.export(again)))["orders"]]
        assert orders == ["1002"]
        with pytest.raises(UserNotFound):
            await privacy.export(id)

    async def test_may_be_done_once_more_to_who_came_back(self, memory: MemoryStorage, privacy: Privacy) -> None:
        await privacy.erase(await known(memory), actor="command")
        await privacy.erase(await known(memory), actor="command")

        emails = {user.email for user in await memory.unit().users.get_all()}
        assert len(emails) == 2
        assert all(email.endswith("@erased.invalid") for email in emails)


class TestAddressesIn:
    @pytest.mark.parametrize(
        "text",
        [
            "1001,ada@example.com,1 Mill Lane",
            '"1001";"Ada@EXAMPLE.com";"x"',
            "1001|ada@example.com|x",
            "1001\tada@example.com\tx",
            '{"customer_email":"ada@example.com","n":1}',
            "'ada@example.com is guarded",
            "mailto:ada@example.com.",
            "Ada <ada@example.com>",
            "=ada@example.com",
        ],
    )
    def test_finds_one_between_any_delimiters(self, text: str) -> None:
        assert "ada@example.com" in addresses_in([None, text])

    @pytest.mark.parametrize("text", ["granada@example.com", "a.ada@example.com", "ada@example.com.org", "ada at example.com"])
    def test_finds_whole_ones_only(self, text: str) -> None:
        assert "ada@example.com" not in addresses_in([text])

    def test_reads_letters_as_json_may_write_them(self) -> None:
        assert "zoë@example.com" in addresses_in([r'{"email": "zo\u00eb@example.com"}'])
        assert "zoë@example.com" in addresses_in(["ZOË@example.com"])

    def test_names_a_part_that_every_spelling_holds(self) -> None:
        assert (fragment("ada@example.com"), fragment("zoë@example.com")) == ("ada@example.com", "@example.com")


class TestHashed:
    def test_tells_nothing_without_the_key(self) -> None:
        one, other = hashed("ada@example.com", key="00" * 32), hashed("ada@example.com", key="01" * 32)

        assert len(one) == 64
        assert one != other
        assert hashed("ada@example.com", key="00" * 32) == one
