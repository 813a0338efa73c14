"""Changing orders over HTTP: who may change what, when, and on which version it must be based."""

import asyncio
import json
from typing import Any

import pytest
from builders import an_order
from kept_orders import based_on, keep, kept, owned, story
from shop import Shop

from ordermill.orders.model import Status
from ordermill.orders.shape import order_shape
from ordermill.orders.status import ALLOWED

pytestmark = pytest.mark.anyio

PLACE = {"name": "Ada", "line1": "2 Mill Lane", "city": "Leeds", "country": "GB"}
WHOLE = {"company": None, "line2": None, "region": None, "postal_code": None, "phone": None, **PLACE}

CHANGED = {"status", "shipping_address", "billing_address", "note", "carrier", "tracking_number"}
COLUMNS = {"user_id", "channel_id", "placed_by_customer", "fingerprint", "status_set_here", "imported_version", "import_id"}
FIXED = (set(order_shape(an_order())) | COLUMNS) - CHANGED


class TestChange:
    async def test_is_one_step_of_the_version_and_tells_the_ledger(self, shop: Shop) -> None:
        order, owner = await owned(shop)

        answer = await shop.client.patch(f"/orders/{order.id}", json={"shipping_address": PLACE}, headers=based_on(owner))

        body = answer.json()
        assert (answer.status_code, answer.headers["etag"], body["version"]) == (200, '"2"', 2)
        assert body["shipping_address"] == WHOLE
        assert body == order_shape(await kept(shop, order))
        told = await story(shop, order)
        assert told[1:] == [("order.updated", f"user:{order.customer_id}", {"fields": ["shipping_address"]})]

    async def test_moves_and_writes_in_one_step(self, shop: Shop) -> None:
        order = an_order(status=Status.PROCESSING)
        await keep(shop, order)
        shipped = {
            "status": "shipped",
            "carrier": "DHL",
            "tracking_number": "JD 014",
            "note": "Fragile",
            "billing_address": PLACE,
        }

        answer = await shop.client.patch(f"/orders/{order.id}", json=shipped, headers=based_on(await shop.staff()))

        body = answer.json()
        assert (answer.status_code, body["version"]) == (200, 2)
        assert {name: body[name] for name in shipped} == {**shipped, "billing_address": WHOLE}
        told = await story(shop, order)
        assert [each[0] for each in told[1:]] == ["order.status_changed", "order.updated"]
        assert told[1][2] == {"from": "processing", "to": "shipped"}
        assert sorted(told[2][2]["fields"]) == ["billing_address", "carrier", "note", "tracking_number"]
        events = await shop.services.orders.events(order.id)
        assert [event.sequence for event in events] == [1, 2, 3]

    @pytest.mark.parametrize("body", [{}, {"note": None}, {"carrier": "DHL"}])
    async def test_of_nothing_changes_nothing(self, shop: Shop, body: dict[str, Any]) -> None:
        order = an_order(carrier="DHL")
        await keep(shop, order)

        answer = await shop.client.patch(f"/orders/{order.id}", json=body, headers=based_on(await shop.staff()))

        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
        assert (await kept(shop, order)).updated_at == order.updated_at
        assert len(await story(shop, order)) == 1

    async def test_takes_a_text_away(self, shop: Shop) -> None:
        order = an_order(note="Fragile")
        await keep(shop, order)
        answer = await shop.client.patch(f"/orders/{order.id}", json={"note": None}, headers=based_on(await shop.staff()))
        assert (answer.json()["note"], answer.json()["version"]) == (None, 2)

    @pytest.mark.parametrize(
        ("condition", "status", "code"),
        [
            (None, 428, "precondition_required"), ('"2"', 412, "stale_version"), ('W/"1"', 412, "stale_version"),
            ("1", 412, "stale_version"), ('"x"', 412, "stale_version"), ("", 412, "stale_version"),
            (f'"{10**30}"', 412, "stale_version"), ('"0"', 412, "stale_version"),
        ],
    )  # fmt: skip
    async def test_without_the_current_version_is_refused(
        self, shop: Shop, condition: str | None, status: int, code: str
    ) -> None:
        """RELIABILITY.md A8."""
        order, owner = await owned(shop)
        conditional = {} if condition is None else {"If-Match": condition}

        answer = await shop.client.patch(f"/orders/{order.id}", json={"status": "cancelled"}, headers={**owner, **conditional})

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await kept(shop, order)).version == 1
        assert len(await story(shop, order)) == 1

    @pytest.mark.parametrize("condition", ["*", '"1"', '"1", W/"9"', 'W/"9" , "1"'])
    async def test_takes_every_condition_that_holds(self, shop: Shop, condition: str) -> None:
        order, owner = await owned(shop)
        answer = await shop.client.patch(
            f"/orders/{order.id}", json={"status": "cancelled"}, headers={**owner, "If-Match": condition}
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")

    async def test_of_twenty_at_once_one_wins(self, shop: Shop) -> None:
        """RELIABILITY.md A8: with the tag that all have read."""
        order, _ = await owned(shop)
        headers = based_on(await shop.staff())

        answers = await asyncio.gather(
            *(shop.client.patch(f"/orders/{order.id}", json={"note": f"{n}"}, headers=headers) for n in range(20))
        )

        assert sorted(answer.status_code for answer in answers) == [200, *[412] * 19]
        (won,) = (answer for answer in answers if answer.status_code == 200)
        after = await kept(shop, order)
        assert (after.note, after.version) == (won.json()["note"], 2)
        assert len(await story(shop, order)) == 2

    @pytest.mark.parametrize(("start", "wanted"), [(start, wanted) for start in Status for wanted in Status])
    async def test_moves_only_where_the_picture_leads(self, shop: Shop, start: Status, wanted: Status) -> None:
        """RELIABILITY.md E5: every pair; asked for twice at once, it happens once."""
        order = an_order(status=start)
        await keep(shop, order)
        headers = based_on(await shop.staff())

        answers = await asyncio.gather(
            *(shop.client.patch(f"/orders/{order.id}", json={"status": wanted}, headers=headers) for _ in range(2))
        )

        after = await kept(shop, order)
        if wanted in ALLOWED[start]:
            assert sorted(answer.status_code for answer in answers) == [200, 412]
            assert (after.status, after.version) == (wanted, 2)
            assert [each[0] for each in await story(shop, order)] == ["order.imported", "order.status_changed"]
        else:
            assert [answer.status_code for answer in answers] == [409, 409]
            body = answers[0].json()
            assert (body["status"], body["order_status"]) == (409, start.value)
            assert (body["code"], body["allowed"]) == ("status_not_allowed", [status.value for status in ALLOWED[start]])
            assert (after.status, after.version) == (start, 1)

    @pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
    async def test_of_customers_ends_with_pending(self, shop: Shop, status: Status) -> None:
        order, owner = await owned(shop, status=status)
        answers = [
            await shop.client.patch(f"/orders/{order.id}", json=body, headers=based_on(owner))
            for body in ({"status": "cancelled"}, {"billing_address": PLACE})
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (409, "status_not_allowed"),
            (409, "addresses_settled"),
        ]
        assert answers[0].json()["allowed"] == []
        assert (await kept(shop, order)).version == 1

    @pytest.mark.parametrize(
        ("status", "code"), [("pending", 200), ("processing", 200), ("shipped", 409), ("delivered", 409), ("cancelled", 409)]
    )
    async def test_of_addresses_by_staff_ends_when_it_is_shipped(self, shop: Shop, status: str, code: int) -> None:
        order = an_order(status=Status(status))
        await keep(shop, order)
        answer = await shop.client.patch(
            f"/orders/{order.id}", json={"shipping_address": PLACE}, headers=based_on(await shop.staff())
        )
        assert answer.status_code == code

    @pytest.mark.parametrize("field", sorted(FIXED))
    async def test_of_anything_else_is_refused_by_name(self, shop: Shop, field: str) -> None:
        """RELIABILITY.md D2."""
        order = an_order()
        await keep(shop, order)

        answer = await shop.client.patch(
            f"/orders/{order.id}", json={"note": "x", field: "1"}, headers=based_on(await shop.staff())
        )

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
        assert (await kept(shop, order)).version == 1

    @pytest.mark.parametrize(
        "body",
        [
            {"status": "lost"}, {"status": None}, {"shipping_address": None}, {"shipping_address": {"line1": "x"}},
            {"note": ""}, {"note": "\0"}, {"note": "x" * 5001}, {"carrier": "x" * 101}, {"carrier": 5},
            {"tracking_number": "\ud800"}, [], None, "x",
        ],
    )  # fmt: skip
    async def test_refuses_what_cannot_be_kept(self, shop: Shop, body: Any) -> None:
        order = an_order()
        await keep(shop, order)
        headers = {**based_on(await shop.staff()), "Content-Type": "application/json"}
        answer = await shop.client.patch(f"/orders/{order.id}", content=json.dumps(body), headers=headers)
        assert answer.status_code in {400, 422}, answer.text
        assert (await kept(shop, order)).version == 1
