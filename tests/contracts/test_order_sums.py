"""An order and its items add up, or they are refused: by CHECK constraints on the databases, by the same rules in memory."""

from decimal import Decimal

import pytest
from builders import an_item, an_order
from storages import Storage

from ordermill.kit.errors import Conflict

pytestmark = pytest.mark.anyio


class TestSums:
    """PRODUCT.md section 2; what CHECK constraints refuse on the databases, memory refuses too."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"total": Decimal("9.01")},
            {"subtotal": Decimal("8.99")},
            {"discount": Decimal("1.00")},
            {"discount": Decimal("9.01"), "total": Decimal("-0.01")},
            {"discount": Decimal("-1.00"), "total": Decimal("10.00")},
            {"paid": Decimal("-0.01")},
            {"refunded": Decimal("-0.01")},
            {"tax_included": Decimal("-0.01")},
        ],
    )
    async def test_of_an_order_must_add_up(self, storage: Storage, wrong: dict[str, Decimal]) -> None:
        order = an_order()
        for amount, value in wrong.items():
            setattr(order, amount, value)

        with pytest.raises(Conflict, match="check:orders_"):
            await storage.keep(order)

        assert await storage.unit().orders.get_all() == []

    @pytest.mark.parametrize(
        "wrong",
        [
            {"quantity": 0},
            {"quantity": 3},
            {"unit_price": Decimal("4.51")},
            {"unit_price": Decimal("-4.50")},
            {"total": Decimal("9.01")},
            {"discount": Decimal("9.01")},
            {"discount": Decimal("-0.01")},
        ],
    )
    async def test_of_an_item_must_add_up(self, storage: Storage, wrong: dict[str, Decimal | int]) -> None:
        order = an_order()
        for field, value in wrong.items():
            setattr(order.items[0], field, value)

        with pytest.raises(Conflict, match="check:order_items_"):
            await storage.keep(order)

        assert await storage.unit().orders.get_all() == []

    @pytest.mark.parametrize(
        ("quantity", "unit_price", "total"),
        [
            (3, "0.3333", "1.00"),  # a total given by the source, the unit price derived from it
            (1, "0.0050", "0.01"),  # rounded half up at the line
            (1000, "0.0125", "12.50"),
        ],
    )
    async def test_of_an_item_may_be_rounded_at_the_line(
        self, storage: Storage, quantity: int, unit_price: str, total: str
    ) -> None:
        await storage.keep(an_order(items=[an_item("A", quantity, unit_price, total=Decimal(total))]))

        assert str((await storage.the_order()).items[0].total) == total
