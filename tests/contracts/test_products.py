"""Products: found by id, SKU and words, unique by SKU; their stock is always what their movements add up to."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import anyio
import pytest
from builders import LATER, NOON, a_product, an_item, an_order
from storages import Storage

from ordermill.catalogue.model import STOCK_LIMIT, Product, StockNotTracked, StockTooHigh, StockTooLow
from ordermill.catalogue.ports import ProductFilter, ProductRepository
from ordermill.kit.errors import Conflict, NotFound, StaleVersion, Taken
from ordermill.kit.events import By

pytestmark = pytest.mark.anyio

STAFF = By(actor="user:7", at=LATER)


async def the_product(storage: Storage) -> Product:
    (product,) = await storage.unit().products.get_all()
    return product


async def movements(storage: Storage) -> list[tuple[Any, ...]]:
    return await storage.rows("stock_movements", "change", "kind", "order_id", "actor", "at")


async def told(storage: Storage, *steps: Callable[[ProductRepository], Awaitable[object]]) -> None:
    """Commit a unit that was told so much of products."""
    async with storage.unit() as unit:
        for step in steps:
            await step(unit.products)
        await unit.commit()


async def set_stock(storage: Storage, product: Product, stock: int | None) -> None:
    await told(storage, lambda products: products.set_stock(product, stock, by=STAFF))


async def set_if_unmoved(storage: Storage, seen: Product, stock: int) -> None:
    await told(
        storage,
        lambda products: products.stock_unmoved(seen),
        lambda products: products.set_stock(seen, stock, by=STAFF),
    )


class TestAdd:
    async def test_keeps_every_field(self, storage: Storage) -> None:
        product = a_product(
            "Tee-ü1", "0.001", name="Grüner Tee 🍵", currency="BHD", stock=7, is_active=False,
            created_at=NOON + timedelta(microseconds=5), version=3,
        )  # fmt: skip

        await storage.keep(product)

        assert product.id is not None
        stored = await the_product(storage)
        assert stored == product
        assert (stored.price, type(stored.is_active)) == (Decimal("0.001"), bool)

    async def test_writes_the_movement_that_says_so(self, storage: Storage) -> None:
        async with storage.unit() as unit:
            await unit.products.add_stocked([a_product(stock=7), a_product("MUG-1", stock=0), a_product("CUP-1")], by=STAFF)
            await unit.commit()

        assert await movements(storage) == [(7, "set", None, "user:7", LATER)]

    async def test_gives_each_of_many_its_own_id(self, storage: Storage) -> None:
        products = [a_product(f"TEA-{number}", stock=number) for number in range(50)]

        await storage.keep(a_product("MUG-1"))
        async with storage.unit() as unit:
            await unit.products.add_stocked(products, by=STAFF)
            await unit.commit()

        found = await storage.unit().products.by_skus([product.sku for product in products])
        assert [found[product.sku] for product in products] == products

    async def test_of_a_product_with_stock_goes_the_other_way(self, storage: Storage) -> None:
        with pytest.raises(ValueError, match="add_stocked"):
            await told(storage, lambda products: products.add(a_product(stock=7)))

        assert await storage.unit().products.get_all() == []

    async def test_refuses_a_sku_twice(self, storage: Storage) -> None:
        await storage.keep(a_product())

        with pytest.raises(Taken) as caught:
            await storage.keep(again := a_product(stock=5))

        assert (caught.value.constraint, again.id) == ("products_sku", None)
        assert await movements(storage) == []

    async def test_tells_capitals_apart(self, storage: Storage) -> None:
        await storage.keep(a_product("tea-1"), a_product("TEA-1"))

        assert set(await storage.unit().products.by_skus(["tea-1", "TEA-1", "Tea-1"])) == {"tea-1", "TEA-1"}

    async def test_never_gives_an_id_again(self, storage: Storage) -> None:
        await storage.keep(first := a_product())
        async with storage.unit() as unit:
            await unit.products.delete(first.id or 0)
            await unit.commit()

        await storage.keep(second := a_product())

        assert (second.id or 0) > (first.id or 0)

    @pytest.mark.parametrize("said", [{"price": "-0.01"}, {"stock": -1}])
    async def test_refuses_what_cannot_be(self, storage: Storage, said: dict[str, Any]) -> None:
        with pytest.raises(Conflict):
            await storage.keep(a_product(**said))

        assert await storage.unit().products.get_all() == []


class TestUpdate:
    async def test_leaves_the_stock_alone(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7))
        await set_stock(storage, await the_product(storage), 3)

        async with storage.unit() as unit:
            product.name, product.price = "Green tea", Decimal("4.80")
            await unit.products.update(product)
            await unit.commit()

        stored = await the_product(storage)
        assert (stored.name, stored.price, stored.stock, stored.version) == ("Green tea", Decimal("4.80"), 3, 2)

    async def test_refuses_what_somebody_else_has_changed(self, storage: Storage) -> None:
        await storage.keep(a_product())
        one, other = await the_product(storage), await the_product(storage)
        for product in (one, other):
            product.name = "Green tea"

        await told(storage, lambda products: products.update(one))
        with pytest.raises(StaleVersion):
            await told(storage, lambda products: products.update(other))

        assert (await the_product(storage)).version == 2

    async def test_finds_the_product_by_its_new_words(self, storage: Storage) -> None:
        await storage.keep(product := a_product())

        async with storage.unit() as unit:
            product.name = "Coffee"
            await unit.products.update(product)
            await unit.commit()

        products = storage.unit().products
        assert await products.search(ProductFilter(words="tea"), limit=9) == []
        assert await products.search(ProductFilter(words="coffee"), limit=9) == [product]


class TestSetStock:
    async def test_moves_by_the_difference_to_what_is_stored(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7))
        await set_stock(storage, await the_product(storage), 5)

        await set_stock(storage, product, 20)

        assert product.stock == (await the_product(storage)).stock == 20
        assert [change for change, *_ in await movements(storage)] == [-2, 7, 15]

    async def test_to_what_it_is_moves_nothing(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7))

        await set_stock(storage, product, 7)

        assert [change for change, *_ in await movements(storage)] == [7]

    async def test_to_none_brings_the_movements_back_to_nothing(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7))

        await set_stock(storage, product, None)

        assert (await the_product(storage)).stock is None
        assert [change for change, *_ in await movements(storage)] == [-7, 7]

    async def test_begins_to_track(self, storage: Storage) -> None:
        await storage.keep(product := a_product())

        await set_stock(storage, product, 4)

        assert (await the_product(storage)).stock == 4
        assert [change for change, *_ in await movements(storage)] == [4]

    async def test_below_nothing_is_refused(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7))

        with pytest.raises(Conflict):
            await set_stock(storage, product, -1)

        assert product.stock == (await the_product(storage)).stock == 7
        assert [change for change, *_ in await movements(storage)] == [7]

    async def test_of_nothing_is_refused(self, storage: Storage) -> None:
        with pytest.raises(NotFound):
            await set_stock(storage, a_product(id=99), 3)


class TestMoveStock:
    async def test_adds_to_what_is_stored(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7))
        await set_stock(storage, await the_product(storage), 5)

        await told(storage, lambda products: products.move_stock(product, 20, by=STAFF))

        assert product.stock == (await the_product(storage)).stock == 25

    async def test_of_many_at_once_loses_none(self, storage: Storage) -> None:
        await storage.keep(a_product(stock=0))

        async def receive() -> None:
            product = await the_product(storage)
            await told(storage, lambda products: products.move_stock(product, 3, by=STAFF))

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(receive)

        assert (await the_product(storage)).stock == 60
        assert [change for change, *_ in await movements(storage)] == [3] * 20

    @pytest.mark.parametrize(
        ("stock", "change", "refusal"),
        [(None, 5, StockNotTracked), (7, -8, StockTooLow), (7, STOCK_LIMIT - 6, StockTooHigh)],
    )
    async def test_refuses_what_cannot_be(
        self, storage: Storage, stock: int | None, change: int, refusal: type[Conflict]
    ) -> None:
        await storage.keep(product := a_product(stock=stock))

        with pytest.raises(refusal):
            await told(storage, lambda products: products.move_stock(product, change, by=STAFF))

        assert product.stock == (await the_product(storage)).stock == stock


class TestStockUnmoved:
    async def test_refuses_when_it_moved(self, storage: Storage) -> None:
        await storage.keep(seen := a_product(stock=7))
        await set_stock(storage, await the_product(storage), 6)

        with pytest.raises(StaleVersion):
            await set_if_unmoved(storage, seen, 40)

        assert (await the_product(storage)).stock == 6

    async def test_lets_pass_when_it_did_not(self, storage: Storage) -> None:
        await storage.keep(seen := a_product(stock=7))

        await set_if_unmoved(storage, seen, 40)

        assert (await the_product(storage)).stock == 40


class TestDelete:
    async def test_takes_the_movements_along(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7))

        async with storage.unit() as unit:
            assert await unit.products.delete(product.id or 0) is True
            await unit.commit()

        assert await storage.rows("products", "sku") == []
        assert await movements(storage) == []

    async def test_of_nothing_is_false(self, storage: Storage) -> None:
        assert await storage.unit().products.delete(99) is False

    async def test_refuses_what_was_bought(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7))
        await storage.keep(an_order(items=[an_item(product_id=product.id)]))
        assert await storage.unit().products.is_used(product.id or 0) is True

        with pytest.raises(StaleVersion):
            await told(storage, lambda products: products.delete(product.id or 0))

        assert await the_product(storage) == product

    async def test_knows_what_was_not(self, storage: Storage) -> None:
        await storage.keep(product := a_product(stock=7), mug := a_product("MUG-1"))
        await storage.keep(an_order(items=[an_item(product_id=mug.id)]))

        assert await storage.unit().products.is_used(product.id or 0) is False

    async def test_of_an_item_without_its_product_is_refused(self, storage: Storage) -> None:
        with pytest.raises(Conflict):
            await storage.keep(an_order(items=[an_item(product_id=99)]))

        assert await storage.unit().orders.get_all() == []


class TestSearch:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("tea", ["A", "B", "E"]),
            ("TE", ["A", "B", "E"]),
            ("gre te", ["A"]),
            ("grüner", ["B"]),
            ("GRÜ", ["B"]),
            ("ea", []),
            ("100", ["C"]),
            ("cotton", ["C"]),
            ("0%", ["C", "E"]),
            ("strasse", ["D"]),
            ("king", ["E"]),
            ("mug_1", []),
        ],
    )
    async def test_finds_the_beginnings_of_words(self, storage: Storage, words: str, found: list[str]) -> None:
        names = {"A": "Green Tea", "B": "Grüner Tea", "C": "Shirt, 0-100% cotton", "D": "Karte der STRAẞE", "E": "King's-tea 0"}
        await storage.keep(*(a_product(sku, name=name) for sku, name in names.items()))

        products = await storage.unit().products.search(ProductFilter(words=words), limit=9)

        assert [product.sku for product in products] == found

    async def test_filters_and_pages(self, storage: Storage) -> None:
        await storage.keep(*(a_product(f"TEA-{number}", is_active=number % 2 == 0) for number in range(6)))
        products = storage.unit().products

        page = await products.search(ProductFilter(is_active=True), limit=2)
        rest = await products.search(ProductFilter(is_active=True), limit=2, after=page[-1].id)

        assert [product.sku for product in page] == ["TEA-0", "TEA-2"]
        assert [product.sku for product in rest] == ["TEA-4"]
        assert [product.sku for product in await products.search(ProductFilter(sku="TEA-3"), limit=9)] == ["TEA-3"]
        assert [product.sku async for product in products.every(ProductFilter(is_active=False))] == ["TEA-1", "TEA-3", "TEA-5"]
