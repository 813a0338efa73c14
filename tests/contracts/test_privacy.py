"""What an erasure leaves of a person: nothing that tells who it was, and all that the shop's numbers stand on."""

import pytest
from builders import LATER, NOON, a_batch, a_movement, a_reject, a_user, an_event, an_order, sold
from erasures import EVENING, HOME, ada, erased, erasure, hers, imported, left_of_her, let_in
from storages import Storage

from ordermill.accounts.changes import UserNotFound
from ordermill.accounts.standing import LastStaff
from ordermill.imports.model import Reason
from ordermill.kit.errors import ServiceError
from ordermill.orders.idempotency import Once

pytestmark = pytest.mark.anyio


class TestErase:
    async def test_leaves_nothing_of_the_person_anywhere(self, storage: Storage) -> None:
        await storage.keep(a_user("bob@example.com", name="Bob"))
        await imported(storage, hers("1001"), sold("1002", customer_email="bob@example.com", note="For Bob."))
        await imported(storage, hers("1001", note="Ring twice. Thrice."), sha256="2" * 64)
        assert {place.partition(":")[0] for place in await left_of_her(storage)} == {"users", "orders", "order_versions"}

        done = await erased(storage)

        assert await left_of_her(storage) == []
        assert (done.orders, done.rejects) == (1, 0)
        assert (await storage.numbered())["1002"].note == "For Bob."

    async def test_closes_the_account(self, storage: Storage) -> None:
        await storage.keep(a_user(name="Ada Lovelace", password_hash="argon2$x", email_verified_at=NOON))

        await erased(storage)

        user = await storage.the_user()
        assert (user.email.endswith(".invalid"), user.name, user.password_hash) == (True, "Erased", None)
        assert (user.is_active, user.email_verified_at, user.erased_at, user.version) == (False, None, EVENING, 2)
        assert await storage.persons.by_email("ada@example.com") is None

    async def test_moves_the_version_of_each_order_and_nothing_of_its_money(self, storage: Storage) -> None:
        await storage.keep(a_user())
        user = await ada(storage)
        await storage.keep(an_order(customer_id=user.id, shipping_address=HOME, note="Ring twice.", carrier="DHL", version=4))
        before = await storage.the_order()
        figures = await storage.figures()

        await erased(storage)

        order = await storage.the_order()
        assert (order.version, order.updated_at, order.customer_id) == (5, EVENING, user.id)
        assert (order.shipping_address, order.billing_address, order.note, order.tracking_number) == (None, None, None, None)
        assert (order.carrier, order.items, order.total, order.placed_at) == ("DHL", before.items, before.total, NOON)
        assert await storage.figures() == figures == [(NOON, "EUR", 1, 900, 0)]
        assert await storage.faults() == []

    async def test_is_told_to_the_ledger_without_a_word_of_who_it_was(self, storage: Storage) -> None:
        await imported(storage, hers("1001"), hers("1002"))

        done = await erased(storage)

        (event,) = await storage.unit().events.recent(type="user.erased")
        assert (event.user_id, event.at, event.actor, event.data) == (done.user_id, EVENING, "command", {"orders": 2})

    async def test_ends_what_lets_the_person_in(self, storage: Storage) -> None:
        await storage.keep(a_user(password_hash="argon2$x"), a_user("bob@example.com", password_hash="argon2$x"))
        bob = await storage.persons.by_email("bob@example.com")
        assert bob is not None
        for user in (await ada(storage), bob):
            await let_in(storage, user)

        await erased(storage)

        assert await storage.rows("sessions", "user_id") == [(bob.id,)]
        assert await storage.rows("one_time_tokens", "user_id") == [(bob.id,)]

    async def test_deletes_the_answers_that_hold_the_orders(self, storage: Storage) -> None:
        await storage.keep(a_user())
        mine, hers_too, other = (Once(principal=who, route="POST /orders", key=who, fingerprint="f" * 64) for who in
                                 (f"user:{(await ada(storage)).id}", "key:shop", "key:other"))  # fmt: skip
        async with storage.unit() as unit:
            await unit.answers.keep(mine, lambda: '{"id": "1"}', at=NOON)
            await unit.answers.keep(hers_too, lambda: '{"id": "2", "customer_email": "ADA@example.com"}', at=NOON)
            await unit.answers.keep(other, lambda: '{"id": "3", "customer_email": "granada@example.com"}', at=NOON)
            await unit.commit()

        await erased(storage)

        assert await storage.rows("idempotency_keys", "principal") == [("key:other",)]

    async def test_refuses_somebody_who_is_not_there_and_somebody_who_is_not_there_any_more(self, storage: Storage) -> None:
        await storage.keep(a_user())
        done = await erased(storage)

        for nobody in (done.user_id, 4711):
            with pytest.raises(UserNotFound):
                await storage.persons.erase(erasure(nobody))
        assert (await storage.the_user()).version == 2
        assert len(await storage.unit().events.recent(type="user.erased")) == 1

    async def test_refuses_the_last_who_may_use_the_back_office(self, storage: Storage) -> None:
        gone = a_user("gone@example.com", is_staff=True, is_active=False)
        await storage.keep(a_user(is_staff=True), a_user("bob@example.com", is_staff=True), gone)
        bob = await storage.persons.by_email("bob@example.com")
        assert bob is not None
        await storage.persons.erase(erasure(bob.id or 0))

        with pytest.raises(LastStaff) as caught:
            await erased(storage)

        assert isinstance(caught.value, ServiceError)
        assert caught.value.code == "last_staff"
        assert ((await ada(storage)).is_active, (await ada(storage)).version) == (True, 1)


class TestRejects:
    async def test_lose_what_they_say_of_the_person(self, storage: Storage) -> None:
        about_her = a_reject(
            2,
            number="7",
            value="Ada Lovelace",
            message="'ADA@example.com' is odd.",
            lines=((2, "7,ADA@example.com,1 Mill Lane"),),
        )
        of_another = a_reject(3, number="8", lines=((3, "8,granada@example.com,2 Mill"),))
        id, _, _ = await imported(storage, hers("1001"), rejects=[about_her, of_another])

        done = await erased(storage)

        assert done.rejects == 1
        assert await left_of_her(storage) == []
        blank, kept = [reject async for reject in storage.imports.rejects(id)]
        assert (blank.line, blank.number, blank.code, blank.value, blank.lines) == (2, "7", "quantity_out_of_range", None, ())
        assert kept == of_another

    async def test_of_somebody_else_stay_whatever_address_our_advice_names(self, storage: Storage) -> None:
        """The sentence is ours: "write an address such as ada@example.com" is about nobody."""
        of_another = a_reject(
            3,
            number="9",
            value="kai@@example.com",
            message="Write an address such as ada@example.com.",
            lines=((3, "9,kai@@"),),
        )
        id, _, _ = await imported(storage, hers("1001"), rejects=[of_another])

        assert (await erased(storage)).rejects == 0
        assert [reject async for reject in storage.imports.rejects(id)] == [of_another]

    async def test_of_an_order_of_the_person_go_where_no_address_stands(self, storage: Storage) -> None:
        rejects = [a_reject(2, number="1001", lines=((2, "1001,1 Mill Lane"),)), a_reject(3, number="9", lines=((3, "9,x"),))]
        id, _, _ = await imported(storage, hers("1001"), rejects=rejects)

        await erased(storage)

        assert [len(reject.lines) async for reject in storage.imports.rejects(id)] == [0, 1]
        assert await left_of_her(storage) == []

    async def test_are_no_example_of_a_reason_any_more(self, storage: Storage) -> None:
        about_her = a_reject(2, value="Ada Lovelace", message="Ada Lovelace is odd.", lines=((2, "7,ada@example.com"),))
        batch = a_batch(hers("1001"), rejects=[about_her])
        example = {
            "file": "f",
            "line": 2,
            "number": "13",
            "field": "quantity",
            "value": "Ada Lovelace",
            "message": "Ada Lovelace is odd.",
        }
        batch.tally.reasons["quantity_out_of_range"] = Reason(1, example)
        run = await storage.begun()
        await storage.imports.load(run, batch, at=LATER)

        await erased(storage)
        finished = await storage.imports.finish(run, at=LATER)  # whose figures were taken before

        kept = finished.tally.reasons["quantity_out_of_range"]
        assert (kept.count, kept.example["line"], kept.example["value"]) == (1, 2, None)
        assert await left_of_her(storage) == []

    async def test_of_later_imports_are_kept_without_their_words(self, storage: Storage) -> None:
        await imported(storage, hers("1001"))
        await erased(storage)
        about_her = a_reject(2, value="Ada Lovelace", message="Ada Lovelace is odd.", lines=((2, "7,'ada@example.com'"),))
        of_another = a_reject(3, lines=((3, "8,granada@example.com"),))

        id, tally, _ = await imported(storage, rejects=[about_her, of_another], sha256="2" * 64)

        blank, kept = [reject async for reject in storage.imports.rejects(id)]
        assert (blank.lines, blank.value, kept) == ((), None, of_another)
        assert tally.orders["rejected"] == 2
        assert await left_of_her(storage) == []


class TestExport:
    async def test_goes_through_orders_with_what_belongs_to_them(self, storage: Storage) -> None:
        await storage.keep(a_user(), a_user("bob@example.com"))
        user, bob = await ada(storage), await storage.persons.by_email("bob@example.com")
        assert bob is not None
        order, other = an_order(customer_id=user.id, note="Ring twice."), an_order("1002", customer_id=bob.id)
        await storage.keep(order, other, an_event(order.id, sequence=1), an_event(other.id, sequence=1))
        async with storage.unit() as unit:
            await unit.payments.append(a_movement(order.id, "9.00"))
            await unit.refunds.append(a_movement(order.id, "4.00"))
            await unit.commit()

        (purchase,) = [each async for each in storage.persons.purchases(user.id or 0, placed_by_customer=False)]

        assert (purchase.order.number, purchase.order.note, purchase.order.items) == ("1001", "Ring twice.", order.items)
        assert [str(payment.amount) for payment in purchase.payments] == ["9.00"]
        assert [str(refund.amount) for refund in purchase.refunds] == ["4.00"]
        assert [event.type for event in purchase.events] == ["order.placed"]

    async def test_leaves_out_what_came_by_other_ways_where_that_is_asked(self, storage: Storage) -> None:
        await imported(storage, hers("1001"))
        id = (await ada(storage)).id or 0

        assert [each.order.number async for each in storage.persons.purchases(id, placed_by_customer=True)] == []
        assert [each.order.number async for each in storage.persons.purchases(id, placed_by_customer=False)] == ["1001"]

    async def test_pages_through_many(self, storage: Storage) -> None:
        await imported(storage, *(hers(str(number)) for number in range(1001, 1501)))

        found = [
            each.order.number
            async for each in storage.persons.purchases((await ada(storage)).id or 0, placed_by_customer=False)
        ]

        assert sorted(found) == [str(number) for number in range(1001, 1501)]

    async def test_tells_the_accounts_own_events_and_sessions(self, storage: Storage) -> None:
        await storage.keep(a_user(password_hash="argon2$x"))
        user = await ada(storage)
        async with storage.unit() as unit:
            await unit.events.append(an_event(type="user.registered"), user=user)
            await unit.events.append(an_event(type="import.finished"))
            await unit.commit()
        await let_in(storage, user)

        events = await storage.persons.events(user.id or 0)
        (session,) = await storage.persons.sessions(user.id or 0)

        assert [event.type for event in events] == ["user.registered"]
        assert (session.created_at, session.revoked_at) == (NOON, None)
