"""Discounts in memory."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from ordermill.catalogue.model import Discount
from ordermill.catalogue.ports import DiscountFilter
from ordermill.kit.errors import NotFound, StaleVersion
from ordermill.storage import catalogue
from ordermill.storage.entities import Row
from ordermill.storage.gathering import Gathering
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.checks import check_discount


class MemoryDiscounts(Gathering[Discount, int, Book]):
    """`catalogue.ports.DiscountRepository`."""

    noun = "discount"

    async def by_codes(self, codes: Collection[str], /) -> Mapping[str, Discount]:
        return {discount.code: discount for discount in await self._found(lambda row: row["code"] in codes)}

    async def search(self, wanted: DiscountFilter, *, limit: int, after: int | None = None) -> Sequence[Discount]:
        return (await self._found(lambda row: _fits(row, wanted) and row["id"] > (after or 0)))[:limit]

    async def every(self, wanted: DiscountFilter) -> AsyncIterator[Discount]:
        for discount in await self._found(lambda row: _fits(row, wanted)):
            yield discount

    def find(self, book: Book, id: int, /) -> Discount | None:
        row = book.discounts.rows.get(id)
        return None if row is None else catalogue.discount(row)

    def page(self, book: Book, /, *, limit: int, after: int | None) -> Sequence[Discount]:
        ids = sorted(id for id in book.discounts.rows if after is None or id > after)[:limit]
        return [catalogue.discount(book.discounts.rows[id]) for id in ids]

    def insert(self, book: Book, entity: Discount, id: int | None, /) -> int:
        row = {**catalogue.discount_row(entity), "uses": entity.uses}
        check_discount(row)
        return book.add_numbered(book.discounts, row, id=id)

    def replace(self, book: Book, entity: Discount, expected: int, /) -> None:
        stored = book.discounts.rows.get(entity.id or 0)
        if stored is None:
            raise NotFound(f"There is no discount {entity.id!s}.")
        if stored["version"] != expected:
            raise StaleVersion(f"The discount {entity.id!s}")
        row = {**stored, **catalogue.discount_row(entity), "version": expected + 1}
        check_discount(row)
        book.discounts.replace(stored["id"], row)

    def remove(self, book: Book, id: int, /) -> None:
        if id in book.discounts.rows:
            book.discounts.remove(id)

    async def _found(self, fits: Callable[[Row], bool]) -> list[Discount]:
        def look(book: Book) -> list[Discount]:
            return [catalogue.discount(row) for _, row in sorted(book.discounts.rows.items()) if fits(row)]

        current = map(self.told, await self._store.read(look))
        return [discount for discount in current if discount is not None]


def _fits(row: Row, wanted: DiscountFilter) -> bool:
    return (wanted.is_active is None or row["is_active"] == wanted.is_active) and wanted.code in {None, row["code"]}
