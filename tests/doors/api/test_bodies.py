"""The hostile bodies of RELIABILITY.md 1.2: one text has one meaning or none, alike on both databases, and never a 5xx."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import PASSWORD, Shop

from ordermill.api.bodies import Malformed, parse

pytestmark = pytest.mark.anyio

JSON: Final = {"Content-Type": "application/json"}
GOOD: Final = '{"email": "ada@example.com", "name": "Ada", "password": "a mill by the river"}'

MALFORMED: Final = {
    "nothing but a brace": b"{",
    "not a number": b'{"email": NaN}',
    "infinity": b'{"email": Infinity}',
    "minus infinity": b'{"email": -Infinity}',
    "beyond all bounds": b'{"email": 1e400}',
    "half a surrogate pair": rb'{"email": "ada@example.com", "name": "\ud800", "password": "a mill by the river"}',
    "half a pair as a name": rb'{"\uDFFF": 1}',
    "a name twice": b'{"email": "a@example.com", "email": "b@example.com"}',
    "a name twice, spelt otherwise": rb'{"email": "a@example.com", "\u0065mail": "b@example.com"}',
    "UTF-8 that is none": b'{"name": "\xff"}',
    "a surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-32": GOOD.encode("utf-32-le"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "brackets": b"[" * 100_000,
    "braces": b'{"a":' * 100_000,
    "5,000 digits": b'{"email": ' + b"9" * 5000 + b"}",
    "a comment": b'{"email": 1} // canary',
    "two values": GOOD.encode() * 2,
    "a NUL": GOOD.encode() + b"\0",
}
REFUSED: Final = {
    "no object": b"[]",
    "null": b"null",
    "a text": b'"canary"',
    "another type": b'{"email": ["canary"], "name": {"a": "canary"}, "password": true}',
    "4,000 digits": b'{"email": ' + b"9" * 4000 + b"}",
    "a field too many": GOOD.replace("}", ', "is_staff": true}').encode(),
    "a NUL inside": rb'{"email": "ada@example.com", "name": "A\u0000da", "password": "a mill by the river"}',
    "control characters": rb'{"email": "ada@example.com", "name": "A\u0007da", "password": "a mill by the river"}',
    "a long text": json.dumps({"email": "ada@example.com", "name": "x" * 100_000, "password": PASSWORD}).encode(),
    "a long name": json.dumps({"canary" * 50_000: 1}).encode(),
    "much that is wrong": json.dumps({f"field{n}": "canary" for n in range(5000)}).encode(),
    "a short password": b'{"email": "ada@example.com", "name": "Ada", "password": "canary"}',
}


async def nobody_came_of_it(shop: Shop) -> bool:
    async with shop.services._unit() as unit:
        return list(await unit.users.get_all()) == []


class TestOverHttp:
    @pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
    async def test_what_is_no_exact_json_is_malformed(self, shop: Shop, body: bytes) -> None:
        answer = await shop.client.post("/users", content=body, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "body_malformed")
        assert "canary" not in answer.text
        assert await nobody_came_of_it(shop)

    @pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
    async def test_what_says_something_else_is_refused_by_field(self, shop: Shop, body: bytes) -> None:
        answer = await shop.client.post("/users", content=body, headers=JSON)
        assert answer.status_code == 422
        assert 1 <= len(answer.json()["errors"]) <= 50
        assert all(set(each) == {"pointer", "detail", "code"} for each in answer.json()["errors"])
        assert len(answer.content) < 20_000
        assert await nobody_came_of_it(shop)

    async def test_the_pointer_finds_the_field_and_nothing_is_repeated(self, shop: Shop) -> None:
        body = {"email": "canary", "name": "", "password": "canary canary", "a/b~c": "canary"}
        answer = await shop.client.post("/users", json=body)
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
            ("/email", "email_malformed"),
            ("/name", "string_too_short"),
            ("/a~1b~0c", "extra_forbidden"),
        ]
        assert "canary" not in answer.text

    @pytest.mark.parametrize(
        "content_type",
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json", "*/*"],
    )
    async def test_another_content_type_is_a_415(self, shop: Shop, content_type: str) -> None:
        headers = {"Content-Type": content_type} if content_type else {}
        answer = await shop.client.post("/users", content=GOOD.encode(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert await nobody_came_of_it(shop)

    @pytest.mark.parametrize("content_type", ["application/json; charset=utf-16", "application/json; charset=latin-1"])
    async def test_another_encoding_is_a_415(self, shop: Shop, content_type: str) -> None:
        answer = await shop.client.post("/users", content=GOOD.encode(), headers={"Content-Type": content_type})
        assert answer.status_code == 415

    @pytest.mark.parametrize(
        "content_type", ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=utf8"]
    )
    async def test_json_by_any_of_its_names(self, shop: Shop, content_type: str) -> None:
        answer = await shop.client.post("/users", content=GOOD.encode(), headers={"Content-Type": content_type})
        assert answer.status_code == 201

    async def test_no_body_at_all_lacks_its_fields(self, shop: Shop) -> None:
        answer = await shop.client.post("/users")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")

    async def test_a_form_route_takes_forms_only(self, shop: Shop) -> None:
        answer = await shop.client.post("/auth/token", json={"username": "ada@example.com", "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "body", [b"username=%FF&password=%00", b"%ED%A0%80=1", b"&&&===", b"username=\xff\xfe", b"a=1&" * 2000]
    )
    async def test_hostile_forms_are_refused(self, shop: Shop, body: bytes) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await shop.client.post("/auth/token", content=body, headers=headers)
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize("query", ["limit=NaN", "limit=-1", "limit=201", "limit=%00", "limit=1e9", "limit=" + "9" * 5000])
    async def test_hostile_parameters_are_named_and_not_repeated(self, shop: Shop, query: str) -> None:
        answer = await shop.client.get(f"/users?{query}", headers=await shop.staff())
        assert answer.status_code == 422
        assert [each["parameter"] for each in answer.json()["errors"]] == ["limit"]
        assert len(answer.content) < 600

    async def test_parameters_that_a_route_does_not_know_are_refused(self, shop: Shop) -> None:
        """A misspelt filter would otherwise show everything."""
        product, staff = await shop.product(), await shop.staff()

        shown = await shop.client.get("/products", params={"is_actve": "true", "limit": 1, "Q": ""}, headers=staff)
        removed = await shop.client.delete(f"/products/{product['id']}?dry_run=true", headers={**staff, "If-Match": "*"})

        assert (shown.status_code, removed.status_code) == (422, 422)
        assert [(each["parameter"], each["code"]) for each in shown.json()["errors"]] == [
            ("is_actve", "extra_forbidden"), ("Q", "extra_forbidden")
        ]  # fmt: skip
        assert (await shop.client.get(f"/products/{product['id']}")).status_code == 200

    async def test_parameters_that_come_twice_are_refused(self, shop: Shop) -> None:
        """Of two filters of one name only one would hold."""
        answer = await shop.client.get("/products?sku=TEA-1&sku=JAR-1")
        assert (answer.status_code, answer.json()["errors"]) == (
            422, [{"parameter": "sku", "detail": "Write this once.", "code": "said_twice"}]
        )  # fmt: skip

    async def test_pages_for_people_take_any(self, shop: Shop) -> None:
        assert (await shop.client.get("/?utm_source=mail", headers={"Accept": "text/html"})).status_code == 200

    async def test_who_may_not_is_told_before_what_is_unknown(self, shop: Shop) -> None:
        assert (await shop.client.get("/orders?nothing=1")).status_code == 401


TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


class TestParse:
    @given(VALUES)
    def test_reads_what_was_written(self, value: Any) -> None:
        assert parse(json.dumps(value).encode()) == value
        assert parse(json.dumps(value, ensure_ascii=False).encode()) == value

    @given(st.binary(max_size=200))
    def test_never_fails(self, body: bytes) -> None:
        parse(body)

    def test_a_whole_surrogate_pair_is_a_letter(self) -> None:
        assert parse(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"

    def test_half_a_pair_behind_a_whole_one_is_found(self) -> None:
        assert isinstance(parse(rb'["\ud83d\ude00", "\ude00\ud83d"]'), Malformed)
