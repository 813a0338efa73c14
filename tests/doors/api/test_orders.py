"""Orders over HTTP: who may do what, listed in pages, shown with their version. Changing them: test_order_change."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from builders import NOON, an_order
from kept_orders import MISSING, based_on, keep, kept, owned, pages
from shop import Headers, Shop

from ordermill.api.schemas.orders import EventList, OrderList, OrderResponse
from ordermill.orders.model import PaymentState, Status
from ordermill.orders.shape import order_shape

pytestmark = pytest.mark.anyio

PLACE = {"name": "Ada", "line1": "2 Mill Lane", "city": "Leeds", "country": "GB"}


class TestGet:
    async def test_answers_the_shape_with_its_version(self, shop: Shop) -> None:
        order, headers = await owned(shop)

        answer = await shop.client.get(f"/orders/{order.id}", headers=headers)

        assert (answer.status_code, answer.headers["etag"], answer.headers["content-type"]) == (200, '"1"', "application/json")
        assert answer.json() == order_shape(order)
        OrderResponse.model_validate(answer.json())

    @pytest.mark.parametrize(
        ("known", "status"),
        [('"1"', 304), ('W/"1"', 304), ('"7", "1"', 304), ("*", 304), ('"2"', 200), ("1", 200), ("", 200)],
    )
    async def test_does_not_repeat_what_the_caller_has(self, shop: Shop, known: str, status: int) -> None:
        order, headers = await owned(shop)

        answer = await shop.client.get(f"/orders/{order.id}", headers={**headers, "If-None-Match": known})

        assert (answer.status_code, answer.headers["etag"]) == (status, '"1"')
        assert bool(answer.content) is (status == 200)

    async def test_a_foreign_order_is_not_there(self, shop: Shop) -> None:
        """RELIABILITY.md D1: with the same words, but for the request's own id."""
        order, _ = await owned(shop)
        eve = await shop.signed_in(verified=True)

        bodies = []
        for id in (order.id, MISSING):
            for path in (f"/orders/{id}", f"/orders/{id}/events"):
                answer = await shop.client.get(path, headers=eve)
                assert (answer.status_code, answer.headers.get("etag")) == (404, None)
                bodies.append({name: fact for name, fact in answer.json().items() if name not in {"instance", "request_id"}})
        assert bodies == [bodies[0]] * 4
        assert bodies[0]["code"] == "order_not_found"

    async def test_hides_orders_of_an_address_that_is_not_verified(self, shop: Shop) -> None:
        headers = await shop.signed_in(email="ada@example.com")
        me = (await shop.client.get("/users/me", headers=headers)).json()
        order = an_order(customer_id=me["id"])
        await keep(shop, order)
        hidden = await shop.client.get(f"/orders/{order.id}", headers=headers)

        await shop.verify("ada@example.com")
        shown = await shop.client.get(f"/orders/{order.id}", headers=headers)

        assert (hidden.status_code, shown.status_code) == (404, 200)

    async def test_shows_a_deactivated_account_nothing_though_its_token_is_still_valid(self, shop: Shop) -> None:
        order, headers = await owned(shop)
        async with shop.services._unit() as unit:
            user = await unit.users.by_email("ada@example.com")
            assert user is not None
            user.is_active = False
            await unit.users.update(user)
            await unit.commit()

        assert (await shop.client.get(f"/orders/{order.id}", headers=headers)).status_code == 404
        assert (await shop.client.get("/orders", headers=headers)).json()["data"] == []
        changed = await shop.client.patch(f"/orders/{order.id}", json={"status": "cancelled"}, headers=based_on(headers))
        assert (changed.status_code, (await kept(shop, order)).status) == (404, Status.PENDING)


class TestWho:
    """The matrix of RELIABILITY.md D1 for orders that are there: status by role, own order and another's."""

    @pytest.mark.parametrize(
        ("method", "path", "body", "statuses"),
        [
            # nobody, owner, another user, staff, key: staff, storefront, read
            ("GET", "", None, (401, 200, 404, 200, 200, 403, 200)),
            ("GET", "/events", None, (401, 200, 404, 200, 200, 403, 200)),
            ("PATCH", "", {"shipping_address": PLACE}, (401, 200, 404, 200, 200, 403, 403)),
            ("PATCH", "", {"note": "x"}, (401, 403, 404, 200, 200, 403, 403)),
            ("PATCH", "", {"status": "processing"}, (401, 403, 404, 200, 200, 403, 403)),
            ("PATCH", "", {"status": "cancelled"}, (401, 200, 404, 200, 200, 403, 403)),
            ("PATCH", "", {"total": "0.00"}, (401, 422, 422, 422, 422, 403, 403)),
            ("GET", "/payments", None, (401, 403, 403, 200, 200, 403, 200)),
            ("GET", "/refunds", None, (401, 403, 403, 200, 200, 403, 200)),
            ("POST", "/payments", {"amount": "1.00"}, (401, 403, 403, 201, 201, 403, 403)),
            ("POST", "/refunds", {"amount": "1.00"}, (401, 403, 403, 201, 201, 403, 403)),
            ("POST", "/refunds", {"nonsense": 1}, (401, 403, 403, 422, 422, 403, 403)),
        ],
    )
    async def test_may_what(
        self, shop: Shop, method: str, path: str, body: dict[str, Any] | None, statuses: tuple[int, ...]
    ) -> None:
        order, owner = await owned(shop, paid=an_order().total, payment=PaymentState.PAID)
        roles = [
            {}, owner, await shop.signed_in(verified=True), await shop.staff(),
            *[await shop.api_key(scope) for scope in ("staff", "storefront", "read")],
        ]  # fmt: skip
        found = []
        for number, headers in enumerate(roles):
            each = an_order(f"role {number}", customer_id=order.customer_id, paid=order.paid, payment=order.payment)
            await keep(shop, each)
            conditional = {"If-Match": '"1"'} if method == "PATCH" else {}
            answer = await shop.client.request(
                method, f"/orders/{each.id}{path}", json=body, headers={**headers, **conditional}
            )
            found.append(answer.status_code)
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
                assert (await kept(shop, each)).version == 1
        assert tuple(found) == statuses

    async def test_sees_which_orders(self, shop: Shop) -> None:
        _, owner = await owned(shop)
        await keep(shop, an_order("guest's"))
        seen = {}
        for role, headers in (
            ("owner", owner),
            ("other", await shop.signed_in(verified=True)),
            ("staff", await shop.staff()),
            ("read", await shop.api_key("read")),
        ):
            answer = await shop.client.get("/orders", headers=headers)
            seen[role] = sorted(order["number"] for order in answer.json()["data"])
        both = ["1001", "guest's"]
        assert seen == {"owner": ["1001"], "other": [], "staff": both, "read": both}
        assert (await shop.client.get("/orders")).status_code == 401
        assert (await shop.client.get("/orders", headers=await shop.api_key("storefront"))).status_code == 403

    async def test_customers_look_for_nobody_by_address(self, shop: Shop) -> None:
        _, owner = await owned(shop)
        answer = await shop.client.get("/orders?customer=eve@example.com", headers=owner)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


class TestList:
    async def test_is_read_in_pages_by_its_links(self, shop: Shop) -> None:
        placed = [an_order(str(number), placed_at=NOON + timedelta(minutes=number // 2)) for number in range(5)]
        await keep(shop, *placed, an_order("elsewhere", channel="shop"))

        found = [body async for body in pages(shop, "/orders?limit=2&channel=api", await shop.staff())]

        expected = sorted(placed, key=lambda order: (order.placed_at, order.id), reverse=True)
        assert [len(body["data"]) for body in found] == [2, 2, 1]
        assert [order for body in found for order in body["data"]] == [order_shape(order) for order in expected]
        for body in found:
            OrderList.model_validate(body)

    async def test_shows_fifty_where_nothing_is_said_and_two_hundred_at_most(self, shop: Shop) -> None:
        await keep(shop, *(an_order(str(number)) for number in range(201)))
        staff = await shop.staff()
        lengths = {}
        for limit in ("", "?limit=1", "?limit=200"):
            lengths[limit] = len((await shop.client.get(f"/orders{limit}", headers=staff)).json()["data"])
        assert lengths == {"": 50, "?limit=1": 1, "?limit=200": 200}
        for limit in ("0", "201", "-1", "x", "1.5"):
            assert (await shop.client.get(f"/orders?limit={limit}", headers=staff)).status_code == 422

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ("status=shipped", ["2"]),
            ("payment=paid", ["3"]),
            ("number=2", ["2"]),
            ("customer=ADA@example.com", ["1001"]),
            ("placed_from=2026-11-22T13:00:00%2B01:00&placed_to=2026-11-22T12:01:00Z", ["1001"]),
            ("status=shipped&payment=paid", []),
        ],
    )
    async def test_takes_filters(self, shop: Shop, query: str, numbers: list[str]) -> None:
        await owned(shop)
        later = NOON + timedelta(minutes=1)
        await keep(
            shop,
            an_order("2", status=Status.SHIPPED, placed_at=later),
            an_order("3", payment=PaymentState.PAID, placed_at=later),
        )
        answer = await shop.client.get(f"/orders?{query}", headers=await shop.staff())
        assert [order["number"] for order in answer.json()["data"]] == numbers

    @pytest.mark.parametrize(
        "query",
        [
            "status=lost", "payment=later", "placed_from=yesterday", "placed_from=2026-01-01", "placed_from=1700000000",
            "placed_from=0001-01-01T00:00:00%2B14:00", "placed_to=9999-12-31T23:59:59-14:00", "number=%00",
            "channel=", "customer=", f"number={'x' * 300}",
        ],
    )  # fmt: skip
    async def test_refuses_filters_that_no_order_can_match(self, shop: Shop, query: str) -> None:
        answer = await shop.client.get(f"/orders?{query}", headers=await shop.staff())
        assert answer.status_code == 422, answer.text

    async def test_a_cursor_is_of_one_list_and_one_reader(self, shop: Shop) -> None:
        """RELIABILITY.md A9: changed, foreign, or under another filter it is refused."""
        await keep(shop, *(an_order(str(number)) for number in range(3)))
        staff = await shop.staff()
        cursor = (await shop.client.get("/orders?limit=1&channel=api", headers=staff)).json()["next_cursor"]
        changed = f"{cursor[:-1]}{'A' if cursor[-1] != 'A' else 'B'}"

        async def refused(path: str, headers: Headers) -> bool:
            answer = await shop.client.get(path, headers=headers)
            assert answer.status_code in {200, 400}
            return bool(answer.status_code == 400 and answer.json()["code"] == "cursor_invalid")

        assert await refused(f"/orders?limit=1&channel=api&cursor={cursor}", staff) is False
        assert await refused(f"/orders?limit=2&channel=api&cursor={cursor}", staff) is False
        for query in (f"cursor={cursor}", f"channel=shop&cursor={cursor}", f"channel=api&status=pending&cursor={cursor}"):
            assert await refused(f"/orders?{query}", staff) is True
        assert await refused(f"/users?cursor={cursor}", staff) is True
        assert await refused(f"/orders?channel=api&cursor={cursor}", await shop.api_key("read")) is True
        for spoilt in (changed, cursor[1:], f"{cursor}A", f"{cursor}=", "", "x", "%00", "ü", "A" * 5000):
            assert await refused(f"/orders?channel=api&cursor={spoilt}", staff) is True

    async def test_the_link_leads_within_this_server(self, shop: Shop) -> None:
        await keep(shop, *(an_order(str(number)) for number in range(2)))
        answer = await shop.client.get("/orders?limit=1&channel=api", headers=await shop.staff())
        link = urlsplit(answer.links["next"]["url"])
        assert (link.scheme, link.netloc, link.path) == ("", "", "/orders")


class TestEvents:
    async def test_are_listed_in_pages_first_things_first(self, shop: Shop) -> None:
        order, owner = await owned(shop)
        await shop.client.patch(f"/orders/{order.id}", json={"billing_address": PLACE}, headers=based_on(owner))
        await shop.client.patch(f"/orders/{order.id}", json={"status": "cancelled"}, headers=based_on(owner, 2))

        found = [body async for body in pages(shop, f"/orders/{order.id}/events?limit=2", owner)]

        told = [event for body in found for event in body["data"]]
        assert [(event["type"], event["sequence"], event["order_id"]) for event in told] == [
            ("order.imported", 1, str(order.id)),
            ("order.updated", 2, str(order.id)),
            ("order.status_changed", 3, str(order.id)),
        ]
        assert [len(body["data"]) for body in found] == [2, 1]
        for body in found:
            EventList.model_validate(body)
