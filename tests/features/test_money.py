"""Money is exact: what is read, what is rounded, what is stored and how it is shared out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ordermill.kit.errors import Invalid
from ordermill.kit.money import (
    EXPONENTS,
    LIMIT_MINOR,
    Currency,
    parse_amount,
    split,
    unit_price,
    unit_price_units,
)

EUR, JPY, KWD = Currency.of("EUR"), Currency.of("JPY"), Currency.of("KWD")
currencies = some.sampled_from([EUR, JPY, KWD])
minors = some.integers(-LIMIT_MINOR, LIMIT_MINOR)


def refusal(code: str) -> pytest.RaisesExc[Invalid]:
    return pytest.RaisesExc(Invalid, check=lambda error: error.code == code)


class TestCurrency:
    @pytest.mark.parametrize(("code", "exponent"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLP", 0), ("TND", 3), ("GBP", 2)])
    def test_knows_its_decimals(self, code: str, exponent: int) -> None:
        assert Currency.of(code) == Currency(code, exponent)

    @pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "XAU", "CLF", "DEM", "EUR "])
    def test_refuses_what_is_no_currency_of_two_zero_or_three_decimals(self, code: str) -> None:
        with refusal("unknown_currency"):
            Currency.of(code)

    def test_every_code_is_three_capitals(self) -> None:
        assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)


class TestMinorUnits:
    @pytest.mark.parametrize(
        ("currency", "amount", "minor"),
        [
            (EUR, "12.30", 1230),
            (EUR, "12", 1200),
            (EUR, "12.3000", 1230),
            (JPY, "12", 12),
            (KWD, "1.234", 1234),
            (EUR, "-0.01", -1),
        ],
    )
    def test_are_whole(self, currency: Currency, amount: str, minor: int) -> None:
        assert currency.minor(Decimal(amount)) == minor

    @pytest.mark.parametrize(
        ("currency", "amount"),
        [
            (EUR, "0.001"),
            (JPY, "0.5"),
            (KWD, "0.0001"),
            (EUR, "1.00000000000000000000000000000000001"),
            (EUR, "NaN"),
            (EUR, "Infinity"),
        ],
    )
    def test_refuse_what_is_not(self, currency: Currency, amount: str) -> None:
        with refusal("too_many_decimals"):
            currency.minor(Decimal(amount))

    @pytest.mark.parametrize("currency", [EUR, JPY, KWD])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_end_where_a_double_stops_being_exact(self, currency: Currency, sign: int) -> None:
        largest = currency.decimal(sign * 9_007_199_254_740_991)
        assert currency.minor(largest) == sign * 9_007_199_254_740_991

        with refusal("amount_too_large"):
            currency.minor(largest + sign * currency.decimal(1))

    @pytest.mark.parametrize(("currency", "text"), [(EUR, "12.00"), (JPY, "1200"), (KWD, "1.200")])
    def test_are_shown_with_the_decimals_of_the_currency(self, currency: Currency, text: str) -> None:
        assert str(currency.decimal(1200)) == text

    @given(currency=currencies, minor=minors)
    def test_survive_the_way_to_a_decimal_and_back(self, currency: Currency, minor: int) -> None:
        assert currency.minor(currency.decimal(minor)) == minor


class TestRounding:
    @pytest.mark.parametrize(
        ("currency", "exact", "rounded"),
        [
            (EUR, "0.005", "0.01"),
            (EUR, "0.015", "0.02"),
            (EUR, "0.025", "0.03"),
            (EUR, "0.0049999", "0.00"),
            (EUR, "-0.005", "-0.01"),
            (EUR, "2.675", "2.68"),
            (JPY, "0.5", "1"),
            (JPY, "1.5", "2"),
            (KWD, "0.0005", "0.001"),
            (EUR, "7", "7.00"),
        ],
    )
    def test_goes_half_up_away_from_zero(self, currency: Currency, exact: str, rounded: str) -> None:
        assert str(currency.round(Decimal(exact))) == rounded

    def test_refuses_what_could_never_be_stored(self) -> None:
        with refusal("amount_too_large"):
            EUR.round(Decimal("1E+27"))

    @given(currency=currencies, units=some.integers(0, 10**12), quantity=some.integers(1, 1_000))
    def test_moves_a_line_by_half_a_minor_unit_at_most(self, currency: Currency, units: int, quantity: int) -> None:
        exact = quantity * Decimal(units).scaleb(-4)

        assert abs(currency.round(exact) - exact) * 2 <= currency.decimal(1)


class TestParseAmount:
    @pytest.mark.parametrize(
        ("value", "amount"),
        [
            ("12.30", "12.30"),
            ("12", "12"),
            (12, "12"),
            (0, "0"),
            ("-0.0001", "-0.0001"),
            ("007", "7"),
            (Decimal("1.5"), "1.5"),
            ("9999999999999.9999", "9999999999999.9999"),
            (9_999_999_999_999, "9999999999999"),
        ],
    )
    def test_reads_decimal_strings_and_integers(self, value: object, amount: str) -> None:
        assert str(parse_amount(value)) == amount

    @pytest.mark.parametrize("value", [12.0, 12.3, 0.1, float("nan"), float("inf"), True, False])
    def test_refuses_floats_and_booleans(self, value: object) -> None:
        with refusal("amount_not_exact"):
            parse_amount(value)

    @pytest.mark.parametrize(
        "value",
        [
            *(
                "",
                " ",
                "1_000",
                "1,000",
                "1.000,00",
                "12,30",
                "١٢",
                "\uff11\uff12",
                "1e9",
                "1E2",
                "1e1000000",
                "NaN",
                "Infinity",
                "inf",
                "sNaN",
            ),
            *("+1", "--1", "- 1", " 1", "1 ", "1\n", ".5", "5.", "1.2.3", "1.00000", "0x10", "€1", "12345678901234", "1\x00"),
            *(10**13, -(10**13), 10**5000, None, [], {}, b"12", Decimal("NaN"), Decimal("Infinity")),
        ],
        ids=lambda value: f"{type(value).__name__}-{str(value)[:20] if not isinstance(value, int) else ''}",
    )
    def test_refuses_everything_else(self, value: object) -> None:
        with refusal("amount_malformed"):
            parse_amount(value)

    @given(currency=currencies, minor=some.integers(-(10**12), 10**12))
    def test_reads_what_we_write(self, currency: Currency, minor: int) -> None:
        assert currency.minor(parse_amount(str(currency.decimal(minor)))) == minor


class TestUnitPrice:
    @pytest.mark.parametrize(("price", "units"), [("4.50", 45_000), ("0.0001", 1), ("12", 120_000), ("-1.5", -15_000)])
    def test_is_stored_in_ten_thousandths(self, price: str, units: int) -> None:
        assert unit_price_units(Decimal(price)) == units

    @pytest.mark.parametrize("price", ["0.00001", "1.00000000000000000000000000000000001"])
    def test_refuses_more_than_four_decimals(self, price: str) -> None:
        with refusal("too_many_decimals"):
            unit_price_units(Decimal(price))

    @pytest.mark.parametrize(
        ("currency", "units", "text"),
        [
            (EUR, 45_000, "4.50"),
            (EUR, 45_010, "4.501"),
            (EUR, 1, "0.0001"),
            (JPY, 45_000, "4.5"),
            (JPY, 10_000_000, "1000"),
            (KWD, 0, "0.000"),
        ],
    )
    def test_is_shown_with_more_decimals_only_where_needed(self, currency: Currency, units: int, text: str) -> None:
        assert str(unit_price(units, currency=currency)) == text

    @given(currency=currencies, units=some.integers(-(10**15), 10**15))
    def test_survives_the_way_out_and_back(self, currency: Currency, units: int) -> None:
        assert unit_price_units(unit_price(units, currency=currency)) == units


class TestSplit:
    @pytest.mark.parametrize(
        ("amount", "weights", "shares"),
        [
            (100, [1, 1, 1], [34, 33, 33]),
            (5, [0, 1, 1], [0, 3, 2]),
            (1, [1, 2], [0, 1]),
            (10, [0, 0], [10, 0]),
            (0, [3, 4], [0, 0]),
            (7, [5], [7]),
            (0, [], []),
        ],
    )
    def test_gives_the_rest_to_the_largest_remainder_then_to_the_earlier_line(
        self, amount: int, weights: list[int], shares: list[int]
    ) -> None:
        assert split(amount, weights) == shares

    @given(amount=minors, weights=some.lists(some.integers(0, 10**15), min_size=1, max_size=60))
    def test_sums_exactly(self, amount: int, weights: list[int]) -> None:
        assert sum(split(amount, weights)) == amount

    @given(amount=minors, weights=some.lists(some.integers(0, 10**15), min_size=1, max_size=60).filter(any))
    def test_strays_from_the_exact_share_by_less_than_one(self, amount: int, weights: list[int]) -> None:
        total = sum(weights)

        shares = split(amount, weights)

        assert all(abs(share * total - amount * weight) < total for share, weight in zip(shares, weights, strict=True))

    @given(amount=some.integers(0, LIMIT_MINOR), weights=some.lists(some.integers(0, 10**15), min_size=1).filter(any))
    def test_never_gives_more_than_there_is_to_discount(self, amount: int, weights: list[int]) -> None:
        """A discount that is at most the subtotal stays at most the item's total on each line."""
        amount = min(amount, sum(weights))

        assert all(0 <= share <= weight for share, weight in zip(split(amount, weights), weights, strict=True))
