"""Every rule for an order from a file: what is accepted, what is refused, and what the refusal says."""

from datetime import UTC, datetime

import pytest
from imports_support import batch, line, refusal

from ordermill.imports.batch import Batch
from ordermill.imports.validate.countries import alpha2
from ordermill.kit.text import defect


def accepted(made: Batch) -> dict[str, object]:
    """Return the only order, having seen that nothing was refused."""
    assert made.rejects == []
    return made.orders.row(0, named=True)


class TestRefuses:
    """Each line below breaks one rule; the refusal names the code and the column."""

    @pytest.mark.parametrize(
        ("column", "value", "code"),
        [
            ("number", None, "number_missing"),
            ("number", "n" * 65, "text_too_long"),
            ("number", "10\x0001", "control_character"),
            ("external_id", "x" * 65, "text_too_long"),
            ("sku", None, "sku_missing"),
            ("sku", "   ", "sku_missing"),
            ("sku", "s" * 65, "text_too_long"),
            ("sku", "TEA\x07", "control_character"),
            ("name", "T\x85ea", "control_character"),
            ("name", "t" * 501, "text_too_long"),
            ("quantity", None, "quantity"),
            ("quantity", "0", "quantity"),
            ("quantity", "-1", "quantity"),
            ("quantity", "1.5", "quantity"),
            ("quantity", "two", "quantity"),
            ("quantity", "1e3", "quantity"),
            ("quantity", "\N{ARABIC-INDIC DIGIT TWO}", "quantity"),
            ("quantity", "1_0", "quantity"),
            ("quantity", "1000000001", "quantity"),
            ("quantity", "9" * 30, "quantity"),
            ("unit_price", None, "unit_price_missing"),
            ("unit_price", "-0.01", "amount_negative"),
            ("unit_price", "4.50001", "too_many_decimals"),
            ("unit_price", "4,50", "amount_malformed"),
            ("unit_price", "free", "amount_malformed"),
            ("unit_price", "1e3", "amount_malformed"),
            ("unit_price", "NaN", "amount_malformed"),
            ("unit_price", "1234567890123", "amount_too_large"),
            ("unit_price", "999999999999", "amount_too_large"),
            ("item_total", "9.001", "too_many_decimals"),
            ("item_total", "-9", "amount_negative"),
            ("item_discount", "0.001", "too_many_decimals"),
            ("item_discount", "9.01", "item_discount_too_large"),
            ("discount", "9.01", "discount_too_large"),
            ("discount_beyond_items", "9.01", "discount_too_large"),
            ("discount", "-1", "amount_negative"),
            ("shipping", "4.999", "too_many_decimals"),
            ("tax", "x", "amount_malformed"),
            ("tax_included", "-1", "amount_negative"),
            ("source_total", "1.001", "too_many_decimals"),
            ("paid", "-1", "amount_negative"),
            ("refunded", "0.001", "too_many_decimals"),
            ("currency", "EURO", "unknown_currency"),
            ("currency", "XXX", "unknown_currency"),
            ("status", "lost", "unknown_status"),
            ("payment", "maybe", "unknown_payment"),
            ("customer_email", "ada", "email_malformed"),
            ("customer_email", "ada@", "email_malformed"),
            ("customer_email", "ada@-example.com", "email_malformed"),
            ("customer_email", "ada@example..com", "email_malformed"),
            ("customer_email", "ada@b@example.com", "email_malformed"),
            ("customer_email", "a da@example.com", "email_malformed"),
            ("customer_email", "a" * 65 + "@example.com", "email_malformed"),
            ("customer_email", "a@" + "b" * 64 + ".com", "email_malformed"),
            ("customer_email", "a@" + "b." * 130 + "com", "text_too_long"),
            ("customer_name", "n" * 101, "text_too_long"),
            ("shipping_city", "c" * 201, "text_too_long"),
            ("note", "n\x1b[31m", "control_character"),
            ("note", "n" * 5001, "text_too_long"),
            ("placed_at", None, "placed_at_missing"),
            ("placed_at", "yesterday", "time_malformed"),
            ("placed_at", "2026-02-30T10:00:00Z", "time_malformed"),
            ("placed_at", "2026-11-22T10:00:60Z", "time_malformed"),
            ("placed_at", "2026-1-2", "time_malformed"),
            ("placed_at", "22/11/2026", "time_malformed"),
            ("placed_at", "1969-12-31T23:59:59Z", "time_out_of_range"),
            ("placed_at", "2200-01-01T00:00:00Z", "time_out_of_range"),
            ("paid_at", "soon", "time_malformed"),
            ("updated_at", "0001-01-01", "time_out_of_range"),
        ],
    )
    def test_a_line_that_breaks_a_rule(self, column: str, value: str | None, code: str) -> None:
        reject = refusal(batch(line(**{column: value})))

        named = "unit_price" if value == "999999999999" else column
        assert (reject.code, reject.field, reject.line) == (code, named.replace("_", " ").title(), 2)

    def test_a_line_without_any_item(self) -> None:
        reject = refusal(batch(line(sku=None, name=None, quantity=None, unit_price=None)))

        assert reject.code == "no_items"

    def test_two_currencies_in_one_order(self) -> None:
        reject = refusal(batch(line(), line(currency="USD", sku="POT")))

        assert (reject.code, reject.line, reject.value) == ("currency_mismatch", 3, "USD")

    def test_two_buyers_in_one_order(self) -> None:
        reject = refusal(batch(line(), line(customer_email="eve@example.com", sku="POT")))

        assert (reject.code, reject.line, reject.value) == ("email_mismatch", 3, "eve@example.com")

    def test_discounts_that_do_not_add_up(self) -> None:
        """The order says 1.00, its items 2.00."""
        reject = refusal(batch(line(discount="1.00", item_discount="2.00")))

        assert (reject.code, reject.field) == ("discount_mismatch", "Discount")

    def test_a_guest_where_guests_are_not_allowed(self) -> None:
        reject = refusal(batch(line(customer_email=None), guests=False))

        assert (reject.code, reject.field, reject.value) == ("guest_not_allowed", "Customer Email", None)

    def test_an_unknown_country_where_the_rules_say_so(self) -> None:
        reject = refusal(batch(line(shipping_country="Atlantis"), unknown_country="reject"))

        assert (reject.code, reject.value) == ("unknown_country", "Atlantis")

    def test_quantities_that_are_too_many_only_together(self) -> None:
        reject = refusal(batch(line(quantity="600000000", unit_price="0"), line(quantity="600000000", unit_price="0")))

        assert reject.code == "quantity"

    def test_amounts_that_are_too_large_only_together(self) -> None:
        large = {"quantity": "1", "unit_price": "999999999999.99"}
        reject = refusal(batch(line(**large), line(sku="POT", **large)))

        assert reject.code == "total_too_large"

    def test_a_line_that_is_no_sale_in_the_words_of_the_format(self) -> None:
        reject = refusal(batch(line(_refused="This is a cancellation.", quantity="-1")))

        assert (reject.code, reject.message, reject.field) == ("not_a_sale", "This is a cancellation.", None)

    def test_a_record_that_has_not_the_shape_of_an_order_in_the_words_of_the_format(self) -> None:
        reject = refusal(batch(line(_misshapen="The field 'items' must be a list of objects.")))

        assert (reject.code, reject.message) == ("wrong_shape", "The field 'items' must be a list of objects.")

    def test_a_malformed_record_with_all_lines_of_its_order(self) -> None:
        made = batch(line(), line(sku="POT", quantity="0"), line(number="1002"), defects={1: "malformed_quote"})

        (reject,) = made.rejects
        assert (reject.code, reject.line, reject.number, [number for number, _ in reject.lines]) == (
            "malformed_quote",
            3,
            "1001",
            [2, 3],
        )
        assert reject.message.startswith("Line 3 has a stray quotation mark")
        assert made.orders["number"].to_list() == ["1002"]


class TestSays:
    def test_what_where_and_what_to_do(self) -> None:
        reject = refusal(batch(line(quantity="-10")))

        assert reject.message == "Line 2: Quantity is '-10'; write a whole number from 1 to 1,000,000,000."

    def test_the_first_faulty_line_of_the_order(self) -> None:
        reject = refusal(batch(line(), line(unit_price="x", sku="POT"), line(quantity="0", sku="CUP")))

        assert (reject.line, reject.code, reject.number) == (3, "amount_malformed", "1001")
        assert [number for number, _ in reject.lines] == [2, 3, 4]

    def test_the_line_that_holds_the_value(self) -> None:
        """The first line says nothing about tax; the second one does."""
        reject = refusal(batch(line(tax=None), line(tax="free", sku="POT")))

        assert (reject.line, reject.value) == (3, "free")

    def test_a_long_value_shortened(self) -> None:
        reject = refusal(batch(line(unit_price="9" * 100)))

        assert reject.value == "9" * 59 + "…"

    def test_what_cannot_be_printed_as_an_escape(self) -> None:
        reject = refusal(batch(line(number="10\x00", note="\x1b[31m")))

        assert (reject.number, reject.value) == ("10\\x00", "10\\x00")
        assert reject.message == "Line 2: Number holds a control character U+0000, which cannot be stored; remove it."

    def test_each_reason_with_its_count_and_first_example(self) -> None:
        made = batch(line(quantity="0"), line(number="1002", quantity="-2"), line(number="1003"))

        reason = made.tally.reasons["quantity"]
        assert reason.count == 2
        assert reason.example == {
            "file": "orders.csv",
            "line": 2,
            "number": "1001",
            "field": "Quantity",
            "value": "0",
            "message": "Line 2: Quantity is '0'; write a whole number from 1 to 1,000,000,000.",
        }


class TestReadsQuantities:
    @pytest.mark.parametrize("text", ["6", "6.0", "6.0000", " 6 "])
    def test_whole_numbers_as_exports_write_them(self, text: str) -> None:
        made = batch(line(quantity=text), line(number="1002", quantity="1"))

        assert made.items["quantity"].to_list() == [6, 1]


class TestReadsAmounts:
    @pytest.mark.parametrize(
        ("currency", "text", "total"),
        [
            ("EUR", "4.5", 450),
            ("JPY", "450", 450),
            ("KWD", "4.125", 4125),
            ("EUR", "4.50000", 450),
            ("EUR", "999999999999", 99999999999900),
        ],
    )
    def test_in_the_minor_units_of_the_currency(self, currency: str, text: str, total: int) -> None:
        made = batch(line(currency=currency, unit_price=text, quantity="1"))

        assert accepted(made)["total"] == total

    def test_the_default_currency_where_none_is_said(self) -> None:
        assert accepted(batch(line(currency=None), currency="GBP"))["currency"] == "GBP"

    def test_a_currency_in_small_letters(self) -> None:
        assert accepted(batch(line(currency="usd"), line(currency="USD", sku="POT")))["currency"] == "USD"


class TestReadsMoments:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2025-12-06 10:36:17 -0500", datetime(2025, 12, 6, 15, 36, 17, tzinfo=UTC)),
            ("2008-01-10T11:00:00-05:00", datetime(2008, 1, 10, 16, 0, tzinfo=UTC)),
            ("2008-01-10T11:00:00+05:30", datetime(2008, 1, 10, 5, 30, tzinfo=UTC)),
            ("2025-12-06T10:36:17Z", datetime(2025, 12, 6, 10, 36, 17, tzinfo=UTC)),
            ("2025-12-06T10:36:17.123456789Z", datetime(2025, 12, 6, 10, 36, 17, 123456, tzinfo=UTC)),
            ("2025-12-06T10:36:17.5+01", datetime(2025, 12, 6, 9, 36, 17, 500000, tzinfo=UTC)),
            ("2025-12-06 10:36:17 UTC", datetime(2025, 12, 6, 10, 36, 17, tzinfo=UTC)),
            ("2025-12-06T10:36Z", datetime(2025, 12, 6, 10, 36, tzinfo=UTC)),
            ("2025-12-06 10:36 -0500", datetime(2025, 12, 6, 15, 36, tzinfo=UTC)),
            ("2025-12-06 10:36", datetime(2025, 12, 6, 9, 36, tzinfo=UTC)),
            ("2025-12-06", datetime(2025, 12, 5, 23, 0, tzinfo=UTC)),
            ("2025-07-06 10:36:17", datetime(2025, 7, 6, 8, 36, 17, tzinfo=UTC)),
            # The clocks of Berlin went back at three: the first of the two half past twos.
            ("2025-10-26 02:30:00", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ],
    )
    def test_of_every_spelling_and_local_ones_of_the_zone(self, text: str, moment: datetime) -> None:
        made = batch(line(placed_at=text), line(number="1002"), timezone="Europe/Berlin")

        assert made.orders["placed_at"].to_list() == [moment, datetime(2026, 11, 22, 10, tzinfo=UTC)]
        assert made.tally.adjustments == {}

    def test_one_that_never_was_moved_forward_and_counted(self) -> None:
        """Berlin's clocks went from two to three: half past two is half past three."""
        made = batch(line(placed_at="2025-03-30T02:30:00", paid_at="2025-03-30T02:45:00"), timezone="Europe/Berlin")

        assert accepted(made)["placed_at"] == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)
        assert made.tally.adjustments == {"nonexistent_time": 2}

    def test_the_earliest_of_several_in_one_order(self) -> None:
        made = batch(
            line(placed_at="2026-11-22 10:02:00"), line(placed_at="2026-11-22T09:00:00Z", sku="POT"), line(placed_at=None)
        )

        assert accepted(made)["placed_at"] == datetime(2026, 11, 22, 9, tzinfo=UTC)

    def test_a_later_line_that_cannot_be_read_is_refused_there(self) -> None:
        reject = refusal(batch(line(), line(placed_at="later", sku="POT")))

        assert (reject.code, reject.line) == ("time_malformed", 3)


class TestReadsAddresses:
    def test_as_one_object_with_nine_keys(self) -> None:
        order = accepted(
            batch(line(shipping_name='Ada "A" Lovelace', shipping_city="Zürich\n", shipping_country="Switzerland"))
        )

        assert order["shipping_address"] == (
            '{"name":"Ada \\"A\\" Lovelace","company":null,"line1":null,"line2":null,"city":"Zürich","region":null,'
            '"postal_code":null,"country":"CH","phone":null}'
        )
        assert order["billing_address"] is None

    def test_an_unknown_country_as_null_and_counts_it(self) -> None:
        made = batch(line(shipping_city="York", shipping_country="Atlantis", billing_country="Lemuria"))

        order = accepted(made)
        assert '"city":"York"' in str(order["shipping_address"])
        assert '"country":null' in str(order["shipping_address"])
        assert order["billing_address"] is None
        assert made.tally.adjustments == {"unknown_country": 2}

    def test_counts_nothing_for_an_order_that_is_refused(self) -> None:
        made = batch(line(shipping_country="Atlantis", quantity="0"))

        assert made.tally.adjustments == {}


class TestCountries:
    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("GB", "GB"),
            ("gb", "GB"),
            ("GBR", "GB"),
            ("UK", "GB"),
            ("United Kingdom", "GB"),
            ("England", "GB"),
            ("EIRE", "IE"),
            ("RSA", "ZA"),
            ("USA", "US"),
            ("United States", "US"),
            ("Holland", "NL"),
            ("Czech Republic", "CZ"),
            ("Cote d\N{RIGHT SINGLE QUOTATION MARK}Ivoire", "CI"),
            ("Bosnia & Herzegovina", "BA"),
            ("Channel Islands", None),
            ("European Community", None),
            ("EU", None),
            ("XX", None),
            ("", None),
        ],
    )
    def test_by_code_or_english_name(self, name: str, code: str | None) -> None:
        assert alpha2(name) == code


class TestReadsTexts:
    def test_identifiers_stripped_and_composed_case_kept(self) -> None:
        made = batch(line(number=" A-1 ", sku=" Cafe\u0301 ", channel=" shop "), line(number="2", sku="tea", external_id="7"))

        assert made.orders.select("number", "channel", "external_id").rows() == [("A-1", "shop", None), ("2", "plain", "7")]
        assert made.items["sku"].to_list() == ["Café", "tea"]

    def test_lengths_in_code_points(self) -> None:
        assert accepted(batch(line(number="é" * 64)))["number"] == "é" * 64

    def test_tabs_and_line_breaks_of_notes(self) -> None:
        assert accepted(batch(line(note="Ring\ttwice,\r\nplease")))["note"] == "Ring\ttwice,\r\nplease"

    @pytest.mark.parametrize(
        "email", ["ada@mail.invalid", "ada+tea@xn--bcher-kva.example", "o'neil@example.com", "ädä@bücher.example"]
    )
    def test_addresses_whose_existence_is_not_asked(self, email: str) -> None:
        assert accepted(batch(line(customer_email=email)))["customer_email"] == email

    def test_every_symbol_that_the_rule_for_one_text_lets_through(self) -> None:
        symbols = [chr(point) for point in (*range(1, 0x250), 0x2028, 0xFEFF, 0x1F375)]
        made = batch(*(line(number=str(index), note=f"a{symbol}b") for index, symbol in enumerate(symbols)))

        assert [int(reject.number or "") for reject in made.rejects] == [
            index for index, symbol in enumerate(symbols) if defect(symbol)
        ]

    def test_addresses_that_differ_in_case_as_one_buyer(self) -> None:
        order = accepted(
            batch(line(customer_email="Straße@Example.com"), line(customer_email="STRASSE@example.com", sku="POT"))
        )

        assert (order["customer_email"], order["customer_key"]) == ("Straße@Example.com", "strasse@example.com")

    def test_the_sku_as_name_where_there_is_none(self) -> None:
        assert batch(line(name=None)).items["name"].to_list() == ["TEA-1"]
