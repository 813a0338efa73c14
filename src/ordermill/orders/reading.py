"""
Looking at orders, by who looks: each as the JSON of its shape, passed on as it comes from where it lies.

Staff, and keys that read, see all orders; a user sees those of the own account that `OrderReader` lets through. What is
hidden from somebody is not there for them.

Not here: orders as objects, which changes and exports work on (service).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from ordermill.accounts.principal import Principal
from ordermill.kit.errors import Forbidden, NotFound
from ordermill.kit.events import Event
from ordermill.kit.pages import Page
from ordermill.kit.text import identifier
from ordermill.orders.filters import require_askable
from ordermill.orders.model import Movement
from ordermill.orders.ports import OrderFilter, OrderReader, OrdersUnit, Place, Seen

T = TypeVar("T")


class OrderMissing(NotFound):
    """There is no such order, or whoever asks may not know that there is: the same words for both."""

    default_code = "order_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such order.")


class Reading:
    """What people and programs see of the orders of a book."""

    def __init__(self, reader: OrderReader, units: Callable[[], OrdersUnit]) -> None:
        self._reader = reader
        self._units = units

    async def one(self, id: UUID, *, by: Principal) -> Seen:
        """
        Return an order.

        Raises:
            OrderMissing: there is none, or none that they may see.
        """
        seen = await self._reader.one(id, viewer=viewer_of(by))
        if seen is None:
            raise OrderMissing
        return seen

    async def page(self, wanted: OrderFilter, *, by: Principal, limit: int, behind: Place | None = None) -> Page[Seen]:
        """
        Return orders, latest placed first, those behind a place when one is given.

        Raises:
            Invalid: no order can be as the filter says.
            Forbidden: a customer asks for another's orders by address.
        """
        if wanted.customer is not None and not by.reads_as_staff:
            raise Forbidden("Only staff look for orders by customer; yours are listed without that.")
        require_askable(wanted)
        if wanted.number is not None:
            wanted = replace(wanted, number=identifier(wanted.number))
        return await self._reader.page(wanted, viewer=viewer_of(by), limit=limit, behind=behind)

    async def events(self, id: UUID, *, by: Principal, limit: int, after: int = 0) -> Page[Event]:
        """
        Return what happened to an order, first things first, behind the event with the sequence `after`.

        Raises:
            OrderMissing: as `one` does.
        """
        await self.one(id, by=by)
        async with self._units() as unit:
            story = await unit.events.of_order(id)
        return Page.cut([event for event in story if (event.sequence or 0) > after][: limit + 1], limit=limit)

    async def payments(self, id: UUID, *, by: Principal, limit: int, after: UUID | None = None) -> Page[Movement]:
        """
        Return what was received for an order, first things first, behind the movement `after`.

        Raises:
            OrderMissing: as `one` does.
        """
        await self.one(id, by=by)
        async with self._units() as unit:
            return _behind(await unit.payments.of_order(id), limit=limit, after=after)

    async def refunds(self, id: UUID, *, by: Principal, limit: int, after: UUID | None = None) -> Page[Movement]:
        """Return what was given back, as `payments` does."""
        await self.one(id, by=by)
        async with self._units() as unit:
            return _behind(await unit.refunds.of_order(id), limit=limit, after=after)


def viewer_of(principal: Principal) -> int | None:
    """
    Return the user whose orders somebody sees; None for those who see all.

    Raises:
        Forbidden: a key that may only place orders.
    """
    if principal.reads_as_staff:
        return None
    if principal.user_id is None:
        raise Forbidden("This API key places orders, and sees none.")
    return principal.user_id


def _behind(movements: Sequence[Movement], *, limit: int, after: UUID | None) -> Page[Movement]:
    # An order has a handful of them, and none is ever removed but with it.
    known = [movement.id for movement in movements]
    begin = known.index(after) + 1 if after in known else 0
    return Page.cut(movements[begin : begin + limit + 1], limit=limit)
