"""What people may send: accounts to register, orders to place; and the names that `import ordermill` gives."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import ordermill
from ordermill import OrderCreate, OrderItem, UserCreate, UserResponse
from ordermill.accounts.model import User
from ordermill.imports.validate import texts
from ordermill.kit.text import email_key
from ordermill.orders.model import Address

ADDRESS = {"line1": "1 Mill Lane", "city": "York", "country": "GB"}


def user(**differences: Any) -> UserCreate:
    values = {"email": "ada@example.com", "name": "Ada", "password": "engine of brass"} | differences
    return UserCreate.model_validate(values)


def item(**differences: Any) -> OrderItem:
    return OrderItem.model_validate({"product_id": 7, "quantity": 2, "unit_price": "4.50"} | differences)


def order(**differences: Any) -> OrderCreate:
    values = {"items": [{"product_id": 7, "quantity": 2, "unit_price": "4.50"}], "shipping_address": ADDRESS} | differences
    return OrderCreate.model_validate(values)


def refused(build: Callable[..., BaseModel], **differences: Any) -> list[tuple[tuple[int | str, ...], str]]:
    """Return where and why the draft is refused."""
    with pytest.raises(ValidationError) as caught:
        build(**differences)
    return [(error["loc"], error["type"]) for error in caught.value.errors(include_input=False)]


class TestUserCreate:
    def test_strips_space_around_address_and_name(self) -> None:
        draft = user(email=" ada@example.com\n", name="  Ada  ")

        assert (draft.email, draft.name) == ("ada@example.com", "Ada")

    @pytest.mark.parametrize(
        "email",
        [
            "ada@example.com",
            "ada+shop@mail.example.co.uk",
            "o'neill@example.org",
            "17850@online-retail.invalid",
            "ada@localhost",
            "jörg@müller.example",
            "ada@हिन्दी.example",
            "a" * 64 + "@example.com",
        ],
    )
    def test_takes_what_has_the_form_of_an_address(self, email: str) -> None:
        assert user(email=email).email == email

    @pytest.mark.parametrize(
        "email",
        [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@@example.com",
            "ada lovelace@example.com",
            "ada@example..com",
            "ada@-example.com",
            "ada@example.com.",
            '"ada"@example.com',
            "ada,eve@example.com",
            "Ada <ada@example.com>",
            "a" * 65 + "@example.com",
            "ada@" + "a" * 64 + ".com",
            "ada@" + ".".join(["a" * 60] * 5),
        ],
    )
    def test_refuses_what_has_not(self, email: str) -> None:
        assert refused(user, email=email) == [(("email",), "email_malformed")]

    @given(st.text('aß1.-_@+ "<é\u0301कि²\u00a0', max_size=12))
    def test_addresses_have_one_rule_here_and_in_order_files(self, email: str) -> None:
        stripped = email.strip()
        in_files = not texts.malformed_emails(pl.Series([stripped], dtype=pl.String)).item()

        try:
            here = bool(user(email=email))
        except ValidationError:
            here = False

        assert here == in_files

    def test_takes_an_address_whose_key_is_longer_than_itself(self) -> None:
        """Folding the case of some letters makes two of one; the key's column is wide enough for it."""
        email = "ß" * 64 + "@" + ".".join(["a" * 60] * 3)

        assert (len(email), len(email_key(email))) == (247, 311)
        assert user(email=email).email == email

    @pytest.mark.parametrize("name", ["A", "Ada\tLovelace", "佐藤 花子", "x" * 100, "👩‍🔬"])
    def test_takes_a_name_of_1_to_100_symbols(self, name: str) -> None:
        assert user(name=name).name == name

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("", "string_too_short"),
            (" \n ", "string_too_short"),
            ("x" * 101, "string_too_long"),
            ("Ada\0", "text_not_storable"),
            ("Ada\x07", "text_not_storable"),
            ("Ada\ud800", "string_unicode"),
            (7, "string_type"),
            (None, "string_type"),
        ],
    )
    def test_refuses_other_names(self, name: object, reason: str) -> None:
        assert refused(user, name=name) == [(("name",), reason)]

    def test_refuses_fields_it_does_not_know(self) -> None:
        assert refused(user, is_staff=True) == [(("is_staff",), "extra_forbidden")]

    def test_shows_the_password_nowhere(self) -> None:
        draft = user(password="canary-password")
        with pytest.raises(ValidationError) as caught:
            UserCreate.model_validate({"email": "ada@example.com", "password": "canary-password"})

        assert "canary" not in f"{draft!r} {draft} {draft.model_dump_json()} {caught.value!r} {caught.value}"


class TestUserResponse:
    def test_shows_five_things_of_an_account(self) -> None:
        account = User(id=7, email="ada@example.com", name="Ada", created_at=datetime(2026, 11, 22, 10, tzinfo=UTC))
        account.password_hash = "canary"  # not one

        assert UserResponse.model_validate(account).model_dump_json() == (
            '{"id":7,"email":"ada@example.com","name":"Ada","is_active":true,"created_at":"2026-11-22T10:00:00Z"}'
        )


class TestOrderItem:
    def test_total_is_quantity_times_unit_price(self) -> None:
        assert item(quantity=3, unit_price="0.10").total == Decimal("0.30")

    @pytest.mark.parametrize(
        ("sent", "price"),
        [("4.50", "4.50"), ("0", "0"), (12, "12"), ("1.234", "1.234"), ("-0", "0"), ("999999999999", "999999999999")],
    )
    def test_takes_prices_as_decimal_strings_and_whole_numbers(self, sent: object, price: str) -> None:
        assert str(item(unit_price=sent).unit_price) == price

    @pytest.mark.parametrize(
        ("sent", "reason"),
        [
            (4.5, "amount_not_exact"),
            (True, "amount_not_exact"),
            (float("nan"), "amount_not_exact"),
            ("NaN", "amount_malformed"),
            ("1_000", "amount_malformed"),
            ("١٢", "amount_malformed"),
            ("1e3", "amount_malformed"),
            ("", "amount_malformed"),
            (None, "amount_malformed"),
            ("-0.01", "greater_than_equal"),
            ("1.2345", "decimal_max_places"),
            ("1000000000000", "less_than"),
        ],
    )
    def test_refuses_other_prices(self, sent: object, reason: str) -> None:
        assert refused(item, unit_price=sent) == [(("unit_price",), reason)]

    def test_refuses_a_json_number_with_a_point(self) -> None:
        with pytest.raises(ValidationError, match="not exact"):
            OrderItem.model_validate_json('{"product_id": 7, "quantity": 2, "unit_price": 4.50}')

    @pytest.mark.parametrize("quantity", [1, 100])
    def test_takes_1_to_100_pieces(self, quantity: int) -> None:
        assert item(quantity=quantity).quantity == quantity

    @pytest.mark.parametrize("quantity", [0, -1, 101, True, "5", 5.0, None])
    def test_refuses_other_quantities(self, quantity: object) -> None:
        assert [where for where, _ in refused(item, quantity=quantity)] == [("quantity",)]

    @pytest.mark.parametrize("product", [0, 2**63, True, "7", 7.0])
    def test_refuses_what_is_no_id_of_a_product(self, product: object) -> None:
        assert [where for where, _ in refused(item, product_id=product)] == [("product_id",)]


class TestOrderCreate:
    def test_needs_items_and_a_shipping_address_only(self) -> None:
        draft = order()

        assert (draft.customer_email, draft.discount_code, draft.note, draft.shipping, draft.tax) == (None,) * 5
        assert draft.shipping_address.address() == Address(line1="1 Mill Lane", city="York", country="GB")

    @pytest.mark.parametrize("sent", [{}, {"billing_address": None}])
    def test_sends_the_bill_where_the_goods_go(self, sent: dict[str, None]) -> None:
        draft = order(**sent)

        assert draft.billing_address == draft.shipping_address

    def test_may_send_the_bill_elsewhere(self) -> None:
        assert order(billing_address=ADDRESS | {"city": "Leeds"}).billing_address.city == "Leeds"

    @pytest.mark.parametrize("part", ["line1", "city", "country"])
    def test_refuses_an_address_where_nothing_can_be_sent(self, part: str) -> None:
        incomplete = {name: value for name, value in ADDRESS.items() if name != part}

        assert refused(order, billing_address=incomplete) == [(("billing_address", part), "missing")]
        assert refused(order, shipping_address=incomplete) == [(("shipping_address", part), "missing")]

    @pytest.mark.parametrize("country", ["gb", "GBR", "United Kingdom", "G", "GB\n"])
    def test_refuses_a_country_that_is_no_code(self, country: str) -> None:
        sent = ADDRESS | {"country": country}

        assert (("shipping_address", "country"), "string_pattern_mismatch") in refused(order, shipping_address=sent)

    def test_takes_50_items(self) -> None:
        assert len(order(items=[item(product_id=n).model_dump() for n in range(1, 51)]).items) == 50

    @pytest.mark.parametrize(("count", "reason"), [(0, "too_short"), (51, "too_long")])
    def test_refuses_no_items_and_51(self, count: int, reason: str) -> None:
        items = [item(product_id=n).model_dump() for n in range(1, count + 1)]

        assert refused(order, items=items) == [(("items",), reason)]

    def test_refuses_a_product_twice(self) -> None:
        twice = [item(quantity=1).model_dump(), item(product_id=8).model_dump(), item(quantity=2).model_dump()]

        assert refused(order, items=twice) == [((), "repeated_product")]

    @pytest.mark.parametrize("code", ["SPRING", "SPRING2026", "123456"])
    def test_takes_discount_codes_of_6_to_10_capitals_and_digits(self, code: str) -> None:
        assert order(discount_code=code).discount_code == code

    @pytest.mark.parametrize("code", ["SPRIN", "SPRING20261", "spring", "SPRING 26", "SPRING\n", "ÄÖÜÄÖÜ", "١٢٣٤٥٦", ""])
    def test_refuses_other_discount_codes(self, code: str) -> None:
        assert refused(order, discount_code=code) == [(("discount_code",), "string_pattern_mismatch")]

    @pytest.mark.parametrize("amount", ["shipping", "tax"])
    def test_takes_exact_amounts_for_shipping_and_tax(self, amount: str) -> None:
        assert getattr(order(**{amount: "3.90"}), amount) == Decimal("3.90")
        assert refused(order, **{amount: 3.9}) == [((amount,), "amount_not_exact")]
        assert refused(order, **{amount: "-1"}) == [((amount,), "greater_than_equal")]

    def test_keeps_a_note_of_several_lines(self) -> None:
        assert order(note="Ring twice.\r\nThen wait.\t").note == "Ring twice.\r\nThen wait."

    def test_refuses_a_note_that_no_database_holds(self) -> None:
        assert refused(order, note="Ring\0twice") == [(("note",), "text_not_storable")]

    @pytest.mark.parametrize("field", ["total", "status", "customer_id", "currency", "channel"])
    def test_refuses_fields_that_are_not_the_buyers_to_send(self, field: str) -> None:
        assert refused(order, **{field: "1"}) == [((field,), "extra_forbidden")]

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            order().items[0].quantity = 3


class TestPublicNames:
    @pytest.mark.parametrize("name", ordermill.__all__)
    def test_each_is_the_thing_itself(self, name: str) -> None:
        value = getattr(ordermill, name)

        assert value.__name__ == name
        assert value is getattr(importlib.import_module(value.__module__), name)

    def test_all_are_listed(self) -> None:
        assert set(ordermill.__all__) < set(dir(ordermill))

    def test_others_are_missed_as_in_any_module(self) -> None:
        with pytest.raises(AttributeError, match="no attribute 'Repositry'"):
            _ = ordermill.Repositry  # type: ignore[attr-defined]  # that is the point

    def test_importing_the_package_imports_nothing_else(self) -> None:
        program = "import sys, ordermill; print([m for m in sys.modules if m.startswith(('ordermill.', 'pydantic', 'argon2'))])"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

        assert done.stdout == "[]\n"
