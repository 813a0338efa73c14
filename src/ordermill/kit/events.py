"""The ledger of events: what happened, who did it, in which order; also the outbox for webhooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who does it, and when."""

    actor: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Event:
    """A fact. `data` holds no personal data; `sequence` counts from 1 within one order."""

    id: UUID
    type: str
    at: datetime
    actor: str
    order_id: UUID | None = None
    user_id: int | None = None
    import_id: UUID | None = None
    sequence: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Identified(Protocol):
    """An entity whose integer id may only be known once its unit has committed."""

    @property
    def id(self) -> int | None: ...


class EventLedger(Protocol):
    """Append-only: events are added and read, never changed."""

    async def append(
        self, event: Event, *, user: Identified | None = None, ids: Mapping[str, Identified] | None = None
    ) -> None:
        """
        Remember an event; it is written with the unit's changes or not at all.

        Args:
            user: the account it is about, for `user_id`; it may be one that this unit adds.
            ids: what else this unit may be adding and the event is about, by the name of its id in `data`.
        """
        ...

    async def of_order(self, order_id: UUID) -> Sequence[Event]:
        """Return an order's events in the order of their sequence."""
        ...

    async def recent(self, *, limit: int = 100, type: str | None = None) -> Sequence[Event]:
        """Return the latest events first."""
        ...
