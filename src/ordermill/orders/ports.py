"""What orders ask of storage."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ordermill.kit.events import EventLedger
from ordermill.kit.ports import Repository, UnitOfWork
from ordermill.orders.model import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders: every part that is given must hold; the stretch of time is half-open."""

    status: str | None = None
    payment: str | None = None
    channel: str | None = None
    customer: str | None = None  # an e-mail address
    number: str | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None


class OrderRepository(Repository[Order, UUID], Protocol):
    """
    Orders with their items.

    `add` needs no channel to exist: a new name becomes one. Raises at `commit`: `Taken` with
    "orders_channel_number" or "orders_channel_external_id".
    """

    async def by_number(self, number: str, *, channel: str | None = None) -> Sequence[Order]:
        """Return the orders of that number, of all channels unless one is named."""
        ...

    async def newest(self, wanted: OrderFilter, *, limit: int, after: UUID | None = None) -> Sequence[Order]:
        """Return orders, latest placed first, those behind the order `after` when given."""
        ...

    def every(self, wanted: OrderFilter) -> AsyncIterator[Order]:
        """Go through all matching orders in the order of their ids, in flat memory."""
        ...


class OrdersUnit(UnitOfWork, Protocol):
    """An open unit in which orders can be read and changed."""

    @property
    def orders(self) -> OrderRepository: ...

    @property
    def events(self) -> EventLedger: ...
