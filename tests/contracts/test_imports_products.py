"""Items of an import and the catalogue: what is sold under the SKU of a product is that product."""

import pytest
from builders import NOON, a_batch, a_file, sold
from sqlalchemy import insert
from storages import in_sql

from ordermill.storage.database import Database
from ordermill.storage.imports import SqlImports
from ordermill.storage.tables import ProductRow

pytestmark = pytest.mark.anyio


class TestItems:
    async def test_are_linked_to_the_product_of_their_sku_and_to_none_where_there_is_none(self, database: Database) -> None:
        tea = {"sku": "TEA-1", "name": "Tea", "name_key": " tea", "price": 450, "currency": "EUR", "created_at": NOON}
        statement = insert(ProductRow).values(**tea, is_active=True, version=1).returning(ProductRow.id)
        product = await database.write(lambda connection: connection.execute(statement).scalar_one())
        imports = SqlImports(database)
        run = await imports.begin(a_file(), at=NOON, actor="import")

        # A SKU's case is significant: tea-1 is another product.
        await imports.load(run, a_batch(sold("1", ("TEA-1", 1, 450), ("tea-1", 1, 100))), at=NOON)

        assert await in_sql(database).rows("order_items", "sku", "product_id") == [("TEA-1", product), ("tea-1", None)]
