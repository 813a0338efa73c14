"""Lines become orders: what an order and its items come to, what is merged, shared, filled in and counted."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imports_support import PlainDocuments, batch, line

from ordermill.imports.batch import ITEMS, LINES, ORDERS, Batch
from ordermill.imports.discounts import shares
from ordermill.imports.model import Money
from ordermill.kit.money import split


def order(made: Batch) -> dict[str, Any]:
    """Return the only order, having seen that nothing was refused."""
    assert made.rejects == []
    (row,) = made.orders.rows(named=True)
    return row


def items(made: Batch, *columns: str) -> list[tuple[Any, ...]]:
    return made.items.select(columns).rows()


class TestBatch:
    def test_has_the_columns_of_the_model(self) -> None:
        made = batch(line())

        assert dict(made.orders.schema) == ORDERS
        assert dict(made.items.schema) == ITEMS
        assert dict(made.lines.schema) == LINES

    def test_has_them_also_when_nothing_is_accepted_or_nothing_was_there(self) -> None:
        for made in (batch(line(quantity="0")), batch()):
            assert (dict(made.orders.schema), dict(made.items.schema), dict(made.lines.schema)) == (ORDERS, ITEMS, LINES)
            assert made.orders.is_empty()

    def test_numbers_orders_items_and_lines_over_what_is_accepted(self) -> None:
        made = batch(
            line(number="1"),
            line(number="2", quantity="0"),
            line(number="3", sku="A"),
            line(number="3", sku="B"),
            line(number="4"),
        )

        assert made.orders.select("row", "number", "first_line", "line_count").rows() == [
            (0, "1", 2, 1),
            (1, "3", 4, 2),
            (2, "4", 6, 1),
        ]
        assert items(made, "order", "position", "sku") == [(0, 1, "TEA-1"), (1, 1, "A"), (1, 2, "B"), (2, 1, "TEA-1")]
        assert made.lines.select("order", "line").rows() == [(0, 2), (1, 4), (1, 5), (2, 6)]
        assert made.lines["raw"].to_list()[0].startswith("1,EUR,ada@example.com")

    def test_does_not_mind_a_file_with_columns_of_the_names_used_here(self) -> None:
        made = batch(line(order="7", row="8", place="9"), line(order="7", row="8", place="9", sku="B"))

        assert items(made, "order", "sku") == [(0, "TEA-1"), (0, "B")]

    def test_brings_lines_together_that_lie_apart(self) -> None:
        made = batch(line(number="1", sku="A"), line(number="2"), line(number="1", sku="B"), line(number="2", sku="C"))

        assert items(made, "order", "sku") == [(0, "A"), (0, "B"), (1, "TEA-1"), (1, "C")]
        assert made.lines.select("order", "line").rows() == [(0, 2), (0, 4), (1, 3), (1, 5)]

    def test_takes_lines_without_a_key_for_orders_of_their_own(self) -> None:
        made = batch(line(number=None), line(number=None))

        assert [reject.line for reject in made.rejects] == [2, 3]
        assert made.tally.orders["read"] == 2

    def test_believes_the_first_line_that_says_something(self) -> None:
        made = batch(
            line(number="1", note=None),
            line(number="1", note="first", sku="B"),
            line(number="1", note="second", sku="C"),
            line(number="2", note=None),
            line(number="3", note="third"),
        )

        assert made.orders["note"].to_list() == ["first", None, "third"]


class TestTotals:
    def test_an_item_is_quantity_times_price_rounded_half_up(self) -> None:
        made = batch(
            line(quantity="3", unit_price="0.0015"),
            line(quantity="1", unit_price="0.005", sku="B"),
            line(unit_price="0.0024", quantity="2", sku="C"),
        )

        assert items(made, "unit_price", "price_scale", "total") == [(15, 100, 0), (50, 100, 1), (24, 100, 0)]
        assert order(made)["total"] == 1

    def test_a_given_total_is_the_fact_and_the_price_is_derived(self) -> None:
        made = batch(line(quantity="3", unit_price=None, item_total="10.00"))

        assert items(made, "quantity", "unit_price", "total") == [(3, 33333, 1000)]

    def test_a_given_price_that_makes_the_given_total_is_kept(self) -> None:
        made = batch(
            line(quantity="3", unit_price="3.3349", item_total="10.00"),
            line(quantity="3", unit_price="3.00", item_total="10.00", sku="B"),
        )

        assert items(made, "unit_price", "total") == [(33349, 1000), (33333, 1000)]

    def test_an_order_is_its_items_less_discount_plus_shipping_and_tax(self) -> None:
        made = batch(
            line(discount="1.00", shipping="4.90", tax="0.50", tax_included="1.20", source_total="14.00"),
            line(sku="POT", unit_price="0.60", quantity="1"),
        )

        row = order(made)
        amounts = ("subtotal", "discount", "shipping", "tax", "tax_included", "total", "source_total")
        assert [row[name] for name in amounts] == [960, 100, 490, 50, 120, 1400, 1400]

    def test_discounts_of_items_and_beyond_them(self) -> None:
        made = batch(
            line(number="1", item_discount="1.00", discount_beyond_items="0.50"),
            line(number="2", item_discount="1.00", discount="1.50"),
            line(number="3", item_discount="1.00"),
            line(number="4", item_discount="1.00", discount="1.50", discount_beyond_items="0.50"),
        )

        assert made.rejects == []
        assert made.orders["discount"].to_list() == [150, 150, 100, 150]
        assert made.items["discount"].to_list() == [150, 150, 100, 150]

    def test_a_discount_is_shared_by_what_the_items_own_discounts_leave(self) -> None:
        made = batch(line(discount="3.00", item_discount="1.00"), line(unit_price="1.00", sku="POT"))

        assert order(made)["discount"] == 300
        assert items(made, "total", "discount") == [(900, 260), (200, 40)]

    def test_one_that_takes_everything_off(self) -> None:
        assert order(batch(line(discount="9.00")))["total"] == 0


class TestMerges:
    def test_a_product_repeated_at_one_price(self) -> None:
        made = batch(line(item_discount="0.10"), line(sku="POT"), line(quantity="3", name="Green tea", item_discount="0.20"))

        assert items(made, "position", "sku", "name", "quantity", "total", "discount") == [
            (1, "TEA-1", "Tea", 5, 2250, 30),
            (2, "POT", "Tea", 2, 900, 0),
        ]
        assert (order(made)["merged"], order(made)["line_count"], made.tally.orders["merged"]) == (True, 3, 1)

    def test_keeps_another_price_another_case_and_another_order_apart(self) -> None:
        made = batch(line(), line(unit_price="4.51"), line(sku="tea-1"), line(number="1002"))

        assert made.items.height == 4
        assert (made.orders["merged"].any(), made.tally.orders["merged"]) == (False, 0)

    def test_rounds_once_for_all_pieces(self) -> None:
        """Three times 0.005 is 0.02, not three times 0.01."""
        piece = line(unit_price="0.005", quantity="1")

        assert items(batch(piece, piece, piece), "quantity", "total") == [(3, 2)]

    def test_adds_up_totals_that_the_file_gives(self) -> None:
        """Twice 0.01 for a piece at 0.005 stays 0.02, and the price is what makes that true."""
        piece = line(unit_price="0.005", quantity="1", item_total="0.01")

        assert items(batch(piece, piece, piece), "quantity", "unit_price", "total") == [(3, 100, 3)]

    def test_nothing_where_the_rules_say_so(self) -> None:
        made = batch(line(), line(), merge=False)

        assert items(made, "position", "quantity") == [(1, 2), (2, 2)]
        assert made.tally.orders["merged"] == 0


class TestPayment:
    """An order of 9.00; what the file says of its payment, and what that means."""

    @pytest.mark.parametrize(
        ("payment", "paid", "refunded", "state"),
        [
            (None, None, None, ("unpaid", 0, 0)),
            (None, "0", None, ("unpaid", 0, 0)),
            (None, "4.00", None, ("partially_paid", 400, 0)),
            (None, "9.00", None, ("paid", 900, 0)),
            (None, None, "4.00", ("partially_refunded", 900, 400)),
            (None, "9.00", "9.00", ("refunded", 900, 900)),
            (None, "5.00", "5.00", ("refunded", 500, 500)),
            ("paid", None, None, ("paid", 900, 0)),
            ("Paid", "8.00", None, ("paid", 800, 0)),
            ("partially_paid", None, None, ("partially_paid", 0, 0)),
            ("partially_refunded", None, "1.00", ("partially_refunded", 900, 100)),
            ("refunded", None, None, ("refunded", 900, 900)),
            ("refunded", "8.00", None, ("refunded", 800, 800)),
            ("unpaid", None, None, ("unpaid", 0, 0)),
        ],
    )
    def test_is_completed(
        self, payment: str | None, paid: str | None, refunded: str | None, state: tuple[str, int, int]
    ) -> None:
        row = order(batch(line(payment=payment, paid=paid, refunded=refunded)))

        assert (row["payment"], row["paid"], row["refunded"]) == state

    def test_keeps_what_is_said_with_it(self) -> None:
        row = order(
            batch(
                line(
                    status="Shipped",
                    paid_at="2026-11-23",
                    payment_method="card",
                    updated_at="2026-11-24",
                    refunded_at="2026-11-25",
                )
            )
        )

        assert (row["status"], row["payment_method"]) == ("shipped", "card")
        assert [row[name].day for name in ("paid_at", "source_updated_at", "refunded_at")] == [23, 24, 25]
        assert row["paid_at"] == datetime(2026, 11, 23, tzinfo=UTC)


class TestDuplicates:
    def test_one_that_says_the_same_again_is_counted_and_left_out(self) -> None:
        one = line(sku=None, skus="TEA POT")
        made = batch(one, line(number="1002", sku=None, skus="CUP"), one, fmt=PlainDocuments())

        assert made.orders["number"].to_list() == ["1001", "1002"]
        assert made.rejects == []
        assert made.tally.orders["read"] == 2
        assert made.tally.lines == {"read": 3, "accepted": 3, "rejected": 0}
        assert made.tally.adjustments == {"duplicate": 1}

    def test_one_that_says_otherwise_is_refused(self) -> None:
        made = batch(line(sku=None, skus="TEA"), line(sku=None, skus="POT"), fmt=PlainDocuments())

        (reject,) = made.rejects
        assert (reject.code, reject.line, reject.field, reject.number) == ("duplicate_order", 3, "Number", "1001")
        assert made.items["sku"].to_list() == ["TEA"]

    def test_one_external_id_under_two_numbers_is_refused(self) -> None:
        made = batch(line(external_id="7"), line(number="1002", external_id="7"))

        assert [(reject.code, reject.field) for reject in made.rejects] == [("duplicate_order", "External Id")]

    def test_one_number_in_two_channels_is_two_orders(self) -> None:
        made = batch(line(channel="a", sku=None, skus="TEA"), line(channel="b", sku=None, skus="POT"), fmt=PlainDocuments())

        assert made.orders["channel"].to_list() == ["a", "b"]


class TestTally:
    def test_counts_orders_lines_guests_and_money(self) -> None:
        made = batch(
            line(number="1", customer_email=None, source_total="9.01"),
            line(number="1", sku="POT", customer_email=None, source_total="9.01", quantity="1"),
            line(number="2", quantity="0"),
            line(number="2", sku="POT"),
            line(number="3", currency="JPY", unit_price="450"),
            line(number="4", source_total="10.00"),
            line(number="5"),
        )

        assert made.tally.orders == {"read": 5, "new": 0, "updated": 0, "unchanged": 0, "kept": 0, "rejected": 1, "merged": 0}
        assert made.tally.lines == {"read": 7, "accepted": 5, "rejected": 2}
        assert made.tally.customers == {"new": 0, "known": 0, "guests": 1}
        # Order 5 states no total: it is in neither of the other sums.
        assert made.tally.money == {
            "EUR": Money(total=1350 + 900 + 900, source_total=901 + 1000, difference=449 - 100),
            "JPY": Money(total=900, source_total=0, difference=0),
        }


amounts = st.integers(min_value=0, max_value=10**15)


class TestShares:
    @given(st.lists(st.tuples(amounts, st.lists(amounts, min_size=1, max_size=6)), min_size=1, max_size=5))
    @settings(max_examples=200, deadline=None)
    def test_agree_with_the_rule_for_one_order(self, drawn: list[tuple[int, list[int]]]) -> None:
        orders = [(min(amount, sum(weights)), weights) for amount, weights in drawn]
        rows = [(number, amount, weight) for number, (amount, weights) in enumerate(orders) for weight in weights]
        columns = pl.DataFrame(rows, schema={"order": pl.UInt32, "amount": pl.Int64, "weight": pl.Int64}, orient="row")

        shared = shares(columns["amount"], weights=columns["weight"], order=columns["order"])

        assert shared.to_list() == [share for amount, weights in orders for share in split(amount, weights)]


prices = st.decimals(min_value=0, max_value=9999, places=4)
items_drawn = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 9999), prices), min_size=1, max_size=8)


class TestMoneyLaws:
    @given(items_drawn, st.integers(0, 100), st.booleans())
    @settings(max_examples=100, deadline=None)
    def test_of_every_order(self, drawn: list[tuple[str, int, Decimal]], percent: int, merge: bool) -> None:  # noqa: FBT001  # drawn
        subtotal = sum((Decimal(quantity) * price for _, quantity, price in drawn), Decimal(0))
        discount = (subtotal * percent / 200).quantize(Decimal("0.01"))
        lines = [
            line(sku=sku, quantity=str(quantity), unit_price=str(price), discount=str(discount), shipping="4.90", tax="0.07")
            for sku, quantity, price in drawn
        ]
        made = batch(*lines, merge=merge)
        if made.rejects:
            assert {reject.code for reject in made.rejects} == {"discount_too_large"}
            return

        row = order(made)
        sold = made.items
        assert row["subtotal"] == sum(sold["total"])
        assert row["discount"] == sum(sold["discount"])
        assert row["total"] == row["subtotal"] - row["discount"] + row["shipping"] + row["tax"]
        assert all(0 <= item["discount"] <= item["total"] for item in sold.rows(named=True))
        for item in sold.rows(named=True):
            exact = Decimal(item["quantity"] * item["unit_price"]) / item["price_scale"]
            assert item["total"] == exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)
        assert sum(sold["quantity"]) == sum(quantity for _, quantity, _ in drawn)
        # Merging rounds once where lines round each: it moves no more than half a cent a line.
        assert abs(Decimal(row["subtotal"]) / 100 - subtotal) <= Decimal("0.005") * len(drawn)

    @given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 50), st.integers(0, 9999)), min_size=1, max_size=8))
    @settings(max_examples=100, deadline=None)
    def test_of_given_totals(self, drawn: list[tuple[str, int, int]]) -> None:
        """Totals are facts: they are kept to the cent, and the derived prices satisfy the database's own check."""
        lines = [
            line(sku=sku, quantity=str(quantity), unit_price=None, item_total=str(Decimal(total).scaleb(-2)))
            for sku, quantity, total in drawn
        ]
        made = batch(*lines)

        assert order(made)["total"] == sum(total for _, _, total in drawn)
        for item in made.items.rows(named=True):
            off = item["quantity"] * item["unit_price"] - item["total"] * item["price_scale"]
            assert 2 * abs(off) <= max(item["price_scale"], item["quantity"])
