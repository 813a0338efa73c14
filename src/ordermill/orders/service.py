"""Orders: finding and listing them, what happened to them, and taking them out to a file."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from ordermill.kit.errors import Conflict, Invalid, NotFound
from ordermill.kit.events import Event
from ordermill.kit.text import defect, identifier, shortened
from ordermill.orders import export
from ordermill.orders.model import Order, PaymentState, Status
from ordermill.orders.ports import OrderFilter, OrdersUnit


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

    def __init__(self, units: Callable[[], OrdersUnit]) -> None:
        self._units = units

    async def get(self, reference: str | UUID, *, channel: str | None = None) -> Order:
        """
        Find an order by its id or its number.

        Args:
            channel: where to look, when several channels may have the number.

        Raises:
            NotFound: there is none.
            AmbiguousNumber: several channels have this number, and none was named.
        """
        text = str(reference)
        for said in (text, channel or ""):
            if defect(said):
                raise _no_order(text, channel)
        async with self._units() as unit:
            id = _id(reference)
            order = None if id is None else await unit.orders.get(id)
            if order is not None and channel in {None, order.channel}:
                return order
            found = await unit.orders.by_number(identifier(text), channel=channel)
        if not found:
            raise _no_order(text, channel)
        if len(found) > 1:
            raise AmbiguousNumber(found[0].number, channels=sorted(order.channel for order in found))
        return found[0]

    async def newest(self, wanted: OrderFilter, *, limit: int, after: UUID | None = None) -> Sequence[Order]:
        """
        Return orders, latest placed first, those behind the order `after` when given.

        Raises:
            Invalid: no order can be as the filter says.
            NotFound: there is no order `after`.
        """
        _judge(wanted)
        async with self._units() as unit:
            if after is not None and await unit.orders.get(after) is None:
                raise _no_order(str(after), None)
            return await unit.orders.newest(wanted, limit=limit, after=after)

    async def every(self, wanted: OrderFilter) -> AsyncGenerator[Order, None]:
        """
        Go through all matching orders in the order of their ids, in flat memory.

        Raises:
            Invalid: no order can be as the filter says.
        """
        _judge(wanted)
        async with self._units() as unit:
            async for order in unit.orders.every(wanted):
                yield order

    async def events(self, order_id: UUID) -> Sequence[Event]:
        """Return what happened to an order, first things first; also of one that an undone import has removed."""
        async with self._units() as unit:
            return await unit.events.of_order(order_id)

    async def export(self, path: Path, wanted: OrderFilter) -> export.Exported:
        """
        Write all matching orders to a file: `export.write`.

        Raises:
            Invalid: no format has the path's suffix, or no order can be as the filter says.
            Unavailable: `export_unwritable`; what was there before is still there.
        """
        _judge(wanted)
        return await export.write(self.every(wanted), path)


def _id(reference: str | UUID) -> UUID | None:
    try:
        return reference if isinstance(reference, UUID) else UUID(reference)
    except ValueError:
        return None


def _no_order(reference: str, channel: str | None) -> NotFound:
    place = "" if channel is None else f" in the channel {shortened(channel)!r}"
    return NotFound(f"There is no order {shortened(reference)!r}{place}.", code="order_not_found")


def _judge(wanted: OrderFilter) -> None:
    """Refuse a filter that would silently find nothing, or that a database could not even be asked for."""
    for name, words in (("status", Status), ("payment", PaymentState)):
        word = getattr(wanted, name)
        known = [member.value for member in words]
        if word is not None and word not in known:
            raise Invalid(
                f"{shortened(word)!r} is no {name} of an order; it is one of {', '.join(known)}.", code=f"unknown_{name}"
            )
    for name, value in asdict(wanted).items():
        if isinstance(value, str) and (problem := defect(value)):
            raise Invalid(f"No order's {name} holds a {problem}.", code="text_not_storable")
