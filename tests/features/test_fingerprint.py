"""The fingerprint tells whether an order is stored differently from before, and nothing else."""

import pytest
from imports_support import batch, line

FULL = line(
    channel="shop",
    external_id="77",
    status="shipped",
    payment="paid",
    customer_name="Ada",
    discount="1.00",
    discount_code="TEN",
    shipping="4.90",
    tax="0.50",
    tax_included="0.10",
    source_total="13.40",
    paid="13.40",
    paid_at="2026-11-23",
    payment_method="card",
    payment_reference="ch_1",
    refunded="0.10",
    refunded_at="2026-11-24",
    carrier="Post",
    tracking_number="RR1",
    note="Ring twice",
    updated_at="2026-11-25",
    shipping_name="Ada",
    shipping_company="Engines",
    shipping_line1="1 Mill Lane",
    shipping_line2="Attic",
    shipping_city="York",
    shipping_region="Yorkshire",
    shipping_postal_code="YO1",
    shipping_country="GB",
    shipping_phone="1",
    billing_city="Leeds",
    item_discount="0.20",
)

AMOUNTS = frozenset(("discount", "shipping", "tax", "tax_included", "source_total", "paid", "refunded"))


def fingerprint(*lines: dict[str, str], at: int = 0) -> str:
    made = batch(*lines)
    assert made.rejects == []
    return str(made.orders["fingerprint"][at])


class TestFingerprint:
    def test_is_a_promise_over_time(self) -> None:
        """Stored fingerprints are compared with later versions': a change here makes every order look updated."""
        assert fingerprint(line()) == "d2541a263c27b0fe23be15d3b5c5cb55"
        assert fingerprint(FULL) == "37e2eb45c7722b76925fc0a73f8565c3"

    def test_depends_on_the_order_alone(self) -> None:
        """Neither what else is in the batch, nor its place there, nor columns that others fill."""
        other = line(number="1", customer_email="eve@example.com", note="x", shipping_city="York", tax="1.00")

        assert fingerprint(other, FULL, at=1) == fingerprint(FULL)
        assert fingerprint(other, line(), at=1) == fingerprint(line())
        assert fingerprint(line(), other) == fingerprint(line())

    def test_sees_through_spelling(self) -> None:
        spelt = line(quantity="2.0", unit_price="4.5000", currency="eur", placed_at="2026-11-22 11:00 +0100")

        assert fingerprint(spelt) == fingerprint(line())

    @pytest.mark.parametrize("column", ["customer_name", "updated_at"])
    def test_sees_through_what_is_no_change_of_the_order(self, column: str) -> None:
        """What the account says, and when the source was saved last: a book's own export says both its own way."""
        assert fingerprint({**FULL, column: "2026-11-30T10:00:00Z"}) == fingerprint(FULL)

    @pytest.mark.parametrize("column", sorted(FULL.keys() - {"placed_at", "item_discount", "customer_name", "updated_at"}))
    def test_differs_where_a_value_does(self, column: str) -> None:
        changed = {
            "status": "delivered",
            "payment": "refunded",
            "currency": "USD",
            "quantity": "3",
            "unit_price": "5.50",
            "customer_email": "eve@example.com",
            "shipping_country": "FR",
            "paid_at": "2026-11-22",
            "refunded_at": "2026-11-22",
        }
        value = changed.get(column, "0.30" if column in AMOUNTS else "other")

        assert fingerprint({**FULL, column: value}) != fingerprint(FULL)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ([line(shipping_name="Ada")], [line(shipping_company="Ada")]),
            ([line(shipping_name="Ada")], [line(billing_name="Ada")]),
            ([line(carrier="12", tracking_number="3")], [line(carrier="1", tracking_number="23")]),
            ([line(note="x")], [line()]),
            ([line(source_total="0")], [line()]),
            ([line(sku="A"), line(sku="B")], [line(sku="B"), line(sku="A")]),
            ([line(sku="A", name="B")], [line(sku="AB", name="")]),
            ([line(placed_at="2026-11-22T10:00:00.000001Z")], [line()]),
        ],
    )
    def test_differs_where_texts_could_run_together(self, one: list[dict[str, str]], other: list[dict[str, str]]) -> None:
        assert fingerprint(*one) != fingerprint(*other)
