"""Placing orders does the same on all three storages: what is written, what is refused, and that nothing is left then."""

import asyncio
from decimal import Decimal
from typing import Any

import orjson
import pytest
from builders import LATER, NOON
from shopping import STAFF, STOREFRONT, Shop, a_draft, a_line, signed_in
from storages import Storage

from ordermill.accounts.principal import Principal
from ordermill.catalogue.model import DiscountKind
from ordermill.kit.errors import Conflict, Forbidden, NotFound, ServiceError
from ordermill.orders.draft import OrderCreate
from ordermill.orders.model import PaymentState
from ordermill.orders.placing import Terms
from ordermill.orders.shape import order_shape

pytestmark = pytest.mark.anyio


@pytest.fixture
def shop(storage: Storage) -> Shop:
    return Shop(storage)


async def refused(shop: Shop, draft: OrderCreate, *, by: Principal = STOREFRONT) -> ServiceError:
    """Return why the order is refused, and make sure that nothing happened."""
    before = (
        await shop.everything_is(),
        await shop.storage.rows("products", "id", "stock"),
        await shop.storage.rows("discounts", "uses"),
    )
    with pytest.raises(ServiceError) as caught:
        await shop.place(draft, by=by)
    after = (
        await shop.everything_is(),
        await shop.storage.rows("products", "id", "stock"),
        await shop.storage.rows("discounts", "uses"),
    )
    assert after == before
    assert await shop.storage.faults() == []
    return caught.value


class TestPlace:
    async def test_writes_the_order_with_all_that_belongs_to_it(self, shop: Shop) -> None:
        tea, milk = await shop.product(), await shop.product("MILK-1", price="1.20", name="Milk", stock=None)
        await shop.discount()
        draft = a_draft(
            a_line(tea),
            a_line(milk, 3),
            customer_email="Ada@example.com",
            discount_code="SPRING10",
            shipping="4.90",
            tax="1.00",
            note="Ring",
        )

        placed = await shop.place(draft)

        order = await shop.storage.the_order()
        assert orjson.loads(placed.body) == order_shape(order)
        assert (placed.id, placed.replayed) == (order.id, False)
        assert [(item.sku, item.quantity, item.total, item.discount) for item in order.items] == [
            ("TEA-1", 2, Decimal("9.00"), Decimal("0.90")), ("MILK-1", 3, Decimal("3.60"), Decimal("0.36"))
        ]  # fmt: skip
        sums = (order.subtotal, order.discount, order.shipping, order.tax, order.total)
        assert sums == tuple(map(Decimal, ("12.60", "1.26", "4.90", "1.00", "17.24")))
        assert (order.status.value, order.payment, order.note, order.version) == ("pending", PaymentState.UNPAID, "Ring", 1)
        assert (order.channel, order.customer_email, order.discount_code) == ("api", "Ada@example.com", "SPRING10")
        assert await shop.movements() == [(tea.id, -2, "order")]
        assert await shop.stock(tea) == 8
        (event,) = await shop.orders.events(order.id)
        assert (event.type, event.sequence, event.actor) == ("order.placed", 1, STOREFRONT.actor)
        assert [(count, total) for _, _, count, total, _ in await shop.storage.figures()] == [(1, 1724)]
        assert await shop.storage.faults() == []

    async def test_makes_an_unclaimed_account_for_an_address_that_is_new(self, shop: Shop) -> None:
        tea = await shop.product()

        await shop.place(a_draft(a_line(tea), customer_email="ada@example.com"))

        user, order = await shop.storage.the_user(), await shop.storage.the_order()
        assert (user.email, user.name, user.claimed, user.is_active) == ("ada@example.com", "Ada Byron", False, True)
        assert order.customer_id == user.id

    async def test_finds_the_account_of_an_address_however_it_is_spelt(self, shop: Shop) -> None:
        tea, ada = await shop.product(), await shop.user()

        placed = await shop.place(a_draft(a_line(tea), customer_email="ADA@Example.com"))

        order = await shop.storage.the_order()
        assert (order.customer_id, order.customer_email) == (ada.id, "ada@example.com")
        assert orjson.loads(placed.body)["customer_id"] == ada.id

    async def test_of_nobody_is_a_guests_order(self, shop: Shop) -> None:
        await shop.place(a_draft(a_line(await shop.product())))

        order = await shop.storage.the_order()
        assert (order.customer_id, order.customer_email) == (None, None)
        assert await shop.storage.rows("users") == []

    async def test_that_costs_nothing_is_paid(self, shop: Shop) -> None:
        await shop.place(a_draft(a_line(await shop.product(price="0.00"))))

        assert (await shop.storage.the_order()).payment is PaymentState.PAID

    async def test_keeps_what_a_product_was_called_and_cost(self, shop: Shop, storage: Storage) -> None:
        tea = await shop.product()
        await shop.place(a_draft(a_line(tea)))
        async with storage.unit() as unit:
            tea.name, tea.price = "Green tea", Decimal("5.00")
            await unit.products.update(tea)
            await unit.commit()

        (item,) = (await storage.the_order()).items
        assert (item.name, item.unit_price) == ("Tea", Decimal("4.50"))

    async def test_in_a_currency_of_three_decimals_is_exact(self, shop: Shop) -> None:
        await shop.discount("THIRD333", value="33.33")
        draft = a_draft(a_line(await shop.product(price="0.333", currency="KWD"), 3), discount_code="THIRD333")

        body = orjson.loads((await shop.place(draft)).body)

        assert (body["subtotal"], body["discount"], body["total"]) == ("0.999", "0.333", "0.666")


class TestCustomer:
    async def test_orders_for_the_own_address_at_the_shops_shipping(self, storage: Storage) -> None:
        shop = Shop(storage, terms=Terms(shipping=Decimal("4.90")))
        tea, ada = await shop.product(), await shop.user()

        await shop.place(a_draft(a_line(tea)), by=signed_in(ada))

        order = await storage.the_order()
        assert (order.customer_id, order.shipping, order.total) == (ada.id, Decimal("4.90"), Decimal("13.90"))
        assert await storage.rows("orders", "placed_by_customer") == [(True,)]

    async def test_is_not_said_to_have_placed_what_a_shop_placed(self, shop: Shop) -> None:
        await shop.user()
        await shop.place(a_draft(a_line(await shop.product()), customer_email="ada@example.com"))

        assert await shop.storage.rows("orders", "placed_by_customer") == [(False,)]

    @pytest.mark.parametrize(
        ("said", "pointer"),
        [
            ({"customer_email": "bob@example.com"}, "/customer_email"),
            ({"shipping": "0.00"}, "/shipping"),
            ({"tax": "1.00"}, "/tax"),
        ],
    )
    async def test_may_not_say_what_is_for_the_shop_to_say(self, shop: Shop, said: dict[str, Any], pointer: str) -> None:
        draft = a_draft(a_line(await shop.product()), **said)

        refusal = await refused(shop, draft, by=signed_in(await shop.user()))

        assert isinstance(refusal, Forbidden)
        assert [error["pointer"] for error in refusal.details["errors"]] == [pointer]

    @pytest.mark.parametrize("said", [{"is_active": False}, {"erased_at": NOON}])
    async def test_whose_account_is_closed_orders_nothing(self, shop: Shop, said: dict[str, Any]) -> None:
        draft = a_draft(a_line(await shop.product()))

        refusal = await refused(shop, draft, by=signed_in(await shop.user(**said)))

        assert (type(refusal), refusal.code) == (Forbidden, "account_inactive")

    async def test_who_is_staff_orders_for_anybody(self, shop: Shop) -> None:
        await shop.place(a_draft(a_line(await shop.product()), customer_email="bob@example.com", shipping="1.00"), by=STAFF)

        assert (await shop.storage.the_user()).email == "bob@example.com"


class TestRefusals:
    async def test_names_each_product_that_is_not_for_sale(self, shop: Shop) -> None:
        tea, gone = await shop.product(), await shop.product("OLD-1", is_active=False)
        draft = a_draft(a_line(tea), a_line(gone), {"product_id": 4711, "quantity": 1, "unit_price": "1.00"})

        refusal = await refused(shop, draft)

        assert (type(refusal).__mro__[1], refusal.code) == (NotFound, "product_not_found")
        assert [error["pointer"] for error in refusal.details["errors"]] == ["/items/1/product_id", "/items/2/product_id"]

    async def test_says_the_present_price(self, shop: Shop) -> None:
        tea = await shop.product()

        refusal = await refused(shop, a_draft(a_line(tea, unit_price="4.49")))

        assert refusal.code == "price_changed"
        assert refusal.details["prices"] == [{"product_id": tea.id, "unit_price": "4.50", "currency": "EUR"}]

    async def test_takes_no_price_that_the_currency_does_not_have(self, shop: Shop) -> None:
        refusal = await refused(shop, a_draft(a_line(await shop.product(), unit_price="4.505")))

        assert (refusal.code, refusal.details["errors"][0]["pointer"]) == ("too_many_decimals", "/items/0/unit_price")

    async def test_takes_no_basket_of_two_currencies(self, shop: Shop) -> None:
        draft = a_draft(a_line(await shop.product()), a_line(await shop.product("TEA-2", currency="GBP")))

        refusal = await refused(shop, draft)

        assert (refusal.code, refusal.details["currencies"]) == ("currency_mismatch", ["EUR", "GBP"])

    async def test_says_how_much_there_is_where_it_is_too_little(self, shop: Shop) -> None:
        tea, milk = await shop.product(stock=1), await shop.product("MILK-1", stock=5)

        refusal = await refused(shop, a_draft(a_line(milk), a_line(tea)))

        assert (type(refusal).__mro__[1], refusal.code) == (Conflict, "out_of_stock")
        assert refusal.details["stock"] == [{"product_id": tea.id, "available": 1}]
        assert refusal.details["errors"][0]["pointer"] == "/items/1/quantity"

    @pytest.mark.parametrize(
        ("terms", "lines", "pointer"),
        [(Terms(items=1), (1, 1), "/items"), (Terms(quantity=2), (1, 3), "/items/1/quantity")],
    )
    async def test_keeps_the_shops_limits(self, storage: Storage, terms: Terms, lines: tuple[int, ...], pointer: str) -> None:
        shop = Shop(storage, terms=terms)
        products = [await shop.product(f"TEA-{number}") for number in range(len(lines))]

        refusal = await refused(shop, a_draft(*(a_line(*line) for line in zip(products, lines, strict=True))))

        assert refusal.details["errors"][0]["pointer"] == pointer


class TestDiscount:
    @pytest.mark.parametrize(
        "said",
        [
            {"is_active": False},
            {"starts_at": LATER},
            {"ends_at": NOON},
            {"currency": "GBP", "minimum": Decimal("1.00")},
            {"currency": "EUR", "minimum": Decimal("9.01")},
            {"max_uses": 0},
            {"max_uses_per_customer": 0},
            {"code": "OTHER123"},
        ],
    )
    async def test_that_does_not_apply_is_refused_alike_for_every_reason(self, shop: Shop, said: dict[str, Any]) -> None:
        await shop.user()
        await shop.discount(**{"code": "SPRING10", **said})
        draft = a_draft(a_line(await shop.product()), customer_email="ada@example.com", discount_code="SPRING10")

        refusal = await refused(shop, draft)

        assert (refusal.code, refusal.message) == (
            "discount_not_applicable",
            "This discount code cannot be used for this order.",
        )
        assert refusal.details == {}

    async def test_never_makes_an_order_cheaper_than_its_items(self, shop: Shop) -> None:
        await shop.discount(kind=DiscountKind.FIXED, value="100.00", currency="EUR")

        await shop.place(a_draft(a_line(await shop.product()), discount_code="SPRING10", shipping="4.90"))

        order = await shop.storage.the_order()
        assert (order.discount, order.total) == (Decimal("9.00"), Decimal("4.90"))
        assert await shop.storage.faults() == []

    async def test_with_a_limit_for_each_customer_is_not_for_guests(self, shop: Shop) -> None:
        await shop.discount(max_uses_per_customer=1)

        refusal = await refused(shop, a_draft(a_line(await shop.product()), discount_code="SPRING10"))

        assert refusal.code == "discount_not_applicable"

    async def test_with_a_limit_for_each_customer_is_used_so_often_by_each(self, shop: Shop) -> None:
        tea, discount = await shop.product(), await shop.discount(max_uses_per_customer=1)
        drafts = [
            a_draft(a_line(tea), customer_email=email, discount_code="SPRING10")
            for email in ("ada@example.com", "bob@example.com")
        ]
        for draft in drafts:
            await shop.place(draft)

        assert [(await refused(shop, draft)).code for draft in drafts] == ["discount_not_applicable"] * 2
        assert await shop.uses(discount) == 2

    async def test_is_used_no_oftener_than_its_limit_whoever_comes_at_once(self, shop: Shop) -> None:
        tea, discount = await shop.product(stock=100), await shop.discount(max_uses=3)
        drafts = [
            a_draft(a_line(tea), customer_email=f"c{number}@example.com", discount_code="SPRING10") for number in range(15)
        ]

        results = await asyncio.gather(*map(shop.place, drafts), return_exceptions=True)

        assert [getattr(result, "code", "placed") for result in results].count("placed") == 3
        assert {getattr(result, "code", "placed") for result in results} == {"placed", "discount_not_applicable"}
        assert (await shop.uses(discount), len(await shop.storage.rows("discount_uses"))) == (3, 3)
        assert await shop.storage.faults() == []

    async def test_is_used_by_one_customer_no_oftener_than_allowed_however_many_come_at_once(self, shop: Shop) -> None:
        tea, discount = await shop.product(stock=100), await shop.discount(max_uses_per_customer=2)
        draft = a_draft(a_line(tea), customer_email="ada@example.com", discount_code="SPRING10")

        results = await asyncio.gather(*(shop.place(draft) for _ in range(15)), return_exceptions=True)

        assert [getattr(result, "code", "placed") for result in results].count("placed") == 2
        assert await shop.uses(discount) == 2
        assert len(await shop.storage.rows("users")) == 1
        assert await shop.storage.faults() == []
