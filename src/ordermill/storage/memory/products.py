"""Products and the movements of their stock in memory."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from ordermill.catalogue.model import Product, moved_stock
from ordermill.catalogue.ports import ProductFilter
from ordermill.kit.errors import NotFound, StaleVersion
from ordermill.kit.events import By
from ordermill.kit.text import words
from ordermill.storage import catalogue
from ordermill.storage.entities import Row
from ordermill.storage.gathering import Gathering
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.checks import check_product, check_stock_movement


class MemoryProducts(Gathering[Product, int, Book]):
    """`catalogue.ports.ProductRepository`."""

    noun = "product"

    async def by_skus(self, skus: Collection[str], /) -> Mapping[str, Product]:
        return {product.sku: product for product in await self._found(lambda row: row["sku"] in skus)}

    async def search(self, wanted: ProductFilter, *, limit: int, after: int | None = None) -> Sequence[Product]:
        return (await self._found(lambda row: _fits(row, wanted) and row["id"] > (after or 0)))[:limit]

    async def every(self, wanted: ProductFilter) -> AsyncIterator[Product]:
        for product in await self._found(lambda row: _fits(row, wanted)):
            yield product

    async def is_used(self, id: int, /) -> bool:
        return await self._store.read(lambda book: _used(book, id))

    async def add_stocked(self, products: Sequence[Product], *, by: By) -> None:
        def write(book: Book) -> None:
            for product in products:
                product.id = self._insert(book, product, None)
                if product.stock:
                    _count(book, product.id, product.stock, by=by)

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

        def guard(book: Book) -> None:
            if _stored(book, product.id)["stock"] != seen:
                raise StaleVersion(f"The product {product.sku!r}")

        self._told.change(guard)

    def find(self, book: Book, id: int, /) -> Product | None:
        row = book.products.rows.get(id)
        return None if row is None else catalogue.product(row)

    def page(self, book: Book, /, *, limit: int, after: int | None) -> Sequence[Product]:
        ids = sorted(id for id in book.products.rows if after is None or id > after)[:limit]
        return [catalogue.product(book.products.rows[id]) for id in ids]

    def insert(self, book: Book, entity: Product, id: int | None, /) -> int:
        if entity.stock is not None:
            raise ValueError("A product with stock is added by `add_stocked`, which also writes the movement.")
        return self._insert(book, entity, id)

    def replace(self, book: Book, entity: Product, expected: int, /) -> None:
        stored = _stored(book, entity.id)
        if stored["version"] != expected:
            raise StaleVersion(f"The product {entity.id!s}")
        row = {**stored, **catalogue.product_row(entity), "version": expected + 1}
        check_product(row)
        book.products.replace(stored["id"], row)

    def remove(self, book: Book, id: int, /) -> None:
        if _used(book, id):
            raise StaleVersion(f"The product {id}")
        if id in book.products.rows:
            for movement in [key for key, row in book.stock_movements.rows.items() if row["product_id"] == id]:
                book.stock_movements.remove(movement)
            book.products.remove(id)

    def _insert(self, book: Book, product: Product, id: int | None) -> int:
        row = {**catalogue.product_row(product), "stock": product.stock}
        check_product(row)
        return book.add_numbered(book.products, row, id=id)

    async def _found(self, fits: Callable[[Row], bool]) -> list[Product]:
        def look(book: Book) -> list[Product]:
            return [catalogue.product(row) for _, row in sorted(book.products.rows.items()) if fits(row)]

        current = map(self.told, await self._store.read(look))
        return [product for product in current if product is not None]

    def _move(self, product: Product, after: Callable[[int | None], int | None], *, by: By) -> None:
        seen = product.stock

        def write(book: Book) -> None:
            stored = _stored(book, product.id)
            stock = after(stored["stock"])
            if change := (stock or 0) - (stored["stock"] or 0):
                _count(book, stored["id"], change, by=by)
            row = {**stored, "stock": stock}
            check_product(row)
            book.products.replace(stored["id"], row)
            product.stock = stock

        def take_back() -> None:
            product.stock = seen

        self._told.change(write, take_back=take_back)


def _count(book: Book, product: int, change: int, *, by: By) -> None:
    row = catalogue.counted(product, change, by=by)
    check_stock_movement(row)
    book.add_numbered(book.stock_movements, row)


def _stored(book: Book, id: int | None) -> Row:
    row = book.products.rows.get(id or 0)
    if row is None:
        raise NotFound(f"There is no product {id}.")
    return row


def _used(book: Book, id: int) -> bool:
    ordered = any(row["product_id"] == id and row["order_id"] is not None for row in book.stock_movements.rows.values())
    return ordered or any(item["product_id"] == id for items in book.items.values() for item in items)


def _fits(row: Row, wanted: ProductFilter) -> bool:
    asked = (wanted.is_active is None or row["is_active"] == wanted.is_active, wanted.sku in {None, row["sku"]})
    return all(asked) and all(f" {word}" in row["name_key"] for word in words(wanted.words or ""))
