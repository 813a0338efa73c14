"""
Who may do what: every role at every route of the application, in one table (RELIABILITY.md D1, D4, D6, D8).

A route that is added without a row here fails.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pytest
from crowd import BODIES, NO_ENTITY, NO_USER, ROLES, Crowd

pytestmark = pytest.mark.anyio

# What each gets who sends a good request of each route. Ids are of an order of `owner`, which staff placed, and of other
# things of the shop's. Requests come from elsewhere, so that documentation and figures are not open to them.
#   `revoked`      a staff key, until it was revoked
#   `demoted`      signed in as staff, who is not staff any more
#   `deactivated`  signed in with an account that is closed since: believed for 15 minutes, in which they see nothing
#   `unverified`   has not proved the address
WHO_MAY: Final = {
    #                                   nobody garbage revoked demoted deactiv. buyer unverif. owner storefr. read key   staff
    "POST /auth/token":                  "200  200     200     200     200     200     200     200    200    200    200    200",
    "POST /auth/refresh":                "401  401     401     401     401     401     401     401    401    401    401    401",
    "POST /auth/logout":                 "204  204     204     204     204     204     204     204    204    204    204    204",
    "POST /auth/verify-email/request":   "202  401     401     202     202     202     202     202    202    202    202    202",
    "POST /auth/verify-email":           "422  422     422     422     422     422     422     422    422    422    422    422",
    "POST /auth/password-reset/request": "202  202     202     202     202     202     202     202    202    202    202    202",
    "POST /auth/password-reset":         "422  422     422     422     422     422     422     422    422    422    422    422",
    "POST /setup":                       "422  422     422     422     422     422     422     422    422    422    422    422",
    "POST /users":                       "201  201     201     201     201     201     201     201    201    201    201    201",
    "GET /users/me":                     "401  401     401     200     401     200     200     200    403    403    403    200",
    "PATCH /users/me":                   "401  401     401     200     401     200     200     200    403    403    403    200",
    "DELETE /users/me":                  "401  401     401     422     401     422     422     422    403    403    403    422",
    "GET /users/me/statistics":          "401  401     401     200     401     200     200     200    403    403    403    200",
    "GET /users/me/export":              "401  401     401     200     401     200     200     200    403    403    403    200",
    "GET /users":                        "401  401     401     403     403     403     403     403    403    200    200    200",
    "GET /users/{id}":                   "401  401     401     403     403     403     403     403    403    200    200    200",
    "GET /users/{id}/statistics":        "401  401     401     403     403     403     403     403    403    200    200    200",
    "GET /users/{id}/export":            "401  401     401     403     403     403     403     403    403    200    200    200",
    "PATCH /users/{id}":                 "401  401     401     403     403     403     403     403    403    403    200    200",
    "DELETE /users/{id}":                "401  401     401     403     403     403     403     403    403    403    204    204",
    "GET /api-keys":                     "401  401     401     403     403     403     403     403    403    403    200    200",
    "POST /api-keys":                    "401  401     401     403     403     403     403     403    403    403    201    201",
    "DELETE /api-keys/{id}":             "401  401     401     403     403     403     403     403    403    403    204    204",
    "GET /products":                     "200  401     401     200     200     200     200     200    200    200    200    200",
    "GET /products/{id}":                "200  401     401     200     200     200     200     200    200    200    200    200",
    "POST /products":                    "401  401     401     403     403     403     403     403    403    403    201    201",
    "PATCH /products/{id}":              "401  401     401     403     403     403     403     403    403    403    200    200",
    "DELETE /products/{id}":             "401  401     401     403     403     403     403     403    403    403    204    204",
    "GET /discounts":                    "401  401     401     403     403     403     403     403    403    200    200    200",
    "GET /discounts/{id}":               "401  401     401     403     403     403     403     403    403    200    200    200",
    "POST /discounts":                   "401  401     401     403     403     403     403     403    403    403    201    201",
    "PATCH /discounts/{id}":             "401  401     401     403     403     403     403     403    403    403    200    200",
    "POST /orders/quote":                "401  401     401     200     403     200     200     200    200    403    200    200",
    "POST /orders":                      "401  401     401     201     403     201     201     201    201    403    201    201",
    "GET /orders":                       "401  401     401     200     200     200     200     200    403    200    200    200",
    "GET /orders/{id}":                  "401  401     401     404     404     404     404     200    403    200    200    200",
    "PATCH /orders/{id}":                "401  401     401     404     404     404     404     200    403    403    200    200",
    "GET /orders/{id}/events":           "401  401     401     404     404     404     404     200    403    200    200    200",
    "GET /orders/{id}/payments":         "401  401     401     403     403     403     403     403    403    200    200    200",
    "POST /orders/{id}/payments":        "401  401     401     403     403     403     403     403    403    403    201    201",
    "GET /orders/{id}/refunds":          "401  401     401     403     403     403     403     403    403    200    200    200",
    "POST /orders/{id}/refunds":         "401  401     401     403     403     403     403     403    403    403    201    201",
    "GET /imports":                      "401  401     401     403     403     403     403     403    403    200    200    200",
    "POST /imports":                     "401  401     401     403     403     403     403     403    403    403    200    200",
    "GET /imports/{id}":                 "401  401     401     403     403     403     403     403    403    200    200    200",
    "GET /imports/{id}/rejects":         "401  401     401     403     403     403     403     403    403    200    200    200",
    "POST /imports/{id}/undo":           "401  401     401     403     403     403     403     403    403    403    202    202",
    "GET /metrics":                      "401  401     401     403     403     403     403     403    403    200    200    200",
    "GET /openapi.json":                 "401  401     401     403     403     403     403     403    403    200    200    200",
    "GET /":                             "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /docs":                         "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /docs/{name}":                  "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /livez":                        "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /readyz":                       "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /verify-email":                 "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /reset-password":               "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /setup":                        "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /account-pages.css":            "200  200     200     200     200     200     200     200    200    200    200    200",
    "GET /account-pages.js":             "200  200     200     200     200     200     200     200    200    200    200    200",
}  # fmt: skip
OWN: Final[dict[str, Callable[[Crowd], Awaitable[str]]]] = {
    # What is gone or otherwise afterwards is made for each request.
    "DELETE /users/{id}": Crowd.extra_user,
    "DELETE /products/{id}": Crowd.extra_product,
    "DELETE /api-keys/{id}": Crowd.extra_key,
    "POST /imports/{id}/undo": Crowd.extra_import,
}
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY")


def expected(route: str) -> dict[str, int]:
    return dict(zip(ROLES, map(int, WHO_MAY[route].split()), strict=True))


def refused(route: str) -> list[tuple[str, int]]:
    """
    Return who is refused by a route for what they are, and how.

    Not the one whose account is closed: a user's token is believed for its 15 minutes, and what they send is looked at before
    their account is.
    """
    return [(role, status) for role, status in expected(route).items() if status in {401, 403} and role != "deactivated"]


def same(one: httpx.Response, other: httpx.Response) -> bool:
    """
    Whether two answers are byte for byte the same, but for the request's own id and what is left of somebody's quota.

    A product's number, which may be part of the sentence, is only what was asked for.
    """

    def told(answer: httpx.Response) -> Any:
        id = answer.headers["x-request-id"]
        ignored = {"x-request-id", "ratelimit", "content-length"}
        headers = [pair for pair in answer.headers.multi_items() if pair[0] not in ignored]
        asked = answer.request.url.path.removeprefix("/products/")
        return (
            answer.status_code,
            headers,
            answer.content.replace(id.encode(), b"").replace(b"product %b." % asked.encode(), b""),
        )

    return bool(told(one) == told(other))


class TestWhoMay:
    def test_every_route_has_a_row_and_no_row_is_of_yesterday(self, crowd: Crowd) -> None:
        routes: list[Any] = list(crowd.shop.app.router.routes)
        known = {f"{method} {route.path}" for route in routes for method in route.methods if method != "HEAD"}
        assert known == set(WHO_MAY)

    async def test_each_gets_what_the_table_says(self, crowd: Crowd) -> None:
        wrong = []
        for route in WHO_MAY:
            for role, status in expected(route).items():
                id = await OWN[route](crowd) if route in OWN and status not in {401, 403} else None
                answer = await crowd.ask(route, role, id=id)
                if answer.status_code != status:
                    wrong.append((route, role, status, answer.status_code, answer.text[:200]))
        assert not wrong

    async def test_head_is_refused_where_get_is(self, crowd: Crowd) -> None:
        wrong = []
        for route in [route for route in WHO_MAY if route.startswith("GET ")]:
            for role, status in expected(route).items():
                answer = await crowd.ask(route.replace("GET", "HEAD"), role)
                if (answer.status_code, answer.content) != (status, b""):
                    wrong.append((route, role, status, answer.status_code))
        assert not wrong


class TestMethods:
    async def test_options_tells_methods_and_does_nothing(self, crowd: Crowd) -> None:
        before = await crowd.storage.everything()
        for path, methods in paths().items():
            for role in ("nobody", "staff"):
                answer = await crowd.ask(f"OPTIONS {path}", role)
                assert (answer.status_code, answer.content) == (204, b""), path
                assert answer.headers["allow"].split(", ") == sorted(methods), path
        assert await crowd.storage.everything() == before

    async def test_any_other_is_a_405_that_names_all_that_there_are(self, crowd: Crowd) -> None:
        for path, methods in paths().items():
            for method in [method for method in METHODS if method not in methods]:
                answer = await crowd.ask(f"{method} {path}", "staff", headers={"X-Canary": "canary"})
                assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), (method, path)
                assert answer.headers["allow"].split(", ") == sorted(methods), (method, path)
                assert "canary" not in answer.text

    async def test_a_slash_more_is_no_path_of_ours_and_nobody_is_sent_elsewhere(self, crowd: Crowd) -> None:
        for path, methods in paths().items():
            for method in methods - {"OPTIONS"} if path != "/" else ():
                answer = await crowd.ask(f"{method} {path}/", "staff")
                assert (answer.status_code, "location" in answer.headers) == (404, False), (method, path)


class TestWhoMayNot:
    async def test_is_told_before_the_body_is_looked_at(self, crowd: Crowd) -> None:
        kind = {"Content-Type": "application/json"}
        bodies = (
            {"content": b'{"wrong": ', "headers": kind},
            {"content": b'{"wrong": true}', "headers": kind},
            {"content": b"x" * 1_200_000, "headers": kind},
            {"content": b"<order/>", "headers": {"Content-Type": "text/xml"}},
            {"content": b""},
        )
        for route in BODIES:
            for role, status in refused(route):
                if route == "POST /auth/refresh":
                    continue  # what is refused there is the token in the body
                for said in bodies:
                    answer = await crowd.ask(route, role, **said)
                    assert answer.status_code == status, (route, role, said.get("headers"), answer.text)

    async def test_is_told_the_same_whatever_they_ask_for(self, crowd: Crowd) -> None:
        """Nobody learns from a refusal which ids there are, and what is wrong with a query or a header."""
        for route in [route for route in WHO_MAY if "{id}" in route]:
            for role, _ in refused(route):
                answers = [
                    await crowd.ask(route, role),
                    await crowd.ask(route, role, id=missing(route)),
                    await crowd.ask(route, role, id="canary"),
                    await crowd.ask(route, role, params={"limit": "canary", "cursor": "canary"}),
                    await crowd.ask(route, role, headers={"If-Match": 'W/"7"', "If-None-Match": "*"}),
                ]
                assert all(same(answers[0], answer) for answer in answers[1:]), (route, role)

    async def test_changes_nothing(self, crowd: Crowd) -> None:
        before = await crowd.storage.everything()
        for route in BODIES:
            for role, _ in refused(route):
                await crowd.ask(route, role)
        assert await crowd.storage.everything() == before


class TestAForeignThing:
    """It is not there: for whoever may not see a thing, its id and one that nothing has give the same answer."""

    REQUESTS: Final[tuple[dict[str, Any], ...]] = (
        {},
        {"headers": {"If-Match": '"1"'}},
        {"headers": {"If-Match": '"7"'}},
        {"headers": {"If-Match": 'W/"1"'}},
        {"headers": {"If-None-Match": "*"}},
        {"headers": {"If-None-Match": '"1"'}},
        {"params": {"limit": "1"}},
    )
    CHANGES: Final[tuple[dict[str, Any], ...]] = (
        {"note": "Ring twice."},
        {"status": "cancelled"},
        {"status": "shipped"},
        {"note": 1},
        {},
    )

    @pytest.mark.parametrize("role", ["buyer", "unverified", "deactivated", "demoted"])
    async def test_an_order_of_somebody_else(self, crowd: Crowd, role: str) -> None:
        requests = [(route, said) for route in ("GET /orders/{id}", "GET /orders/{id}/events") for said in self.REQUESTS]
        for change in self.CHANGES:
            requests += [("PATCH /orders/{id}", {**said, "json": change}) for said in self.REQUESTS]
        for route, said in requests:
            theirs = await crowd.ask(route, role, **said)
            missing = await crowd.ask(route, role, id=NO_ENTITY, **said)
            assert same(theirs, missing), (route, said, theirs.text, missing.text)
            assert theirs.status_code in {404, 422, 428, 412}, (route, said)

    async def test_their_own_but_placed_by_others_before_the_address_is_verified(self, crowd: Crowd) -> None:
        theirs = await crowd.shop.order(product=crowd.product, customer_email=crowd.emails["unverified"])
        own = await crowd.ask("POST /orders", "unverified")
        for route in ("GET /orders/{id}", "GET /orders/{id}/events", "PATCH /orders/{id}"):
            hidden = await crowd.ask(route, "unverified", id=theirs["id"])
            assert same(hidden, await crowd.ask(route, "unverified", id=NO_ENTITY)), route
            assert hidden.status_code == 404
            assert (await crowd.ask(route, "unverified", id=own.json()["id"])).status_code == 200
        listed = (await crowd.ask("GET /orders", "unverified")).json()["data"]
        assert theirs["id"] not in {order["id"] for order in listed}

    async def test_lists_hold_nothing_of_others(self, crowd: Crowd) -> None:
        mine = (await crowd.ask("POST /orders", "buyer")).json()
        for filters in ({}, {"number": mine["number"]}, {"status": "pending"}, {"channel": "api"}):
            listed = (await crowd.ask("GET /orders", "buyer", params=filters)).json()["data"]
            assert mine["id"] in {order["id"] for order in listed}
            assert {order["customer_email"] for order in listed} == {crowd.emails["buyer"]}
        assert (await crowd.ask("GET /orders", "deactivated")).json()["data"] == []

    async def test_a_cursor_is_of_whoever_got_it(self, crowd: Crowd) -> None:
        for _ in range(2):
            assert (await crowd.ask("POST /orders", "owner")).status_code == 201
        cursor = (await crowd.ask("GET /orders", "owner", params={"limit": 1})).json()["next_cursor"]
        for role in ("buyer", "staff", "read"):
            answer = await crowd.ask("GET /orders", role, params={"limit": 1, "cursor": cursor})
            assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")

    @pytest.mark.parametrize("role", ["nobody", "buyer", "storefront"])
    async def test_a_product_that_is_not_for_sale(self, crowd: Crowd, role: str) -> None:
        hidden = await crowd.hidden_product()
        there = await crowd.ask("GET /products/{id}", role, id=hidden, headers={"If-None-Match": "*"})
        assert same(there, await crowd.ask("GET /products/{id}", role, id=NO_USER)), there.text
        assert there.status_code == 404

    @pytest.mark.parametrize("role", ["buyer", "storefront", "staff"])
    async def test_a_product_that_is_not_for_sale_cannot_be_told_by_ordering_it(self, crowd: Crowd, role: str) -> None:
        hidden = int(await crowd.hidden_product())
        for route in ("POST /orders", "POST /orders/quote"):
            answers = []
            for product in (hidden, int(NO_USER)):
                said = {"items": [{"product_id": product, "quantity": 1, "unit_price": "4.50"}]}
                if route == "POST /orders":
                    said["shipping_address"] = crowd.order()["shipping_address"]
                key = {"Idempotency-Key": f"hidden-{crowd.number()}"}
                answers.append(await crowd.ask(route, role, json=said, headers=key))
            answers[1]._content = answers[1].content.replace(NO_USER.encode(), str(hidden).encode())
            assert [answer.status_code for answer in answers] == [404, 404]
            assert json.loads(answers[0].content)["detail"] == json.loads(answers[1].content)["detail"]

    async def test_what_staff_ask_for_and_is_not_there_is_a_404(self, crowd: Crowd) -> None:
        for route in [route for route in WHO_MAY if "{id}" in route]:
            answer = await crowd.ask(route, "staff", id=missing(route))
            assert answer.status_code == 404, (route, answer.text)
            assert missing(route) not in answer.json()["detail"] or "orders" not in route


class TestDemotion:
    async def test_holds_from_the_next_request_on(self, crowd: Crowd) -> None:
        """RELIABILITY.md D8."""
        await crowd.account("former", staff=True)
        id = (await crowd.ask("GET /users/me", "former")).json()["id"]
        assert (await crowd.ask("GET /users", "former")).status_code == 200
        await crowd.shop.services.accounts.set_staff(id, staff=False, actor="command")
        assert (await crowd.ask("GET /users", "former")).status_code == 403


class TestDocumentation:
    """RELIABILITY.md D6: open on this machine, else as the setting says."""

    CLOSED: Final = ("GET /openapi.json", "GET /metrics")

    async def test_is_open_on_this_machine(self, crowd: Crowd) -> None:
        for route in self.CLOSED:
            assert (await crowd.shop.client.get(route.split()[1])).status_code == 200

    async def test_is_not_on_this_machine_behind_a_proxy(self, crowd: Crowd) -> None:
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            answer = await crowd.shop.client.get("/openapi.json", headers={header: "127.0.0.1"})
            assert answer.status_code == 401, header


def paths() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for route in WHO_MAY:
        method, _, path = route.partition(" ")
        found.setdefault(path, {"OPTIONS"}).update({method, "HEAD"} if method == "GET" else {method})
    return found


def missing(route: str) -> str:
    return NO_USER if route.split("/")[1] in {"users", "products", "discounts"} else NO_ENTITY
