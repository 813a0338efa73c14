"""The audit finds on both databases what no constraint can see, and in a sound book nothing (RELIABILITY.md E2)."""

import sqlite3
from collections.abc import Callable
from typing import Any, Final

import pytest
from builders import LATER, NOON, a_batch, a_discount, a_file, a_product, a_reject, an_event, an_id, an_order, sold
from sqlalchemy import Connection, delete, insert, select, text, update
from storages import connected, in_sql

from ordermill.config import DatabaseUrl
from ordermill.kit.errors import Conflict
from ordermill.operations.audit import Audit, Finding
from ordermill.operations.ports import Example
from ordermill.operations.rules import Rule
from ordermill.orders.model import Status
from ordermill.storage.audit import SqlAudit
from ordermill.storage.database import Database
from ordermill.storage.imports import SqlImports
from ordermill.storage.statistics import SqlStatistics
from ordermill.storage.tables import (
    DiscountRow,
    HourRow,
    ImportRow,
    ItemRow,
    MovementRow,
    OrderRow,
    ProductRow,
    RejectRow,
    UseRow,
)
from ordermill.storage.unit import SqlUnit

pytestmark = pytest.mark.anyio

FIRST: Final = OrderRow.number == "1"


async def a_sound_book(database: Database) -> None:
    """Orders of three currencies: paid, refunded, cancelled, updated by a second run, and one that was refused."""
    orders = (
        sold("1", ("TEA-1", 2, 450), ("MUG-1", 1, 1000), shipping=500, paid=2400, payment="paid"),
        sold("2", ("TEA-1", 3, 120), currency="JPY", paid=360, refunded=60, refunded_at=LATER),
        sold("3", ("TEA-1", 1, 1500), currency="BHD", status="cancelled", refunded=1500),
        sold("4", customer_email=None),
    )
    imports = SqlImports(database)
    for sha256, batch in (("a", a_batch(*orders, rejects=[a_reject()])), ("b", a_batch(sold("4", ("MUG-1", 9, 1))))):
        run = await imports.begin(a_file(sha256=sha256), at=NOON, actor="test")
        assert await imports.load(run, batch, at=NOON)
        await imports.finish(run, at=LATER)


async def findings(database: Database) -> list[Finding]:
    return await Audit(SqlAudit(database)).run()


def _set(row: Any, where: Any, **values: Any) -> Callable[[Connection], None]:
    return lambda connection: _execute(connection, update(row).where(where).values(**values))


def _execute(connection: Connection, *statements: Any) -> None:
    for statement in statements:
        connection.execute(statement)


def _count_wrong(**more: int) -> Callable[[Connection], None]:
    def change(connection: Connection) -> None:
        run = ImportRow.sha256 == "a"
        tally = connection.execute(select(ImportRow.tally).where(run)).scalar_one()
        orders = {name: count + more.get(name, 0) for name, count in tally["orders"].items()}
        connection.execute(update(ImportRow).where(run).values(tally={**tally, "orders": orders}))

    return change


class TestSoundBook:
    async def test_has_no_findings(self, database: Database) -> None:
        await a_sound_book(database)

        assert await findings(database) == []

    async def test_is_one_that_is_empty(self, database: Database) -> None:
        assert await findings(database) == []


class TestDamage:
    @pytest.mark.parametrize(
        ("damage", "rule", "example"),
        [
            (
                _set(OrderRow, FIRST, subtotal=OrderRow.subtotal + 1, shipping=OrderRow.shipping - 1),
                Rule.SUBTOTAL,
                Example("order 1 of shop", "19.00 EUR", "19.01 EUR"),
            ),
            (
                _set(OrderRow, FIRST, discount=OrderRow.discount + 1, shipping=OrderRow.shipping + 1),
                Rule.DISCOUNT,
                Example("order 1 of shop", "0.00 EUR", "0.01 EUR"),
            ),
            (_set(OrderRow, FIRST, paid=0), Rule.PAID, Example("order 1 of shop", "24.00 EUR", "0.00 EUR")),
            (_set(OrderRow, OrderRow.number == "2", paid=1), Rule.PAID, Example("order 2 of shop", "360 JPY", "1 JPY")),
            (
                _set(OrderRow, OrderRow.number == "3", refunded=1501),
                Rule.REFUNDED,
                Example("order 3 of shop", "1.500 BHD", "1.501 BHD"),
            ),
            (
                _set(ItemRow, ItemRow.sku == "MUG-1", price_scale=10, unit_price=ItemRow.unit_price / 10),
                Rule.PRICE_SCALE,
                Example("order 1 of shop, item 2", "100", "10"),
            ),
            (
                _set(HourRow, HourRow.currency == "JPY", total=HourRow.total + 7),
                Rule.STATISTICS,
                Example(
                    "hour 2026-11-22 12:00 UTC in JPY",
                    "1 orders, total 360, refunded 0 in minor units",
                    "1 orders, total 367, refunded 0 in minor units",
                ),
            ),
            (_count_wrong(new=1, read=1), Rule.IMPORT_ORDERS, None),
            (_count_wrong(read=1), Rule.IMPORT_READ, None),
            (lambda connection: _execute(connection, delete(RejectRow)), Rule.IMPORT_REJECTS, None),
        ],
    )
    async def test_of_one_rule_is_found_with_what_should_stand_there(
        self, database: Database, damage: Callable[[Connection], None], rule: Rule, example: Example | None
    ) -> None:
        await a_sound_book(database)

        await database.write(damage)
        found = await findings(database)

        assert {finding.rule for finding in found} == {rule}
        assert example is None or found[0].examples[0] == example

    async def test_to_the_ledger_is_found(self, database: Database) -> None:
        order = an_order()
        async with SqlUnit(database) as unit:
            await unit.orders.add(order)
            for sequence in (1, 3):
                await unit.events.append(an_event(order.id, sequence=sequence))
            await unit.commit()
        await SqlStatistics(database).correct()

        assert await findings(database) == [
            Finding(Rule.EVENT_SEQUENCE, 1, [Example(f"events of order {order.id.hex}", "1 to 2", "1 to 3")])
        ]

    async def test_by_an_imported_order_that_the_ledger_does_not_know_is_found(self, database: Database) -> None:
        await a_sound_book(database)
        async with SqlUnit(database) as unit:
            await unit.orders.add(an_order("77"))
            await unit.commit()
        await SqlStatistics(database).correct()
        run = select(ImportRow.id).where(ImportRow.sha256 == "a").scalar_subquery()

        await database.write(_set(OrderRow, OrderRow.number == "77", import_id=run))

        assert [(finding.rule, finding.count) for finding in await findings(database)] == [
            (Rule.IMPORTED_EVENT, 1),
            (Rule.IMPORT_ORDERS, 1),
        ]

    async def test_beyond_a_handful_is_counted_and_not_listed(self, database: Database) -> None:
        async with SqlUnit(database) as unit:
            for number in range(7):
                await unit.orders.add(an_order(f"{number}", paid=an_order().total))
            await unit.commit()
        await SqlStatistics(database).correct()

        (finding,) = await findings(database)

        assert (finding.rule, finding.count, len(finding.examples)) == (Rule.PAID, 7, 5)

    @pytest.mark.parametrize(
        ("statement", "rule", "example"),
        [
            (
                "UPDATE order_items SET unit_price = 2 * unit_price WHERE sku = 'MUG-1' AND quantity = 1",
                Rule.ITEM_TOTAL,
                Example("order 1 of shop, item 2", "20.00 EUR", "10.00 EUR"),
            ),
            ("UPDATE orders SET tax = 1 WHERE number = '1'", Rule.TOTAL, Example("order 1 of shop", "24.01 EUR", "24.00 EUR")),
            ("UPDATE products SET stock = -3", Rule.STOCK, Example("product TEA-1", "0 or more", "-3")),
        ],
    )
    async def test_past_the_constraints_is_found(
        self, sqlite_book: DatabaseUrl, statement: str, rule: Rule, example: Example
    ) -> None:
        database = connected(sqlite_book)
        await a_sound_book(database)
        tea = {
            "sku": "TEA-1",
            "name": "Tea",
            "name_key": " tea",
            "price": 450,
            "currency": "EUR",
            "stock": 0,
            "is_active": True,
            "version": 1,
        }
        await database.write(lambda connection: _execute(connection, insert(ProductRow).values(created_at=NOON, **tea)))
        raw = sqlite3.connect(sqlite_book.path)
        raw.execute("PRAGMA ignore_check_constraints = ON")
        raw.execute(statement)
        raw.commit()
        raw.close()

        found = await findings(database)
        await database.close()

        assert [finding for finding in found if finding.rule is rule] == [Finding(rule, 1, [example])]


class TestCatalogue:
    @pytest.mark.parametrize(
        ("damage", "found"),
        [
            (
                lambda: update(ProductRow).values(stock=ProductRow.stock + 1),
                Finding(Rule.STOCK_MOVEMENTS, 1, [Example("product TEA-1", "7", "8")]),
            ),
            (
                lambda: update(ProductRow).values(stock=None),
                Finding(Rule.STOCK_MOVEMENTS, 1, [Example("product TEA-1", "7", "0")]),
            ),
            (
                lambda: update(DiscountRow).values(uses=1),
                Finding(Rule.DISCOUNT_USES, 1, [Example("discount SPRING10", "0", "1")]),
            ),
        ],
    )
    async def test_damage_is_found(self, database: Database, damage: Callable[[], Any], found: Finding) -> None:
        await in_sql(database).keep(a_product(stock=7), a_discount())
        assert await findings(database) == []

        await database.write(lambda connection: _execute(connection, damage()))

        assert await findings(database) == [found]

    async def test_stock_that_came_back_without_having_been_taken_is_found(self, database: Database) -> None:
        storage, product, order = in_sql(database), a_product(stock=7), an_id()
        await storage.keep(product)
        back = {"product_id": product.id, "change": 2, "kind": "cancel", "order_id": order, "actor": "user:1", "at": NOON}

        await database.write(lambda connection: _execute(connection, insert(MovementRow).values(**back)))
        await database.write(lambda connection: _execute(connection, update(ProductRow).values(stock=9)))

        what = f"stock given back by order {order.hex}"
        assert await findings(database) == [Finding(Rule.STOCK_RETURNED, 1, [Example(what, "nothing", "2")])]

    async def test_a_use_by_an_order_that_is_cancelled_or_gone_is_found(self, database: Database) -> None:
        cancelled, gone, discount = an_order(status=Status.CANCELLED), an_id(), a_discount(uses=2)
        await in_sql(database).keep(cancelled, discount)
        uses = [{"order_id": order, "discount_id": discount.id, "user_id": None, "at": NOON} for order in (cancelled.id, gone)]

        await database.write(lambda connection: _execute(connection, insert(UseRow).values(uses)))
        (finding,) = await findings(database)

        assert (finding.rule, finding.count) == (Rule.DISCOUNT_USED_BY, 2)
        assert {example.found for example in finding.examples} == {"cancelled", "nothing"}


class TestConstraints:
    @pytest.mark.parametrize("amount", ["subtotal", "discount", "shipping", "tax", "total"])
    async def test_refuse_a_raw_change_of_one_amount(self, database: Database, amount: str) -> None:
        await a_sound_book(database)
        raw = text(f"UPDATE orders SET {amount} = {amount} + 1")  # a column of ours

        with pytest.raises(Conflict):
            await database.write(lambda connection: _execute(connection, raw))

        assert await findings(database) == []


class TestProgress:
    async def test_is_told_before_each_rule(self, database: Database) -> None:
        told: list[tuple[Rule, int, int]] = []

        await Audit(SqlAudit(database)).run(progress=lambda *step: told.append(step))

        assert told == [(rule, done, len(Rule)) for done, rule in enumerate(Rule)]
        assert all(rule.sentence.endswith(".") for rule in Rule)
