"""A use case in a unit, carried out once for one key: alike on all storages."""

import asyncio
from collections.abc import Callable

import pytest
from builders import NOON, an_order
from storages import Storage, WholeUnit

from ordermill.accounts.principal import Principal
from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import Invalid
from ordermill.kit.events import By
from ordermill.kit.money import parse_amount
from ordermill.orders.changes import MoneyDraft, record_payment_in
from ordermill.orders.idempotency import Answer, KeyReused, Once, answered

pytestmark = pytest.mark.anyio

STAFF = Principal(actor="user:1", user_id=1, is_staff=True)


def once(content: str = "9.00") -> Once:
    return Once.of(STAFF, "POST /orders/1/payments", "k-1", content=content)


async def pay(storage: Storage, amount: str = "9.00", *, key: Once | None) -> Answer:
    """Record a payment for the only order, once."""

    async def do(unit: WholeUnit) -> Callable[[], str]:
        (order,) = await unit.orders.get_all()
        recorded = await record_payment_in(unit, order, MoneyDraft(amount=parse_amount(amount)), by=By(actor="user:1", at=NOON))
        return lambda: f"paid {recorded.order.paid:f}, version {recorded.order.version}"

    return await answered(storage.unit, key, do, clock=FixedClock(NOON))


class TestAnswered:
    async def test_is_built_from_what_was_written(self, storage: Storage) -> None:
        await storage.keep(an_order())

        assert await pay(storage, key=once()) == Answer("paid 9.00, version 2", replayed=False)

    async def test_gives_the_same_answer_again_and_does_nothing(self, storage: Storage) -> None:
        await storage.keep(an_order())
        first = await pay(storage, key=once())

        assert await pay(storage, key=once()) == Answer(first.body, replayed=True)
        assert len(await storage.rows("payments")) == 1

    async def test_is_carried_out_once_however_often_it_is_asked_at_the_same_moment(self, storage: Storage) -> None:
        await storage.keep(an_order())

        answers = await asyncio.gather(*(pay(storage, key=once()) for _ in range(20)))

        assert {answer.body for answer in answers} == {"paid 9.00, version 2"}
        assert (len(await storage.rows("payments")), len(await storage.rows("idempotency_keys"))) == (1, 1)

    async def test_refuses_other_content_under_the_same_key(self, storage: Storage) -> None:
        await storage.keep(an_order())
        await pay(storage, key=once())

        with pytest.raises(KeyReused):
            await pay(storage, "1.00", key=once("1.00"))
        assert len(await storage.rows("payments")) == 1

    async def test_keeps_nothing_of_a_refusal(self, storage: Storage) -> None:
        await storage.keep(an_order())

        with pytest.raises(Invalid):
            await pay(storage, "0.00", key=once())
        assert await storage.rows("idempotency_keys") == []

    async def test_without_a_key_is_carried_out_each_time(self, storage: Storage) -> None:
        await storage.keep(an_order())
        await pay(storage, key=None)
        await pay(storage, key=None)

        assert len(await storage.rows("payments")) == 2
