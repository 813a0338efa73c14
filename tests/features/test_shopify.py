"""What Shopify's orders CSV says: rows that continue an order, words for states, taxes, and what a discount was on."""

from typing import Any

import polars as pl
import pytest

from ordermill.imports.formats.shopify import FORMAT as SHOPIFY


def read(*rows: dict[str, str]) -> list[dict[str, Any]]:
    """Read rows of an export; what a row leaves out is empty, and the first is on line 2."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    raw = pl.DataFrame([{name: row.get(name, "") for name in columns} for row in rows])
    return SHOPIFY.read(raw.with_row_index("_line", offset=2)).to_dicts()


FIRST = {
    "Name": "#1001",
    "Email": "ada@example.com",
    "Financial Status": "paid",
    "Fulfillment Status": "unfulfilled",
    "Currency": "USD",
    "Subtotal": "30.00",
    "Shipping": "5.00",
    "Taxes": "2.00",
    "Total": "37.00",
    "Discount Amount": "0.00",
    "Created at": "2025-12-06 10:36:17 -0500",
    "Lineitem quantity": "2",
    "Lineitem price": "15.00",
}


def shopify_row(**changes: str) -> dict[str, Any]:
    """Read one order of one line; keywords name columns, with underscores for spaces."""
    (row,) = read(FIRST | {name.replace("_", " "): value for name, value in changes.items()})
    return row


class TestShopify:
    def test_reads_an_order_and_its_continuation_row(self) -> None:
        more = {"Name": "#1001", "Email": "ada@example.com", "Created at": FIRST["Created at"], "Lineitem quantity": "1"}

        first, second = read(FIRST, more)

        assert (first["number"], first["source_total"], first["unit_price"]) == ("#1001", "37.00", "15.00")
        assert {name: value for name, value in second.items() if value is not None} == {
            "_line": 3,
            "number": "#1001",
            "customer_email": "ada@example.com",
            "placed_at": "2025-12-06 10:36:17 -0500",
            "quantity": "1",
        }

    def test_an_older_export_lacks_columns_and_is_read_all_the_same(self) -> None:
        row = shopify_row()

        assert (row["external_id"], row["item_discount"], row["billing_city"], row["refunded"]) == (None, None, None, None)

    def test_takes_apostrophes_off_postal_codes_and_phones_only(self) -> None:
        row = shopify_row(Shipping_Zip="'01234", Billing_Phone="'+316", Shipping_City="'s Gravenhage", Billing_Zip="'")

        assert (row["shipping_postal_code"], row["billing_phone"], row["shipping_city"]) == ("01234", "+316", "'s Gravenhage")
        assert row["billing_postal_code"] is None

    def test_falls_back_to_street_and_province_name(self) -> None:
        row = shopify_row(Shipping_Street="1 Mill Lane", Shipping_Address1="", Shipping_Province_Name="Oregon")

        assert (row["shipping_line1"], row["shipping_region"]) == ("1 Mill Lane", "Oregon")

    def test_the_name_serves_where_there_is_no_sku(self) -> None:
        row = shopify_row(Lineitem_sku="", Lineitem_name="Gift wrapping " * 5)

        assert row["sku"] == ("Gift wrapping " * 5)[:64]

    @pytest.mark.parametrize(
        ("cancelled", "fulfilment", "financial", "status", "payment"),
        [
            ("2025-12-07 09:00:00 -0500", "fulfilled", "paid", "cancelled", "paid"),
            ("", "fulfilled", "pending", "shipped", "unpaid"),
            ("", "partial", "paid", "processing", "paid"),
            ("", "unfulfilled", "paid", "processing", "paid"),
            ("", "", "paid", "processing", "paid"),
            ("", "unfulfilled", "authorized", "pending", "unpaid"),
            ("", "unfulfilled", "voided", "pending", "unpaid"),
            ("", "unfulfilled", "partially_paid", "pending", "partially_paid"),
            ("", "restocked", "refunded", "pending", "refunded"),
            ("", "fulfilled", "partially_refunded", "shipped", "partially_refunded"),
        ],
    )
    def test_words_for_status_and_payment(
        self, cancelled: str, fulfilment: str, financial: str, status: str, payment: str
    ) -> None:
        row = shopify_row(Cancelled_at=cancelled, Fulfillment_Status=fulfilment, Financial_Status=financial)

        assert (row["status"], row["payment"]) == (status, payment)

    def test_an_unknown_payment_word_is_passed_on_to_be_refused(self) -> None:
        assert shopify_row(Financial_Status="Bartered")["payment"] == "bartered"

    def test_tax_on_top_of_prices(self) -> None:
        row = shopify_row()

        assert (row["tax"], row["tax_included"]) == ("2.00", None)

    def test_tax_within_prices(self) -> None:
        row = shopify_row(Total="35.00")

        assert (row["tax"], row["tax_included"]) == ("0", "2.00")

    def test_duties_are_taxes(self) -> None:
        row = shopify_row(Duties="3.50", Total="40.50")

        assert (row["tax"], row["tax_included"]) == ("5.5", None)

    def test_what_is_owed_is_not_paid(self) -> None:
        row = shopify_row(Financial_Status="partially_paid", Outstanding_Balance="17.00")

        assert row["paid"] == "20"

    @pytest.mark.parametrize("amount", ["2.0O", "9" * 40, "1,50"])
    def test_a_malformed_amount_is_passed_on_to_be_refused(self, amount: str) -> None:
        row = shopify_row(Taxes=amount, Shipping=amount, Total=amount, Discount_Amount=amount, Lineitem_price=amount)

        assert [row[name] for name in ("tax", "shipping", "source_total", "discount_beyond_items", "unit_price")] == [
            amount
        ] * 5


class TestShopifyDiscounts:
    def test_on_the_order_comes_on_top_of_the_lines_own(self) -> None:
        row = shopify_row(Subtotal="24.00", Total="31.00", Discount_Amount="4.00", Lineitem_discount="2.00")

        assert (row["discount_beyond_items"], row["item_discount"], row["shipping"]) == ("4.00", "2.00", "5.00")

    def test_on_shipping_reduces_shipping_where_it_still_holds_it(self) -> None:
        row = shopify_row(Total="32.00", Discount_Amount="5.00")

        assert (row["discount_beyond_items"], row["shipping"], row["tax"]) == ("0", "0", "2.00")

    def test_on_shipping_that_is_reduced_already_reduces_nothing(self) -> None:
        row = shopify_row(Total="32.00", Shipping="0.00", Discount_Amount="5.00")

        assert (row["discount_beyond_items"], row["shipping"]) == ("0", "0.00")

    def test_on_items_and_shipping_together_is_told_apart(self) -> None:
        row = shopify_row(Subtotal="27.00", Total="29.00", Discount_Amount="8.00")

        assert (row["discount_beyond_items"], row["shipping"]) == ("3", "0")

    def test_on_shipping_with_tax_within_prices(self) -> None:
        row = shopify_row(Total="30.00", Discount_Amount="5.00")

        assert (row["shipping"], row["tax"], row["tax_included"]) == ("0", "0", "2.00")

    def test_counts_all_rows_of_the_order_wherever_they_are(self) -> None:
        other = FIRST | {"Name": "#1002"}
        more = {"Name": "#1001", "Lineitem quantity": "3", "Lineitem price": "2.00"}

        first, *_ = read(FIRST | {"Subtotal": "36.00", "Discount Amount": "5.00", "Total": "43.00"}, other, more)

        assert (first["discount_beyond_items"], first["shipping"]) == ("0", "5.00")
