"""
Hostile requests at every route and every field that takes something (RELIABILITY.md 1.2, A6, A7, A10, D3, E14): never a 5xx,
always a problem document, nothing of what was sent in it or in the log, and the same answer on both databases.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

import hostile
import httpx
import pytest
from crowd import BODIES, Crowd
from structlog.testing import capture_logs

from ordermill.api.openapi import describe

pytestmark = pytest.mark.anyio

Crowds = tuple[Crowd, Crowd]
JSON: Final = {"Content-Type": "application/json"}
MARK: Final = "put it here"
JSON_ROUTES: Final = tuple(route for route in BODIES if route not in {"POST /auth/token", "POST /imports"})
# Fields that a good request of `BODIES` leaves out.
BESIDE: Final[dict[str, dict[str, Any]]] = {
    "PATCH /users/me": {"password": "x", "current_password": "x"},
    "PATCH /products/{id}": {"stock_change": 1},
    "POST /orders": {"customer_email": "x", "discount_code": "x", "shipping": "0.00", "tax": "0.00"},
    "POST /orders/quote": {"customer_email": "x", "discount_code": "x", "shipping": "0.00", "tax": "0.00"},
    "PATCH /orders/{id}": {"status": "pending", "note": "x", "carrier": "x", "tracking_number": "x"},
}
# Fields that are others' alike: of the same types, in the same models. They get a few of the values only.
ALIKE: Final = (
    "POST /setup", "PATCH /products/{id}", "PATCH /discounts/{id}", "POST /orders/quote",
    "PATCH /orders/{id} shipping_address/", "PATCH /orders/{id} billing_address/", "POST /orders billing_address/",
    "POST /orders shipping_address/c",
    "POST /orders shipping_address/line2", "POST /orders shipping_address/p", "POST /orders shipping_address/region",
    "POST /orders/{id}/refunds",
)  # fmt: skip
FEW: Final = ("null", "true", "a whole float", "2^63", "underscores", "NUL", "a long text", "an object")
Asked = tuple[str, str, dict[str, Any]]


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect everything that is logged by anybody."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"{record.getMessage()} {record.exc_info}")

    ear = Ear(logging.DEBUG)
    logging.getLogger().addHandler(ear)
    try:
        with capture_logs() as entries:
            yield heard
        heard += map(str, entries)
    finally:
        logging.getLogger().removeHandler(ear)


async def both(crowds: Crowds, asked: list[Asked]) -> list[tuple[Any, ...]]:
    """Send requests to both shops, and return what is wrong with the answers."""
    wrong: list[tuple[Any, ...]] = []
    with listening() as heard:
        for what, role, said in asked:
            route, _, _ = what.partition(" | ")
            one, other = await asyncio.gather(*(crowd.ask(route, role, **_own(crowd, said)) for crowd in crowds))
            if complaint := hostile.complaint(one) or hostile.complaint(other):
                wrong.append((what, complaint, one.status_code, one.text[:300]))
            if told(one) != told(other):
                wrong.append((what, "the databases differ", told(one), told(other)))
    assert heard
    wrong += [("in the log", line[:300]) for line in heard if hostile.CANARY in line]
    return wrong


def told(answer: httpx.Response) -> Any:
    """Return what two databases must agree upon."""
    if answer.status_code < 400:
        return answer.status_code
    body = answer.json()
    return answer.status_code, body["code"], [(error.get("pointer"), error["code"]) for error in body.get("errors", ())]


def _own(crowd: Crowd, said: dict[str, Any]) -> dict[str, Any]:
    """Let a body speak of a shop's own product, where it speaks of one."""
    content = said.get("content")
    if isinstance(content, str):
        return {**said, "content": content.replace('"product_id": 0', f'"product_id": {crowd.product["id"]}').encode()}
    return said


def bodies_with(crowd: Crowd, route: str) -> Iterator[tuple[str, str]]:
    """Yield every field of a route's body as a JSON pointer, and the body with a mark in its place."""
    whole = {**BODIES[route](crowd)["json"], **BESIDE.get(route, {})}
    for item in whole.get("items", ()):
        item["product_id"] = 0
    for path in pointers(whole):
        body = json.loads(json.dumps(BODIES[route](crowd)["json"]))
        for item in body.get("items", ()):
            item["product_id"] = 0
        place = body
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = MARK
        yield "/".join(map(str, path)), json.dumps(body)


def pointers(value: Any, inside: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in parts:
        yield (*inside, name)
        yield from pointers(inner, (*inside, name))


class TestBodies:
    async def test_every_value_in_every_field(self, crowds: Crowds) -> None:
        asked: list[Asked] = []
        for route in JSON_ROUTES:
            headers = {**JSON, "If-Match": "*"} if "PATCH" in route else JSON
            for field, body in bodies_with(crowds[0], route):
                asked += [
                    (f"{route} | {field} | {name}", "staff", {"content": body.replace(f'"{MARK}"', value), "headers": headers})
                    for name, value in hostile.VALUES.items()
                    if name in FEW or not f"{route} {field}".startswith(ALIKE)
                ]
        assert await both(crowds, asked) == []

    async def test_every_field_is_tried(self, crowds: Crowds) -> None:
        """The fields above are those of the documentation."""
        described = await asyncio.to_thread(describe, crowds[0].shop.app)
        schemas = described["components"]["schemas"]
        for route in JSON_ROUTES:
            method, _, path = route.partition(" ")
            content = described["paths"][path][method.lower()]["requestBody"]["content"]
            name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
            tried = {field for field, _ in bodies_with(crowds[0], route) if "/" not in field}
            assert tried == set(schemas[name]["properties"]), route

    async def test_bodies_that_are_no_json_with_one_meaning(self, crowds: Crowds) -> None:
        asked = [
            (f"{route} | {name}", "staff", {"content": body, "headers": JSON})
            for route in JSON_ROUTES
            for name, body in hostile.BODIES.items()
        ]
        assert await both(crowds, asked) == []
        for route in JSON_ROUTES:
            answer = await crowds[0].ask(route, "staff", content=hostile.BODIES["not a number"], headers=JSON)
            assert (answer.status_code, answer.json()["code"]) == (400, "body_malformed"), route

    async def test_bodies_of_another_form(self, crowds: Crowds) -> None:
        asked = [
            (f"{route} | {name}", "staff", {"content": body, "headers": JSON})
            for route in JSON_ROUTES
            for name, body in hostile.FORMS.items()
        ]
        assert await both(crowds, asked) == []

    async def test_other_content_types_are_a_415(self, crowds: Crowds) -> None:
        for kind in hostile.CONTENT_TYPES:
            for route in BODIES:
                if route == "POST /imports" and kind is not None and kind.startswith("multipart"):
                    continue
                headers = {} if kind is None else {"Content-Type": kind}
                answer = await crowds[0].ask(route, "staff", content=b"caNary", headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), (
                    route,
                    kind,
                    answer.text,
                )
                assert hostile.complaint(answer) is None

    async def test_a_body_over_the_limit_is_a_413_however_it_is_announced(self, crowds: Crowds) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b" " * 65536

        for route in (*JSON_ROUTES, "POST /auth/token"):
            kind = "application/x-www-form-urlencoded" if route == "POST /auth/token" else "application/json"
            for content in (b" " * 1_100_000, pieces()):
                answer = await crowds[0].ask(route, "staff", content=content, headers={"Content-Type": kind})
                assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large"), route
                assert hostile.complaint(answer) is None

    async def test_very_many_wrong_parts_cost_little(self, crowds: Crowds) -> None:
        """A megabyte of them took 12 s to be refused one by one, in which nobody else was answered."""
        bodies = {
            "items": b'{"items":[' + b"1," * 500_000 + b"1]}",
            "empty items": b'{"items":[' + b"{}," * 340_000 + b"{}]}",
            "as many as go through": b'{"items":[' + b"{}," * 19_000 + b"{}]}",
            "names": b"{" + b",".join(b'"%d":1' % number for number in range(90_000)) + b"}",
            "lists": b"[" + b"[]," * 340_000 + b"[]]",
            "digits": b'{"items":[' + (b"9" * 4000 + b",") * 250 + b"1]}",
            "a price of a million digits": b'{"items":[{"unit_price":"' + b"9" * 1_000_000 + b'"}]}',
            "a price with a vast exponent": b'{"items":[{"unit_price":"1e' + b"9" * 900_000 + b'"}]}',
            "pairs of surrogates": b'{"items":[{"unit_price":"' + rb"\ud83d\ude00" * 80_000 + b'"}]}',
        }
        for name, body in bodies.items():
            began = time.process_time()
            answer = await crowds[0].ask("POST /orders", "buyer", content=body, headers=JSON)
            assert answer.status_code in {400, 422}, name
            assert hostile.complaint(answer) is None, name
            assert time.process_time() - began < 0.5, name

    async def test_forms(self, crowds: Crowds) -> None:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        bodies = [f"{field}={value}".encode() for field in ("username", "password", "grant_type") for value in hostile.RAW]
        bodies += [
            b"caNary",
            b"",
            b"\xff\xfe",
            b"a=1&" * 5000,
            b"username=caNary&username=caNary",
            b"username=" + b"c" * 100_000,
        ]
        bodies += [httpx.QueryParams({"username": text, "password": text}).__str__().encode() for text in hostile.TEXTS]
        asked: list[Asked] = [
            (f"POST /auth/token | {body[:40]!r}", "nobody", {"content": body, "headers": kind}) for body in bodies
        ]
        assert await both(crowds, asked) == []


class TestAddresses:
    async def test_ids(self, crowds: Crowds) -> None:
        described = await asyncio.to_thread(describe, crowds[0].shop.app)
        routes = [f"{m.upper()} {path}" for path, found in described["paths"].items() if "{" in path for m in found]
        asked: list[Asked] = []
        for route in routes:
            for text in (*hostile.TEXTS[1:], *hostile.RAW[:3]):
                id = text if text in hostile.RAW else quote(text, safe="")
                asked.append((f"{route} | {text[:60]!r}", "staff", {"id": id, "headers": {"If-Match": "*"}}))
        assert await both(crowds, asked) == []

    async def test_queries(self, crowds: Crowds) -> None:
        described = await asyncio.to_thread(describe, crowds[0].shop.app)
        asked: list[Asked] = []
        for path, found in described["paths"].items():
            names = [each["name"] for each in found.get("get", {}).get("parameters", ()) if each["in"] == "query"]
            for name in names:
                asked += [(f"GET {path} | {name}={t[:60]!r}", "staff", {"params": {name: t}}) for t in hostile.TEXTS]
                asked += [(f"GET {path} | {name}={t}", "staff", {"params": f"{name}={t}"}) for t in hostile.RAW]
                asked.append((f"GET {path} | {name} twice", "staff", {"params": f"{name}=1&{name}=caNary"}))
            asked.append((f"GET {path} | a parameter of nobody's", "staff", {"params": {"caNary": "caNary"}}))
        assert await both(crowds, asked) == []


class TestHeaders:
    ROUTES: Final = ("GET /users/me", "GET /orders/{id}", "PATCH /orders/{id}", "POST /orders", "GET /products", "POST /users")

    async def test_odd_ones(self, crowds: Crowds) -> None:
        asked: list[Asked] = []
        for route in (*self.ROUTES, "POST /orders/{id}/payments", "PATCH /products/{id}", "PATCH /users/{id}"):
            for name, value in hostile.HEADERS:
                asked.append((f"{route} | {name}: {value[:40]!r}", "staff", {"headers": {name: value.encode("latin-1")}}))
        assert await both(crowds, asked) == []

    async def test_credentials_that_are_none(self, crowds: Crowds) -> None:
        for crowd in crowds:
            for route in self.ROUTES:
                for credentials in hostile.CREDENTIALS:
                    crowd.headers["hostile"] = {"Authorization": credentials.encode("latin-1")}
                    with listening() as heard:
                        answer = await crowd.ask(route, "hostile")
                    assert answer.status_code == (201 if route == "POST /users" else 401), (route, credentials, answer.text)
                    assert hostile.complaint(answer) is None, (route, credentials, answer.text)
                    assert hostile.CANARY not in str(heard), (route, credentials)


class TestPaths:
    async def test_that_are_nobodys(self, crowds: Crowds) -> None:
        odd = ("//users", "/users//me", "/uSers/me", "/users/me;caNary", "/%2e%2e/caNary",
               "/users/me%00", "/caNary@example.com", "/docs/%2e%2e%2fcaNary", "/docs/caNary.js")  # fmt: skip
        shop = httpx.URL("http://shop.test")
        for crowd in crowds:
            with listening() as heard:
                for path in odd:
                    answer = await crowd.client.get(shop.copy_with(raw_path=path.encode()), headers=crowd.headers["staff"])
                    assert (answer.status_code, hostile.complaint(answer)) == (404, None), path
            assert hostile.CANARY not in str(heard)
