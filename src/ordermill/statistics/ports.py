"""What statistics ask of storage."""

from collections.abc import Sequence
from typing import Protocol

from ordermill.statistics.model import CustomerFigures, Difference, Extent, Figures, Stretch


class StatisticsStore(Protocol):
    """Orders' figures, kept per UTC hour and currency by whoever writes an order. Cancelled orders are left out of all."""

    async def figures(self, currency: str, stretches: Sequence[Stretch]) -> list[Figures]:
        """
        Return what happened in each stretch, all as of one moment.

        Whole hours are read from what is kept, at the same cost however many orders there are; any
        other stretch from the orders and refunds themselves, so it should be short.
        """
        ...

    async def extents(self) -> list[Extent]:
        """Return for each currency that has orders, in order of its code, when the first and the last were placed."""
        ...

    async def customer(self, user_id: int, *, currency: str, placed_by_customer: bool) -> CustomerFigures:
        """
        Return the figures of an account's orders in one currency.

        Args:
            placed_by_customer: count only those that were placed while signed in to this account.
        """
        ...

    async def differences(self) -> list[Difference]:
        """Go through all orders and refunds, and return the hours whose kept figures differ, in order."""
        ...

    async def correct(self) -> list[Difference]:
        """
        Make the kept figures those of the orders in one transaction; return what differed.

        Others may go on writing: a correction adds what is missing, and so does everybody else.
        """
        ...
