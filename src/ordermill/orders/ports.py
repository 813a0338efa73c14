"""What orders ask of storage."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ordermill.kit.events import EventLedger
from ordermill.kit.ports import Repository, UnitOfWork
from ordermill.orders.model import Movement, Order


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


class Movements(Protocol):
    """Money received for orders, or money given back: added and read, never changed."""

    async def append(self, movement: Movement) -> None:
        """
        Remember a movement; it is written with the unit's changes or not at all. Refunds move the statistics.

        The order's own sums are the caller's to change in the same unit, and first: its version is what keeps two
        movements of one order apart.
        """
        ...

    async def of_order(self, order_id: UUID) -> Sequence[Movement]:
        """Return an order's movements, first things first."""
        ...


class OrdersUnit(UnitOfWork, Protocol):
    """An open unit in which orders can be read and changed."""

    @property
    def orders(self) -> OrderRepository: ...

    @property
    def payments(self) -> Movements: ...

    @property
    def refunds(self) -> Movements: ...

    @property
    def events(self) -> EventLedger: ...
