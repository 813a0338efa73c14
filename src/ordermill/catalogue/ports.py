"""What the catalogue asks of storage."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ordermill.catalogue.model import Discount, Product
from ordermill.kit.events import By, EventLedger
from ordermill.kit.ports import Repository, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """
    Which products are wanted; what is None does not matter.

    `words`: each of them begins a word of the name, without regard to case.
    """

    is_active: bool | None = None
    sku: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountFilter:
    """Which discounts are wanted; what is None does not matter."""

    is_active: bool | None = None
    code: str | None = None


class ProductRepository(Repository[Product, int], Protocol):
    """
    Products. The SKU is unique, and the database is the judge: `Taken("products_sku")` at `commit`.

    `update` writes everything but the stock, which orders move at the same time: only `set_stock` and `move_stock` do,
    each with a movement, so that the movements of a product always add up to its stock. A new product with stock comes
    by `add_stocked`; `add` takes one whose stock is not tracked. `delete` removes a product that nothing was bought of,
    with its movements.
    """

    async def by_skus(self, skus: Collection[str], /) -> Mapping[str, Product]:
        """Return those of the products that there are."""
        ...

    async def search(self, wanted: ProductFilter, *, limit: int, after: int | None = None) -> Sequence[Product]:
        """Return products in the order of their ids, those behind `after` when given."""
        ...

    def every(self, wanted: ProductFilter) -> AsyncIterator[Product]:
        """Go through all products in the order of their ids, in flat memory."""
        ...

    async def is_used(self, id: int, /) -> bool:
        """Whether an item of an order is this product, or an order has moved its stock."""
        ...

    async def add_stocked(self, products: Sequence[Product], *, by: By) -> None:
        """Remember new products, each with its stock and the movement that says so; ids are set when `commit` returns."""
        ...

    async def set_stock(self, product: Product, stock: int | None, *, by: By) -> None:
        """
        Remember how much there is, or with None that it is not tracked any more.

        The movement is the difference to what is stored at `commit`, whatever orders have taken by then. `product.stock`
        is set when `commit` returns.
        """
        ...

    async def move_stock(self, product: Product, change: int, *, by: By) -> None:
        """
        Remember that so much came, or with a minus went. `product.stock` is set when `commit` returns.

        Raises:
            StockNotTracked: at `commit`, when it is not known how much there is.
            StockTooLow: at `commit`, when there is less than goes.
            StockTooHigh: at `commit`, when it would be more than can be kept.
        """
        ...

    async def stock_unmoved(self, product: Product, /) -> None:
        """
        Let the unit fail when the stored stock is not what `product` was read with.

        Raises:
            StaleVersion: at `commit`.
        """
        ...

    async def delete(self, id: int, /) -> bool:
        """
        Raises:
            StaleVersion: at `commit`, when something of it has been bought.
        """
        ...


class DiscountRepository(Repository[Discount, int], Protocol):
    """Discounts. The code is unique: `Taken("discounts_code")` at `commit`. `update` leaves `uses` alone: orders move it."""

    async def by_codes(self, codes: Collection[str], /) -> Mapping[str, Discount]:
        """Return those of the discounts that there are."""
        ...

    async def search(self, wanted: DiscountFilter, *, limit: int, after: int | None = None) -> Sequence[Discount]:
        """Return discounts in the order of their ids, those behind `after` when given."""
        ...

    def every(self, wanted: DiscountFilter) -> AsyncIterator[Discount]:
        """Go through all discounts in the order of their ids, in flat memory."""
        ...


class CatalogueUnit(UnitOfWork, Protocol):
    """An open unit in which products and discounts can be read and changed."""

    @property
    def products(self) -> ProductRepository: ...

    @property
    def discounts(self) -> DiscountRepository: ...

    @property
    def events(self) -> EventLedger: ...
