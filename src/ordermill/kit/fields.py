"""
Types of fields that drafts are made of: what any text, amount or moment must be, whoever sends it.

Not here: whether an amount fits its currency (money), and rules of one feature alone.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from ordermill.kit.calendar import YEARS
from ordermill.kit.errors import Invalid
from ordermill.kit.money import parse_amount
from ordermill.kit.text import defect, identifier

# The most decimals that any currency has; what a currency allows is asked once it is known.
_DECIMALS: Final = 3
_LIMIT: Final = 10**12  # amounts stay below, in every currency, as those of files do

_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def storable(value: str) -> str:
    """Refuse what no database holds: control characters but tab and line ends, halves of surrogate pairs."""
    if problem := defect(value):
        raise PydanticCustomError("text_not_storable", "This holds a {problem}; take it out.", {"problem": problem})
    return value


def composed(value: object) -> object:
    """Bring a text into the form that identities are compared in, before its length is looked at: composing may change it."""
    return identifier(value) if isinstance(value, str) else value


def _exact(value: object) -> Decimal:
    try:
        amount = parse_amount(value)
    except Invalid as error:
        raise PydanticCustomError(error.code, error.message) from None
    return amount or Decimal(0)  # "-0" is no negative amount, but would show its sign


def _canonical(amount: Decimal) -> str:
    """Write an amount so that equal ones look alike: "4.5", "4.50" and 4.500 are one content of a request sent again."""
    return f"{amount.normalize():f}"


def _moment(value: object) -> datetime:
    """Read a moment strictly: RFC 3339 with its offset, for pydantic would take numbers and dates, too."""
    try:
        moment = _aware(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("time_malformed", "Write a moment such as 2026-01-31T10:30:00Z.") from None
    if moment.year not in YEARS:
        raise PydanticCustomError("time_out_of_range", "Write a moment from 1970 to 2199.")
    return moment


def _aware(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        return datetime.fromisoformat(value.upper())
    raise ValueError(value)


def unsaid() -> Any:
    """
    Stand for a field that may be left out and may not be null.

    As a default factory, so that no schema speaks of a null; what was said is in `model_fields_set`.
    """
    return None


_AMOUNT_SCHEMA: Final = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,3})?$", "description": "Digits with the currency's decimals."},
        {"type": "integer", "minimum": 0, "exclusiveMaximum": _LIMIT, "description": "Whole major units: 12 means 12.00."},
    ]
}

Amount = Annotated[
    Decimal,
    BeforeValidator(_exact),
    Field(ge=0, lt=_LIMIT, decimal_places=_DECIMALS),
    PlainSerializer(_canonical, when_used="json"),
    WithJsonSchema(_AMOUNT_SCHEMA, mode="validation"),
]
_MOMENT_SCHEMA: Final = {
    "type": "string",
    "format": "date-time",
    "description": "RFC 3339, with its offset.",
    "examples": ["2026-01-31T10:30:00Z"],
}
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema(_MOMENT_SCHEMA, mode="validation")]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
