"""Keys of requests: how they are written, and what makes two requests the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordermill.accounts.principal import Principal
from ordermill.kit.errors import Invalid
from ordermill.orders.draft import OrderCreate
from ordermill.orders.idempotency import KeyReused, Once, key_of

ADA = Principal(actor="user:1", user_id=1)
BODY: dict[str, Any] = {
    "items": [{"product_id": 7, "quantity": 2, "unit_price": "4.50"}],
    "shipping_address": {"name": "Ada", "line1": "1 Mill Lane", "city": "York", "country": "GB"},
}


def once(body: dict[str, Any], *, route: str = "POST /orders") -> Once:
    return Once.of(ADA, route, "k", content=OrderCreate.model_validate(body).model_dump_json())


class TestKey:
    @pytest.mark.parametrize(
        ("sent", "key"),
        [
            ([], None),
            (["abc"], "abc"),
            (['"abc"'], "abc"),
            ([' \t"abc" '], "abc"),
            (['"a\\"b\\\\c"'], 'a"b\\c'),
            (["8e03978e-40d5-43dd-bc93-6894a57f9324"], "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            (["a b; c=1"], "a b; c=1"),
            (["x" * 255], "x" * 255),
            ([f'"{"x" * 255}"'], "x" * 255),
        ],
    )
    def test_is_the_same_bare_and_as_a_quoted_string(self, sent: list[str], key: str | None) -> None:
        assert key_of(sent) == key

    @pytest.mark.parametrize(
        "sent",
        [
            [""], ['""'], ["  "], ["x" * 256], [f'"{"x" * 256}"'], ['"abc'], ['"a"b"'], ['"a\\b"'], ['"a";b=1'], ["ä"],
            ["a\x7f"], ["a\tb"], ["a", "a"],
        ],
    )  # fmt: skip
    def test_is_refused_in_any_other_form(self, sent: list[str]) -> None:
        with pytest.raises(Invalid) as caught:
            key_of(sent)

        assert caught.value.code == "idempotency_key_malformed"

    @given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255))
    def test_survives_being_quoted(self, key: str) -> None:
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')

        assert key_of([f'"{quoted}"']) == key


class TestRecall:
    def test_gives_the_answer_to_the_same_content_however_it_was_spelt(self) -> None:
        spelt = {
            "note": None,
            "shipping_address": {"country": "GB", "city": " York ", "line1": "1 Mill Lane", "name": "Ada"},
            "items": BODY["items"],
        }

        assert once(spelt).recall(once(BODY).fingerprint, "{}").body == "{}"

    @pytest.mark.parametrize(("sent", "again"), [("4.5", "4.50"), (4, "4.00"), ("0", "0.00"), ("1000", "1000.0")])
    def test_takes_equal_amounts_for_the_same(self, sent: object, again: object) -> None:
        first, second = [{**BODY, "items": [{"product_id": 7, "quantity": 2, "unit_price": price}]} for price in (sent, again)]

        assert once(second).recall(once(first).fingerprint, "{}").body == "{}"

    @pytest.mark.parametrize(
        "changed",
        [
            {"items": [{"product_id": 8, "quantity": 2, "unit_price": "4.50"}]},
            {"items": [{"product_id": 7, "quantity": 3, "unit_price": "4.50"}]},
            {"items": [{"product_id": 7, "quantity": 2, "unit_price": "4.51"}]},
            {"items": [*BODY["items"], {"product_id": 8, "quantity": 1, "unit_price": "1.00"}]},
            {"shipping_address": {**BODY["shipping_address"], "city": "Leeds"}},
            {"shipping_address": {**BODY["shipping_address"], "phone": "1"}},
            {"billing_address": {**BODY["shipping_address"], "line1": "2 Mill Lane"}},
            {"customer_email": "ada@example.com"},
            {"discount_code": "SPRING10"},
            {"note": "Ring"},
            {"shipping": "0.00"},
            {"tax": "0.00"},
        ],
    )
    def test_refuses_every_other_content(self, changed: dict[str, Any]) -> None:
        """RELIABILITY.md A2."""
        with pytest.raises(KeyReused):
            once({**BODY, **changed}).recall(once(BODY).fingerprint, "{}")

    @given(
        st.sampled_from(["name", "company", "line1", "line2", "city", "region", "postal_code", "phone"]),
        st.text("abcXYZ", min_size=1),
    )
    def test_refuses_an_address_that_differs_anywhere(self, field: str, text: str) -> None:
        address = {**BODY["shipping_address"], field: f"{text}!"}

        with pytest.raises(KeyReused):
            once({**BODY, "shipping_address": address}).recall(once(BODY).fingerprint, "{}")

    def test_refuses_the_same_content_on_another_route(self) -> None:
        with pytest.raises(KeyReused):
            once(BODY, route="POST /other").recall(once(BODY).fingerprint, "{}")
