"""Which filters can be asked at all: one that finds nothing because it is misspelt is refused with what it may say."""

from dataclasses import asdict
from enum import StrEnum

from ordermill.kit.errors import Invalid
from ordermill.kit.text import defect, shortened
from ordermill.orders.model import PaymentState, Status
from ordermill.orders.ports import OrderFilter


def require_askable(wanted: OrderFilter) -> None:
    """
    Refuse a filter that would silently find nothing, or that a database could not even be asked for.

    Raises:
        Invalid: `unknown_status`, `unknown_payment` or `text_not_storable`.
    """
    for name, words in (("status", Status), ("payment", PaymentState)):
        word = getattr(wanted, name)
        if word is not None:
            require_known(word, name, words)
    for name, value in asdict(wanted).items():
        if isinstance(value, str) and (problem := defect(value)):
            raise Invalid(f"No order's {name} holds a {problem}.", code="text_not_storable")


def require_known(word: str, name: str, words: type[StrEnum]) -> str:
    """
    Return a word that is one of `words`.

    Raises:
        Invalid: `unknown_` and the name of what it should be.
    """
    known = [member.value for member in words]
    if word not in known:
        raise Invalid(f"{shortened(word)!r} is no {name} of an order; it is one of {', '.join(known)}.", code=f"unknown_{name}")
    return word
