"""What is handed out of a person, and what takes the place of what was erased."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from ordermill.imports.model import Reason, Reject, Tally
from ordermill.kit.events import Event
from ordermill.orders.model import Movement, Order
from ordermill.privacy.mentions import addresses_in

NAME: Final = "Erased"
# `book_keys` keeps the key of the hashes under this name.
KEY: Final = "erasure"
# How the report of an import counts orders of which it brought less than the file says.
ADJUSTMENT: Final = "erased"
# What an order keeps of its buyer, under the names of its columns.
PERSONAL: Final = ("shipping_address", "billing_address", "note", "tracking_number")
_FORGOTTEN: Final = "What was refused here was erased with its buyer."
_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """An order with everything that belongs to it."""

    order: Order
    payments: tuple[Movement, ...]
    refunds: tuple[Movement, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A session, without its secrets."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A discount that was used with an order."""

    order_id: UUID
    code: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """The wish to forget an account: what takes its place, and the key to make should the book have none yet."""

    user_id: int
    event_id: UUID
    at: datetime
    actor: str
    placeholder: str
    new_key: str

    @classmethod
    def of(cls, user_id: int, *, event_id: UUID, at: datetime, actor: str) -> "Erasure":
        # Random, as anybody could have registered one that can be guessed.
        placeholder = f"erased-{secrets.token_hex(8)}@erased.invalid"
        key = secrets.token_hex(_BYTES)
        return cls(user_id=user_id, event_id=event_id, at=at, actor=actor, placeholder=placeholder, new_key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure came across."""

    user_id: int
    orders: int
    rejects: int


def hashed(email_key: str, *, key: str) -> str:
    """Return what is kept of an address that was erased: whoever has not the key cannot even try addresses on it."""
    return hmac.digest(bytes.fromhex(key), email_key.encode(), hashlib.sha256).hex()


def forgotten(reject: Reject) -> Reject:
    """Return what may be kept of a refused order whose buyer was erased: that there was one, where, and why."""
    return replace(reject, value=None, message=_FORGOTTEN, lines=())


def texts_of(reject: Reject) -> list[str | None]:
    """Return every text of a reject that came from its file."""
    # Not the sentence: it repeats the value, and beside it gives advice with an address of its own.
    return [reject.value, *(raw for _, raw in reject.lines)]


def may_be_kept(
    rejects: Sequence[Reject], tallies: Sequence[Tally], *, erased: Callable[[Collection[str]], Collection[str]]
) -> tuple[Sequence[Reject], Sequence[Tally]]:
    """
    Return what may be kept of a batch's rejects and figures: nothing in the words of those who were erased.

    Args:
        erased: returns those of some addresses that were erased.
    """
    mentioned = [addresses_in(texts_of(reject)) for reject in rejects]
    gone = set(erased(set().union(*mentioned)))
    if not gone:
        return rejects, tallies
    kept = [forgotten(reject) if keys & gone else reject for reject, keys in zip(rejects, mentioned, strict=True)]
    examples = {(reject.line, reject.code) for reject, keys in zip(rejects, mentioned, strict=True) if keys & gone}
    return kept, [without_examples(tally, examples) for tally in tallies]


def without_examples(tally: Tally, rejects: Collection[tuple[int, str]]) -> Tally:
    """Return a tally whose examples tell nothing of refused orders that are to be forgotten: their line and code."""
    told = deepcopy(tally)
    for code, reason in told.reasons.items():
        if (reason.example["line"], code) in rejects:
            told.reasons[code] = Reason(reason.count, {**reason.example, "value": None, "message": _FORGOTTEN})
    return told
