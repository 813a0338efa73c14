"""
What the book knows of a person as one JSON document, in pieces: however many orders, a few are in memory at a time.

Orders have the shape of every answer, with the money that moved and what happened to them beside it.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ordermill.accounts.model import User
from ordermill.kit.events import Event
from ordermill.orders.shape import event_shape, movement_shape, order_shape
from ordermill.privacy.model import Purchase, SignIn, Use


async def pieces(  # noqa: PLR0913  # the parts of the document, each with its name
    user: User,
    purchases: AsyncIterator[Purchase],
    *,
    at: datetime,
    sessions: Sequence[SignIn],
    discount_uses: Sequence[Use],
    events: Sequence[Event],
) -> AsyncIterator[str]:
    """Yield the document's text, an order at a time."""
    head = {
        "exported_at": at,
        "account": _account(user),
        "sessions": [asdict(session) for session in sessions],
        "discount_uses": [asdict(use) for use in discount_uses],
        "events": [event_shape(event) for event in events],
    }
    yield _json(head)[:-1] + ',"orders":['
    comma = ""
    async for purchase in purchases:
        yield comma + _json(_purchase(purchase))
        comma = ","
    yield "]}\n"


def _account(user: User) -> dict[str, Any]:
    known = ("id", "email", "name", "is_active", "is_staff", "email_verified_at", "created_at")
    return {name: getattr(user, name) for name in known} | {"has_password": user.claimed}


def _purchase(purchase: Purchase) -> dict[str, Any]:
    return {
        **order_shape(purchase.order),
        "payments": [movement_shape(payment) for payment in purchase.payments],
        "refunds": [movement_shape(refund) for refund in purchase.refunds],
        "events": [event_shape(event) for event in purchase.events],
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case UUID():
            return str(value)
    raise TypeError(f"a {type(value).__name__} has no place in the document")
