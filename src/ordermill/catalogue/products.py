"""Products: made, found, listed, changed, taken out of the catalogue; and their stock, which orders move at the same time."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ordermill.catalogue import sheets
from ordermill.catalogue.changes import changed_product, differences, facts, new_product
from ordermill.catalogue.drafts import ProductChange, ProductCreate
from ordermill.catalogue.intake import Intake, Kind, take_in
from ordermill.catalogue.model import Product
from ordermill.catalogue.ports import CatalogueUnit, ProductFilter
from ordermill.catalogue.shape import product_shape
from ordermill.kit.attempts import retried
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Conflict, NotFound, StaleVersion, Taken
from ordermill.kit.events import By, Event
from ordermill.kit.ids import new_id
from ordermill.kit.pages import Page
from ordermill.kit.text import defect, identifier, shortened, words

# Whether a product, as it was found, is the one that a change is based on.
Expected = Callable[[Product], bool]

# Of a change that is based on nothing in particular; one that is based on what somebody saw has one.
ATTEMPTS: Final = 5
_SKU: Final = "products_sku"


class SkuTaken(Conflict):
    """Another product has this SKU."""

    default_code = "sku_taken"

    def __init__(self) -> None:
        super().__init__("There is a product with this SKU already.")


class Products:
    """
    The products of a catalogue.

    Args:
        units: opens a unit of work.
        currency: of prices that name none.
    """

    def __init__(self, units: Callable[[], CatalogueUnit], *, clock: Clock, currency: str) -> None:
        self._units = units
        self._clock = clock
        self._currency = currency

    async def create(self, draft: ProductCreate, *, actor: str) -> Product:
        """
        Put a new product into the catalogue.

        Raises:
            Invalid: its price does not fit its currency.
            SkuTaken: another product has its SKU.
        """
        by = By(actor=actor, at=self._clock.now())
        product = new_product(draft, currency=self._currency, at=by.at)
        async with self._units() as unit:
            await _add(unit, [product], by)
            await _committed(unit)
        return product

    async def get(self, id: int, *, hidden: bool = True) -> Product:
        """
        Find a product.

        Args:
            hidden: also one that is not for sale.

        Raises:
            NotFound: there is none.
        """
        async with self._units() as unit:
            product = await unit.products.get(id)
        if product is None or not (hidden or product.is_active):
            raise _no_product(id)
        return product

    async def by_sku(self, sku: str) -> Product:
        """
        Find a product by its SKU.

        Raises:
            NotFound: there is none.
        """
        key = identifier(sku)
        async with self._units() as unit:
            found = {} if defect(key) else await unit.products.by_skus([key])
        if key not in found:
            raise NotFound(f"There is no product {shortened(key)!r}.", code="product_not_found")
        return found[key]

    async def page(self, wanted: ProductFilter, *, limit: int, after: int | None = None) -> Page[Product]:
        """Return products in the order of their ids, those behind `after` when given."""
        asked = (wanted.sku or "", wanted.words or "")
        # Without a word there is nothing to look for; and what no database takes, no product has.
        if any(map(defect, asked)) or (wanted.words is not None and not words(wanted.words)):
            return Page([])
        async with self._units() as unit:
            return Page.cut(await unit.products.search(wanted, limit=limit + 1, after=after), limit=limit)

    async def every(self, wanted: ProductFilter) -> AsyncGenerator[Product, None]:
        """Go through all products in the order of their ids, in flat memory."""
        async with self._units() as unit:
            async for product in unit.products.every(wanted):
                yield product

    async def change(self, id: int, draft: ProductChange, *, actor: str, expected: Expected | None = None) -> Product:
        """
        Change what a draft says, and leave the rest.

        Args:
            expected: whether the product, with its stock, is the one that the change is based on; else any is.

        Raises:
            StaleVersion: it is not.
            StockNotTracked, StockTooLow, StockTooHigh: the stock cannot change so.
            Invalid, SkuTaken: as `create` does.
            NotFound: there is none.
        """
        return await retried(
            lambda: self._change(id, draft, actor=actor, expected=expected), attempts=ATTEMPTS if expected is None else 1
        )

    async def remove(self, id: int, *, actor: str, expected: Expected | None = None) -> Product | None:
        """
        Take a product out of the catalogue: one that orders speak of is not for sale any more, another one is gone.

        Returns:
            The product where it is still there; else None.

        Raises:
            StaleVersion: it is not the one that was `expected`.
            NotFound: there is none.
        """
        return await retried(
            lambda: self._remove(id, actor=actor, expected=expected), attempts=ATTEMPTS if expected is None else 1
        )

    async def export(self, path: Path, wanted: ProductFilter) -> sheets.Exported:
        """
        Write products to a file: `sheets.write`.

        Raises:
            Invalid, Unavailable: as `sheets.write` does.
        """
        return await sheets.write(self.every(wanted), path, sheets.PRODUCTS, shape=product_shape)

    async def take_in(
        self, path: Path, *, actor: str, dry_run: bool = False, told: Callable[[Intake], None] = lambda _: None
    ) -> Intake:
        """
        Take in a file of products: those of a known SKU are changed, others are new.

        Args:
            dry_run: say what would become of them, and write nothing.
            told: is told how far it is.

        Raises:
            Invalid, Unavailable: as `sheets.read` does.
            Conflict: others keep changing the same products.
        """
        kind = Kind(
            sheet=sheets.PRODUCTS,
            change=ProductChange,
            known=lambda unit, skus: unit.products.by_skus(skus),
            make=self._made,
            add=_add,
            change_in=change_in,
        )
        by = By(actor=actor, at=self._clock.now())
        return await take_in(sheets.read(path, kind.sheet), kind, self._units, by=by, dry_run=dry_run, told=told)

    def _made(self, said: Mapping[str, Any], by: By) -> Product:
        return new_product(ProductCreate.model_validate(said), currency=self._currency, at=by.at)

    async def _change(self, id: int, draft: ProductChange, *, actor: str, expected: Expected | None) -> Product:
        by = By(actor=actor, at=self._clock.now())
        async with self._units() as unit:
            product = await _found(unit, id, expected)
            wanted = await change_in(unit, product, draft, by)
            if wanted is not product:
                await _committed(unit)
        return wanted

    async def _remove(self, id: int, *, actor: str, expected: Expected | None) -> Product | None:
        by = By(actor=actor, at=self._clock.now())
        async with self._units() as unit:
            product = await _found(unit, id, expected)
            if await unit.products.is_used(id):
                left = await change_in(unit, product, ProductChange(is_active=False), by)
                await unit.commit()
                return left
            await tell(unit, "product.removed", product, {"sku": product.sku}, by=by)
            await unit.products.delete(id)
            await unit.commit()
        return None


async def change_in(unit: CatalogueUnit, product: Product, draft: ProductChange, by: By) -> Product:
    """
    Tell an open unit what is to be otherwise about a product.

    Returns:
        The changed product; the very same where nothing is to be otherwise.
    """
    wanted = changed_product(product, draft)
    told: dict[str, Any] = differences(product, wanted)
    if draft.moves_stock_of(product):
        told["stock"] = {"change": draft.stock_change} if draft.stock_change else {"to": draft.stock}
    if not told:
        return product
    await unit.products.update(wanted)
    if draft.stock_change:
        await unit.products.move_stock(wanted, draft.stock_change, by=by)
    elif "stock" in told:
        await unit.products.set_stock(wanted, draft.stock, by=by)
    await tell(unit, "product.changed", wanted, {"sku": wanted.sku, "changed": told}, by=by)
    return wanted


async def tell(unit: CatalogueUnit, type: str, product: Product, data: dict[str, Any], *, by: By) -> None:
    """Write into the ledger what happened to a product."""
    event = Event(id=new_id(by.at), type=type, at=by.at, actor=by.actor, data=data)
    await unit.events.append(event, ids={"product_id": product})


async def _add(unit: CatalogueUnit, products: Sequence[Product], by: By) -> None:
    await unit.products.add_stocked(products, by=by)
    for product in products:
        await tell(unit, "product.created", product, facts(product), by=by)


async def _found(unit: CatalogueUnit, id: int, expected: Expected | None) -> Product:
    product = await unit.products.get(id)
    if product is None:
        raise _no_product(id)
    if expected is not None and not expected(product):
        raise StaleVersion(f"The product {id}")
    if expected is not None:
        await unit.products.stock_unmoved(product)
    return product


async def _committed(unit: CatalogueUnit) -> None:
    try:
        await unit.commit()
    except Taken as taken:
        raise SkuTaken if taken.constraint == _SKU else taken from taken


def _no_product(id: int) -> NotFound:
    return NotFound(f"There is no product {id}.", code="product_not_found")
