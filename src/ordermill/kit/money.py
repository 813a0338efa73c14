"""
Money: exact decimals outside, whole minor units inside, one rounding rule, no floats anywhere.

Source of codes and exponents: ISO 4217, list one (active currencies).
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from ordermill.kit.errors import Invalid

# Every amount stays exact in a JSON reader that uses doubles, and a sum of a thousand such fits 64 bits.
LIMIT_MINOR: Final = 2**53 - 1
UNIT_PRICE_EXPONENT: Final = 4

_EXPONENTS: Final[dict[int, str]] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR "
    "ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR "
    "MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
EXPONENTS: Final[dict[str, int]] = {code: exponent for exponent, codes in _EXPONENTS.items() for code in codes.split()}

# ASCII digits only: Python's Decimal would also take "1_000", Arabic digits and "1e1000000".
_AMOUNT = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,4})?", re.ASCII)
# The same for integers, compared as numbers: Python refuses to write one of more than 4,300 digits as text.
_TOO_LONG: Final = 10**13


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency; `exponent` is its number of decimals."""

    code: str
    exponent: int

    @classmethod
    def of(cls, code: str) -> "Currency":
        """
        Look a currency up by its upper-case code.

        Raises:
            Invalid: `unknown_currency`, when ISO 4217 has no active currency of that code with 0, 2 or 3 decimals.
        """
        exponent = EXPONENTS.get(code)
        if exponent is None:
            raise Invalid(f"{code!r} is not an ISO 4217 currency; write a code such as 'EUR'.", code="unknown_currency")
        return cls(code, exponent)

    def minor(self, amount: Decimal) -> int:
        """
        Return `amount` in whole minor units.

        Raises:
            Invalid: `too_many_decimals` or `amount_too_large`.
        """
        minor = _whole(amount, exponent=self.exponent)
        if minor is None:
            raise Invalid(f"{amount} has more decimals than {self.code} allows ({self.exponent}).", code="too_many_decimals")
        if abs(minor) > LIMIT_MINOR:
            raise Invalid(f"{amount} is more than {self.decimal(LIMIT_MINOR)}.", code="amount_too_large")
        return minor

    def unfit(self, refusal: Invalid, pointer: str) -> Invalid:
        """Return what `minor` refused as a field's refusal, worded anew: to the outside nothing that was sent is repeated."""
        decimals = f"An amount has at most {self.exponent} decimals in {self.code}."
        said = decimals if refusal.code == "too_many_decimals" else "This is more than can be kept."
        return Invalid.field(pointer, said, code=refusal.code)

    def decimal(self, minor: int) -> Decimal:
        """Return whole minor units as a decimal with exactly the currency's decimals."""
        return Decimal(minor).scaleb(-self.exponent)

    def round(self, amount: Decimal) -> Decimal:
        """
        Round to the currency's decimals, half away from zero: the one rounding rule, applied at the line.

        Raises:
            Invalid: `amount_too_large`.
        """
        if amount.copy_abs() > LIMIT_MINOR:  # whatever the exponent; beyond 28 digits `quantize` itself would break down
            raise Invalid(f"{amount} is more than {self.decimal(LIMIT_MINOR)}.", code="amount_too_large")
        return amount.quantize(Decimal(1).scaleb(-self.exponent), rounding=ROUND_HALF_UP)


def parse_amount(value: object) -> Decimal:
    """
    Read an amount as people and programs write it: a decimal string, or an integer (12 means 12.00).

    Raises:
        Invalid: `amount_not_exact` for a float or boolean, `amount_malformed` for anything else unreadable.
    """
    if isinstance(value, bool | float):
        raise Invalid(
            'Write the amount as a string such as "12.30"; a JSON number with a point is not exact.', code="amount_not_exact"
        )
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int) and abs(value) < _TOO_LONG:
        return Decimal(value)
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return Decimal(value)
    raise Invalid("Write the amount in digits with at most four decimals, such as 12.30.", code="amount_malformed")


def unit_price_units(price: Decimal) -> int:
    """Return a unit price in whole ten-thousandths of the currency's major unit, as it is stored."""
    units = _whole(price, exponent=UNIT_PRICE_EXPONENT)
    if units is None:
        raise Invalid(f"{price} has more than four decimals.", code="too_many_decimals")
    return units


def unit_price(units: int, *, currency: Currency) -> Decimal:
    """Return a stored unit price as a decimal: the currency's decimals, more only where they are needed."""
    exact = Decimal(units).scaleb(-UNIT_PRICE_EXPONENT)
    short = exact.quantize(Decimal(1).scaleb(-currency.exponent), rounding=ROUND_HALF_UP)
    return short if short == exact else exact.normalize()


def _whole(amount: Decimal, *, exponent: int) -> int | None:
    """Return `amount` times ten to the `exponent` if that is whole; exact, where `scaleb` quietly rounds to 28 digits."""
    if not amount.is_finite():
        return None
    numerator, denominator = amount.as_integer_ratio()
    whole, rest = divmod(numerator * 10**exponent, denominator)
    return None if rest else whole


def split(amount: int, weights: list[int]) -> list[int]:
    """
    Share `amount` minor units in proportion to `weights`; the shares sum to it exactly.

    Largest remainder first, earlier lines first among equals; with no weight at all
    everything falls to the first line.
    """
    total = sum(weights)
    if total == 0:
        return [amount, *[0] * (len(weights) - 1)] if weights else []
    shares = [amount * weight // total for weight in weights]
    left = amount - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda line: (-(amount * weights[line] % total), line))
    for line in by_remainder[:left]:
        shares[line] += 1
    return shares
