"""Discounts: made, found, listed, changed. Their use is counted where orders are placed and cancelled (orders)."""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ordermill.catalogue import sheets
from ordermill.catalogue.changes import changed_discount, differences, facts, new_discount
from ordermill.catalogue.drafts import DiscountChange, DiscountCreate
from ordermill.catalogue.intake import Intake, Kind, take_in
from ordermill.catalogue.model import Discount
from ordermill.catalogue.ports import CatalogueUnit, DiscountFilter
from ordermill.catalogue.shape import discount_shape
from ordermill.kit.attempts import retried
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Conflict, NotFound, Taken
from ordermill.kit.events import By, Event
from ordermill.kit.ids import new_id
from ordermill.kit.pages import Page
from ordermill.kit.text import defect, shortened

ATTEMPTS: Final = 5
_CODE: Final = "discounts_code"


class DiscountCodeTaken(Conflict):
    """Another discount has this code."""

    default_code = "discount_code_taken"

    def __init__(self) -> None:
        super().__init__("There is a discount with this code already.")


class Discounts:
    """
    The discounts of a catalogue.

    Args:
        units: opens a unit of work.
    """

    def __init__(self, units: Callable[[], CatalogueUnit], *, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def create(self, draft: DiscountCreate, *, actor: str) -> Discount:
        """
        Make a new discount.

        Raises:
            Invalid: its parts do not fit together.
            DiscountCodeTaken: another one has its code.
        """
        by = By(actor=actor, at=self._clock.now())
        discount = new_discount(draft, at=by.at)
        async with self._units() as unit:
            await _add(unit, [discount], by)
            await _committed(unit)
        return discount

    async def get(self, id: int) -> Discount:
        """
        Find a discount.

        Raises:
            NotFound: there is none.
        """
        async with self._units() as unit:
            return await _found(unit, id)

    async def by_code(self, code: str) -> Discount:
        """
        Find a discount by its code.

        Raises:
            NotFound: there is none.
        """
        async with self._units() as unit:
            found = {} if defect(code) else await unit.discounts.by_codes([code])
        if code not in found:
            raise NotFound(f"There is no discount {shortened(code)!r}.", code="discount_not_found")
        return found[code]

    async def page(self, wanted: DiscountFilter, *, limit: int, after: int | None = None) -> Page[Discount]:
        """Return discounts in the order of their ids, those behind `after` when given."""
        if defect(wanted.code or ""):
            return Page([])
        async with self._units() as unit:
            return Page.cut(await unit.discounts.search(wanted, limit=limit + 1, after=after), limit=limit)

    async def every(self, wanted: DiscountFilter) -> AsyncGenerator[Discount, None]:
        """Go through all discounts in the order of their ids, in flat memory."""
        async with self._units() as unit:
            async for discount in unit.discounts.every(wanted):
                yield discount

    async def change(self, id: int, draft: DiscountChange, *, actor: str) -> Discount:
        """
        Change what a draft says, and leave the rest. Limits below what was used already only stop further use.

        Raises:
            Invalid, DiscountCodeTaken: as `create` does.
            StaleVersion: others keep changing it.
            NotFound: there is none.
        """
        return await retried(lambda: self._change(id, draft, actor=actor), attempts=ATTEMPTS)

    async def export(self, path: Path, wanted: DiscountFilter) -> sheets.Exported:
        """
        Write discounts to a file: `sheets.write`.

        Raises:
            Invalid, Unavailable: as `sheets.write` does.
        """
        return await sheets.write(self.every(wanted), path, sheets.DISCOUNTS, shape=discount_shape)

    async def take_in(
        self, path: Path, *, actor: str, dry_run: bool = False, told: Callable[[Intake], None] = lambda _: None
    ) -> Intake:
        """
        Take in a file of discounts: those of a known code are changed, others are new.

        Args:
            dry_run: say what would become of them, and write nothing.
            told: is told how far it is.

        Raises:
            Invalid, Unavailable: as `sheets.read` does.
            Conflict: others keep changing the same discounts.
        """
        kind = Kind(
            sheet=sheets.DISCOUNTS,
            change=DiscountChange,
            known=lambda unit, codes: unit.discounts.by_codes(codes),
            make=lambda said, by: new_discount(DiscountCreate.model_validate(said), at=by.at),
            add=_add,
            change_in=change_in,
        )
        by = By(actor=actor, at=self._clock.now())
        return await take_in(sheets.read(path, kind.sheet), kind, self._units, by=by, dry_run=dry_run, told=told)

    async def _change(self, id: int, draft: DiscountChange, *, actor: str) -> Discount:
        by = By(actor=actor, at=self._clock.now())
        async with self._units() as unit:
            wanted = await change_in(unit, await _found(unit, id), draft, by)
            await _committed(unit)
        return wanted


async def change_in(unit: CatalogueUnit, discount: Discount, draft: DiscountChange, by: By) -> Discount:
    """
    Tell an open unit what is to be otherwise about a discount.

    Returns:
        The changed discount; the very same where nothing is to be otherwise.
    """
    wanted = changed_discount(discount, draft)
    told = differences(discount, wanted)
    if not told:
        return discount
    await unit.discounts.update(wanted)
    await tell(unit, "discount.changed", wanted, {"code": wanted.code, "changed": told}, by=by)
    return wanted


async def tell(unit: CatalogueUnit, type: str, discount: Discount, data: dict[str, Any], *, by: By) -> None:
    """Write into the ledger what happened to a discount."""
    event = Event(id=new_id(by.at), type=type, at=by.at, actor=by.actor, data=data)
    await unit.events.append(event, ids={"discount_id": discount})


async def _add(unit: CatalogueUnit, discounts: Sequence[Discount], by: By) -> None:
    for discount in discounts:
        await unit.discounts.add(discount)
        await tell(unit, "discount.created", discount, facts(discount), by=by)


async def _found(unit: CatalogueUnit, id: int) -> Discount:
    discount = await unit.discounts.get(id)
    if discount is None:
        raise NotFound(f"There is no discount {id}.", code="discount_not_found")
    return discount


async def _committed(unit: CatalogueUnit) -> None:
    try:
        await unit.commit()
    except Taken as taken:
        raise DiscountCodeTaken if taken.constraint == _CODE else taken from taken
