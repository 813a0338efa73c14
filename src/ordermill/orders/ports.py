"""What orders ask of storage."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from ordermill.kit.events import EventLedger
from ordermill.kit.pages import Page
from ordermill.kit.ports import Repository, UnitOfWork
from ordermill.orders.idempotency import Answer, Answers
from ordermill.orders.model import Movement, Order
from ordermill.orders.placement import Asked, Known, Placement


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


class Place(NamedTuple):
    """Where an order is in the list of newest first: by values, so that the place stays when the order goes."""

    placed_at: datetime
    id: UUID


class Seen(NamedTuple):
    """An order as the JSON of its shape (`orders.shape`) in UTF-8, its version, and its place in the list of newest first."""

    body: bytes
    version: int
    place: Place


class OrderReader(Protocol):
    """
    Orders to be passed on, straight from where they lie. `viewer` is the user who looks; None looks at everything.

    A user sees the orders of the own account, those that came by other ways than the own sign-in only once the address
    is verified; an account that was deactivated or erased sees none.
    """

    async def one(self, id: UUID, *, viewer: int | None) -> Seen | None:
        """Return an order, if there is one and the viewer may see it."""
        ...

    async def page(self, wanted: OrderFilter, *, viewer: int | None, limit: int, behind: Place | None = None) -> Page[Seen]:
        """Return orders, latest placed first, those behind a place when one is given."""
        ...


class OrderRepository(Repository[Order, UUID], Protocol):
    """
    Orders with their items.

    `add` needs no channel to exist: a new name becomes one. Raises at `commit`: `Taken` with
    "orders_channel_number" or "orders_channel_external_id".
    """

    async def by_number(self, number: str, *, channel: str | None = None) -> Sequence[Order]:
        """Return the orders of that number, of all channels unless one is named."""
        ...

    async def newest(self, wanted: OrderFilter, *, limit: int, after: Place | None = None) -> Sequence[Order]:
        """Return orders, latest placed first, those behind the place `after` when given."""
        ...

    async def require_seen(self, id: UUID, *, by: int) -> None:
        """
        Let the unit commit only if the user sees the order: `OrderReader` says which.

        Raises, at `commit`: NotFound, as where there is no such order.
        """
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


class Holdings(Protocol):
    """What placed orders hold as long as they are not cancelled: stock, and one use of a discount."""

    async def release(self, order_id: UUID, *, actor: str, at: datetime) -> None:
        """
        Give back what an order holds, with the unit's changes or not at all; of what it holds no more, nothing.

        Tell it before the order's own change: placing takes the discount, the products and the figures in this order, and
        whoever gives them back in the same one never waits for it in a circle.

        Raises, at `commit`: `Taken("stock_movements_once")`, when another transaction gives the same stock back.
        """
        ...


class PlacingStore(Protocol):
    """Where orders are placed; all the ways that storage knows do the same."""

    async def look(self, asked: Asked) -> Known:
        """Return what is known of it at one moment."""
        ...

    async def place(self, asked: Asked, decide: Callable[[Known], Placement | Answer], /) -> Answer:
        """
        Let `decide` say what is to be written, and write it in one transaction; or return the answer that it found.

        Nothing that it decided on may be different when it is written: stock, the discount's use, the account, the key. Where
        somebody else came in between, it is asked again. What it raises goes through, and nothing is left.

        Raises:
            KeyReused: the key stands for another request.
            InFlight: the request with this key is still being carried out.
            Taken: `orders_channel_number`; another order has this number.
            Unavailable: the database failed, or its answer to the commit was lost.
        """
        ...

    async def forget(self, *, before: datetime) -> int:
        """Remove the answers that were given before a moment; return how many there were."""
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

    @property
    def answers(self) -> Answers: ...

    @property
    def holdings(self) -> Holdings: ...
