"""Discounts in SQL."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from ordermill.catalogue.model import Discount
from ordermill.catalogue.ports import DiscountFilter
from ordermill.storage import catalogue
from ordermill.storage.repositories.entity import SqlRepository
from ordermill.storage.tables import DiscountRow

# As many discounts as are read at a time when all are gone through.
PAGE: Final = 1000


class SqlDiscounts(SqlRepository[Discount, int]):
    """`catalogue.ports.DiscountRepository`."""

    row = DiscountRow
    noun = "discount"

    async def by_codes(self, codes: Collection[str], /) -> Mapping[str, Discount]:
        return {
            discount.code: discount for discount in await self._found(select(DiscountRow).where(DiscountRow.code.in_(codes)))
        }

    async def search(self, wanted: DiscountFilter, *, limit: int, after: int | None = None) -> Sequence[Discount]:
        query = _filtered(wanted).order_by(DiscountRow.id).limit(limit)
        return await self._found(query if after is None else query.where(DiscountRow.id > after))

    async def every(self, wanted: DiscountFilter) -> AsyncIterator[Discount]:
        after = 0
        while page := await self.search(wanted, limit=PAGE, after=after):
            for discount in page:
                yield discount
            after = page[-1].id or 0

    def to_row(self, entity: Discount) -> dict[str, Any]:
        return catalogue.discount_row(entity)

    def new_row(self, connection: Connection, entity: Discount) -> dict[str, Any]:
        return {**super().new_row(connection, entity), "uses": entity.uses}

    def load(self, connection: Connection, query: Select[Any]) -> list[Discount]:
        rows = connection.execute(query.with_only_columns(*DiscountRow.__table__.c))
        return [catalogue.discount(row) for row in rows.mappings()]

    async def _found(self, query: Select[Any]) -> list[Discount]:
        stored = await self._store.read(lambda connection: self.load(connection, query))
        current = map(self.told, stored)
        return [discount for discount in current if discount is not None]


def _filtered(wanted: DiscountFilter) -> Select[Any]:
    query = select(DiscountRow)
    if wanted.is_active is not None:
        query = query.where(DiscountRow.is_active.is_(wanted.is_active))
    if wanted.code is not None:
        query = query.where(DiscountRow.code == wanted.code)
    return query
