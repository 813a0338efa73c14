"""
Changing orders that are there, by who changes them: what `PATCH`, payments and refunds do.

Not here: what a change is (changes), who may change what (amendment).
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

import orjson

from ordermill.accounts.principal import Principal
from ordermill.kit.clock import Clock
from ordermill.kit.errors import StaleVersion, Taken, Unavailable
from ordermill.kit.events import By
from ordermill.orders import changes
from ordermill.orders.amendment import OrderChange, require_allowed
from ordermill.orders.changes import MoneyDraft, Recorded
from ordermill.orders.idempotency import Answer, Once, answered
from ordermill.orders.model import Order
from ordermill.orders.ports import OrderReader, OrdersUnit
from ordermill.orders.reading import OrderMissing, viewer_of
from ordermill.orders.shape import movement_shape

T = TypeVar("T")

# Each time somebody else came first; with as many at work on one order, one of them succeeds each time.
ATTEMPTS: Final = 30


class Desk:
    """Where orders are changed on somebody's request."""

    def __init__(self, units: Callable[[], OrdersUnit], reader: OrderReader, *, clock: Clock) -> None:
        self._units = units
        self._reader = reader
        self._clock = clock

    async def amend(self, id: UUID, change: OrderChange, *, by: Principal, version: int | None) -> Order:
        """
        Change an order in one step of its version; where all of it is so already, nothing is done.

        Args:
            version: the one that the change is based on; None for whichever is found.

        Raises:
            OrderMissing: there is none, or none that they may see.
            StaleVersion: somebody else changed the order since.
            Forbidden, StatusNotAllowed, AddressesSettled: as `amendment.require_allowed` says.
        """
        return await self._insisting(lambda: self._amend(id, change, by=by, version=version), version=version)

    async def record_payment(
        self, id: UUID, draft: MoneyDraft, *, by: Principal, version: int | None = None, once: Once | None = None
    ) -> Answer:
        """
        Record money that was received; return the answer's body, `shape.movement_shape` with the order's new state.

        Args:
            version: only if it still is the order's.
            once: the request, when it carried a key.

        Raises:
            OrderMissing: there is no such order.
            StaleVersion: the order has another version than was said.
            KeyReused: the key stands for another request.
            Invalid: the amount, the moment or a text is not acceptable.
        """
        return await self._recorded(changes.record_payment_in, id, draft, by=by, version=version, once=once)

    async def record_refund(
        self, id: UUID, draft: MoneyDraft, *, by: Principal, version: int | None = None, once: Once | None = None
    ) -> Answer:
        """
        Record money that was given back, as `record_payment` does.

        Raises:
            RefundTooLarge: it is more than what was received and not given back yet.
        """
        return await self._recorded(changes.record_refund_in, id, draft, by=by, version=version, once=once)

    async def _amend(self, id: UUID, change: OrderChange, *, by: Principal, version: int | None) -> Order:
        viewer = viewer_of(by)
        if viewer is not None and await self._reader.one(id, viewer=viewer) is None:
            raise OrderMissing
        async with self._units() as unit:
            order = await _find(unit, id, version=version)
            require_allowed(order, change, as_staff=by.acts_as_staff)
            changed = await changes.amend_in(unit, order, change.fields(), status=change.moves_to, by=self._by(by))
            if changed is not order:
                if viewer is not None:
                    # The account may have been deactivated since it was asked above.
                    await unit.orders.require_seen(id, by=viewer)
                await unit.commit()
            return changed

    async def _recorded(  # noqa: PLR0913  # each is a part of the request
        self,
        record: Callable[..., Awaitable[Recorded]],
        id: UUID,
        draft: MoneyDraft,
        *,
        by: Principal,
        version: int | None,
        once: Once | None,
    ) -> Answer:
        async def do(unit: OrdersUnit) -> Callable[[], str]:
            order = await _find(unit, id, version=version)
            recorded = await record(unit, order, draft, by=self._by(by))
            # Asked at commit, when the order has its new version.
            return lambda: orjson.dumps(movement_shape(recorded.movement, order=recorded.order)).decode()

        return await self._insisting(lambda: answered(self._units, once, do, clock=self._clock), version=version)

    async def _insisting(self, attempt: Callable[[], Awaitable[T]], *, version: int | None) -> T:
        """Do it; again while others come first, where the change is not based on what somebody has read."""
        for _ in range(ATTEMPTS):
            try:
                return await attempt()
            except (StaleVersion, Taken) as error:
                # Who gives back the same stock a moment earlier has changed the order, too.
                if isinstance(error, Taken) and error.constraint != "stock_movements_once":
                    raise
                if version is not None:
                    raise StaleVersion("The order") from error
        raise Unavailable("Too many others change this order at the same time; try again in a moment.", code="database_busy")

    def _by(self, principal: Principal) -> By:
        return By(actor=principal.actor, at=self._clock.now())


async def _find(unit: OrdersUnit, id: UUID, *, version: int | None) -> Order:
    order = await unit.orders.get(id)
    if order is None:
        raise OrderMissing
    if version not in {None, order.version}:
        raise StaleVersion("The order")
    return order
