"""Orders: finding and listing them, moving their goods and money, what happened to them, and taking them out to a file."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from ordermill.kit.clock import Clock
from ordermill.kit.errors import Conflict, NotFound, StaleVersion
from ordermill.kit.events import By, Event
from ordermill.kit.text import defect, identifier, shortened
from ordermill.orders import changes, export
from ordermill.orders.changes import NOTHING_SAID, MoneyDraft, Shipment
from ordermill.orders.filters import require_askable, require_known
from ordermill.orders.model import Movement, Order, Status
from ordermill.orders.ports import OrderFilter, OrdersUnit, Place


class AmbiguousNumber(Conflict):
    """Orders of several channels have this number."""

    default_code = "ambiguous_number"

    def __init__(self, number: str, *, channels: Sequence[str]) -> None:
        super().__init__(
            f"There are orders {number!r} in the channels {', '.join(map(repr, channels))}; say which channel.",
            details={"number": number, "channels": list(channels)},
        )


class Orders:
    """
    The orders of a book.

    Args:
        units: opens a unit of work.
    """

    def __init__(self, units: Callable[[], OrdersUnit], *, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def get(self, reference: str | UUID, *, channel: str | None = None) -> Order:
        """
        Find an order by its id or its number.

        Args:
            channel: where to look, when several channels may have the number.

        Raises:
            NotFound: there is none.
            AmbiguousNumber: several channels have this number, and none was named.
        """
        _askable(reference, channel)
        async with self._units() as unit:
            return await _find(unit, reference, channel=channel)

    async def newest(self, wanted: OrderFilter, *, limit: int, after: Place | None = None) -> Sequence[Order]:
        """
        Return orders, latest placed first, those behind the place `after` when given.

        Raises:
            Invalid: no order can be as the filter says.
        """
        require_askable(wanted)
        async with self._units() as unit:
            return await unit.orders.newest(wanted, limit=limit, after=after)

    async def every(self, wanted: OrderFilter) -> AsyncGenerator[Order, None]:
        """
        Go through all matching orders in the order of their ids, in flat memory.

        Raises:
            Invalid: no order can be as the filter says.
        """
        require_askable(wanted)
        async with self._units() as unit:
            async for order in unit.orders.every(wanted):
                yield order

    async def events(self, order_id: UUID) -> Sequence[Event]:
        """Return what happened to an order, first things first; also of one that an undone import has removed."""
        async with self._units() as unit:
            return await unit.events.of_order(order_id)

    async def money(self, order_id: UUID) -> tuple[Sequence[Movement], Sequence[Movement]]:
        """Return what was received for an order and what was given back, first things first."""
        async with self._units() as unit:
            return await unit.payments.of_order(order_id), await unit.refunds.of_order(order_id)

    async def set_status(  # noqa: PLR0913  # each is a fact of its own, and all but two are named
        self,
        reference: str | UUID,
        status: str,
        *,
        actor: str,
        channel: str | None = None,
        version: int | None = None,
        shipment: Shipment = NOTHING_SAID,
    ) -> Order:
        """
        Move an order's goods: `orders.status` says from where to where.

        Args:
            version: the one that the caller has seen; without it, the one that is found.

        Raises:
            StatusNotAllowed: it cannot go there from where it is, or is there already; `details` names where it can go.
            StaleVersion: somebody else changed the order since.
            Invalid: there is no such status, or the shipment's words cannot be kept.
            NotFound, AmbiguousNumber: as `get` does.
        """
        wanted = Status(require_known(status, "status", Status))
        async with self._changing(reference, channel=channel, version=version) as (unit, order):
            by = By(actor=actor, at=self._clock.now())
            return await changes.set_status_in(unit, order, wanted, shipment=shipment, by=by)

    async def record_payment(
        self,
        reference: str | UUID,
        draft: MoneyDraft,
        *,
        actor: str,
        channel: str | None = None,
        version: int | None = None,
    ) -> Order:
        """
        Record money that was received for an order; what was paid and the state of payment follow.

        Raises:
            StaleVersion: somebody else changed the order since it was read.
            Invalid: the amount, the moment or a text is not acceptable.
            NotFound, AmbiguousNumber: as `get` does.
        """
        async with self._changing(reference, channel=channel, version=version) as (unit, order):
            by = By(actor=actor, at=self._clock.now())
            return (await changes.record_payment_in(unit, order, draft, by=by)).order

    async def record_refund(
        self,
        reference: str | UUID,
        draft: MoneyDraft,
        *,
        actor: str,
        channel: str | None = None,
        version: int | None = None,
    ) -> Order:
        """
        Record money that was given back, never more than was received.

        Raises:
            RefundTooLarge: it would be more.
            StaleVersion, Invalid, NotFound, AmbiguousNumber: as `record_payment` does.
        """
        async with self._changing(reference, channel=channel, version=version) as (unit, order):
            by = By(actor=actor, at=self._clock.now())
            return (await changes.record_refund_in(unit, order, draft, by=by)).order

    async def export(self, path: Path, wanted: OrderFilter) -> export.Exported:
        """
        Write all matching orders to a file: `export.write`.

        Raises:
            Invalid: no format has the path's suffix, or no order can be as the filter says.
            Unavailable: `export_unwritable`; what was there before is still there.
        """
        require_askable(wanted)
        return await export.write(self.every(wanted), path)

    @asynccontextmanager
    async def _changing(
        self, reference: str | UUID, *, channel: str | None, version: int | None
    ) -> AsyncIterator[tuple[OrdersUnit, Order]]:
        """Open a unit with the order in it, and commit it behind the block."""
        _askable(reference, channel)
        async with self._units() as unit:
            order = await _find(unit, reference, channel=channel)
            # Told early; whoever comes between here and the commit meets the guard in the statement.
            if version not in {None, order.version}:
                raise StaleVersion(f"The order {shortened(order.number)!r}")
            yield unit, order
            await unit.commit()


def _askable(reference: str | UUID, channel: str | None) -> None:
    """Refuse a text that no order has, and that a database could not even be asked for."""
    for said in (str(reference), channel or ""):
        if defect(said):
            raise _no_order(str(reference), channel)


async def _find(unit: OrdersUnit, reference: str | UUID, *, channel: str | None) -> Order:
    id = _id(reference)
    order = None if id is None else await unit.orders.get(id)
    if order is not None and channel in {None, order.channel}:
        return order
    found = await unit.orders.by_number(identifier(str(reference)), channel=channel)
    if not found:
        raise _no_order(str(reference), channel)
    if len(found) > 1:
        raise AmbiguousNumber(found[0].number, channels=sorted(order.channel for order in found))
    return found[0]


def _id(reference: str | UUID) -> UUID | None:
    try:
        return reference if isinstance(reference, UUID) else UUID(reference)
    except ValueError:
        return None


def _no_order(reference: str, channel: str | None) -> NotFound:
    place = "" if channel is None else f" in the channel {shortened(channel)!r}"
    return NotFound(f"There is no order {shortened(reference)!r}{place}.", code="order_not_found")
