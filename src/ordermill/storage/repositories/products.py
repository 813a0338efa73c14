"""Products and the movements of their stock in SQL."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, exists, insert, or_, select, update

from ordermill.catalogue.model import Product, moved_stock
from ordermill.catalogue.ports import ProductFilter
from ordermill.kit.errors import NotFound, StaleVersion
from ordermill.kit.events import By
from ordermill.kit.text import words
from ordermill.storage import catalogue
from ordermill.storage.repositories.entity import SqlRepository
from ordermill.storage.tables import ItemRow, MovementRow, ProductRow

# As many products as are read at a time when all are gone through.
PAGE: Final = 1000

_ORDERS: Final = ("order", "cancel")

# Made once: a file of products runs them thousands of times, and to build one anew costs ten times as much as to run it.
_PRODUCTS: Final = ProductRow.__table__
_THIS: Final = _PRODUCTS.c.id == bindparam("product")
_LOCK: Final = select(_PRODUCTS.c.stock).where(_THIS).with_for_update()
_SET_STOCK: Final = update(_PRODUCTS).where(_THIS).values(stock=bindparam("new_stock"))
_COUNT: Final = insert(MovementRow.__table__)


class SqlProducts(SqlRepository[Product, int]):
    """`catalogue.ports.ProductRepository`."""

    row = ProductRow
    noun = "product"

    async def by_skus(self, skus: Collection[str], /) -> Mapping[str, Product]:
        return {product.sku: product for product in await self._found(select(ProductRow).where(ProductRow.sku.in_(skus)))}

    async def search(self, wanted: ProductFilter, *, limit: int, after: int | None = None) -> Sequence[Product]:
        query = _filtered(wanted).order_by(ProductRow.id).limit(limit)
        return await self._found(query if after is None else query.where(ProductRow.id > after))

    async def every(self, wanted: ProductFilter) -> AsyncIterator[Product]:
        after = 0
        while page := await self.search(wanted, limit=PAGE, after=after):
            for product in page:
                yield product
            after = page[-1].id or 0

    async def is_used(self, id: int, /) -> bool:
        return await self._store.read(lambda connection: _used(connection, id))

    async def add_stocked(self, products: Sequence[Product], *, by: By) -> None:
        def write(connection: Connection) -> None:
            if not products:
                return  # an INSERT of no rows would be one of an empty row
            rows = [{**self.to_row(product), "stock": product.stock} for product in products]
            statement = insert(ProductRow).returning(ProductRow.id, sort_by_parameter_order=True)
            for product, id in zip(products, connection.execute(statement, rows).scalars().all(), strict=True):
                product.id = id
            moved = [catalogue.counted(product.id or 0, product.stock, by=by) for product in products if product.stock]
            if moved:
                connection.execute(_COUNT, moved)

        def take_back() -> None:
            for product in products:
                product.id = None

        for product in products:
            self._tell(product)
        self._told.change(write, take_back=take_back)

    async def set_stock(self, product: Product, stock: int | None, *, by: By) -> None:
        self._move(product, lambda _: stock, by=by)

    async def move_stock(self, product: Product, change: int, *, by: By) -> None:
        self._move(product, lambda stored: moved_stock(product, stored=stored, change=change), by=by)

    async def stock_unmoved(self, product: Product, /) -> None:
        seen = product.stock

        def guard(connection: Connection) -> None:
            if _locked_stock(connection, product) != seen:
                raise StaleVersion(f"The product {product.sku!r}")

        self._told.change(guard)

    def to_row(self, entity: Product) -> dict[str, Any]:
        return catalogue.product_row(entity)

    def load(self, connection: Connection, query: Select[Any]) -> list[Product]:
        rows = connection.execute(query.with_only_columns(*ProductRow.__table__.c))
        return [catalogue.product(row) for row in rows.mappings()]

    def insert(self, connection: Connection, entity: Product, id: int | None, /) -> int:
        if entity.stock is not None:
            raise ValueError("A product with stock is added by `add_stocked`, which also writes the movement.")
        return super().insert(connection, entity, id)

    def remove(self, connection: Connection, id: int, /) -> None:
        # Locked first: whoever buys it waits here, and then finds it gone, or has bought it and is seen by the next question.
        connection.execute(select(ProductRow.id).where(ProductRow.id == id).with_for_update())
        if _used(connection, id):
            raise StaleVersion(f"The product {id}")
        connection.execute(delete(MovementRow).where(MovementRow.product_id == id))
        super().remove(connection, id)

    async def _found(self, query: Select[Any]) -> list[Product]:
        stored = await self._store.read(lambda connection: self.load(connection, query))
        current = map(self.told, stored)
        return [product for product in current if product is not None]

    def _move(self, product: Product, after: Callable[[int | None], int | None], *, by: By) -> None:
        seen = product.stock

        def write(connection: Connection) -> None:
            stored = _locked_stock(connection, product)
            stock = after(stored)
            if change := (stock or 0) - (stored or 0):
                connection.execute(_COUNT, catalogue.counted(product.id or 0, change, by=by))
            connection.execute(_SET_STOCK, {"product": product.id, "new_stock": stock})
            product.stock = stock

        def take_back() -> None:
            product.stock = seen

        self._told.change(write, take_back=take_back)


def _locked_stock(connection: Connection, product: Product) -> int | None:
    """Return the stock as it is until this transaction ends."""
    found = connection.execute(_LOCK, {"product": product.id}).first()
    if found is None:
        raise NotFound(f"There is no product {product.id}.")
    stock: int | None = found[0]
    return stock


def _used(connection: Connection, id: int) -> bool:
    moved = exists().where(MovementRow.product_id == id, MovementRow.kind.in_(_ORDERS))
    bought = exists().where(ItemRow.product_id == id)
    return bool(connection.execute(select(or_(bought, moved))).scalar_one())


def _filtered(wanted: ProductFilter) -> Select[Any]:
    query = select(ProductRow)
    if wanted.is_active is not None:
        query = query.where(ProductRow.is_active.is_(wanted.is_active))
    if wanted.sku is not None:
        query = query.where(ProductRow.sku == wanted.sku)
    if wanted.words is not None:
        for word in words(wanted.words):
            query = query.where(ProductRow.name_key.contains(f" {word}"))  # letters and digits only: nothing to escape
    return query
