"""One schema, two readers: what Django declares, SQLAlchemy maps and both databases enforce is the same thing."""

import json
import re
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar, get_args, get_origin
from uuid import UUID

import anyio.to_thread
import pytest
from builders import NOON, a_batch, a_file, a_user, an_event, an_id, an_item, an_order, sold
from sqlalchemy import Boolean, Connection, DateTime, Integer, LargeBinary, String, Text, Uuid, inspect, text
from sqlalchemy.orm import Mapped
from sqlalchemy.types import JSON, TypeDecorator
from storages import Storage, in_sql

from ordermill.accounts.drafts import EMAIL_LIMIT
from ordermill.config import DatabaseUrl
from ordermill.imports import columns, words
from ordermill.imports.source import NAME_LIMIT
from ordermill.imports.validate import texts
from ordermill.kit.errors import Conflict
from ordermill.kit.text import email_key
from ordermill.schema.setup import configure
from ordermill.storage.database import Database
from ordermill.storage.tables import MODELS, ROWS
from ordermill.storage.types import Instant

# `tables` has configured Django by now.
from ordermill.schema.models import Channel, Import, Item, Order, Payment, Product, Refund, User  # isort: skip

pytestmark = pytest.mark.anyio

T = TypeVar("T")

# What Python sees of a column, by the kind of its type.
PYTHON: dict[type[Any], type[Any]] = {
    Boolean: bool,
    Integer: int,
    DateTime: datetime,
    Uuid: UUID,
    LargeBinary: bytes,
    Text: str,
    String: str,
}
AMOUNTS = ("subtotal", "discount", "shipping", "tax", "tax_included", "total", "paid", "refunded")


class TestMapping:
    def test_has_every_table_and_column_of_the_models(self) -> None:
        declared = {
            model._meta.db_table: {field.column: field.null for field in model._meta.local_concrete_fields if field.column}
            for model in MODELS
        }

        mapped = {name: {column.name: column.nullable for column in row.__table__.c} for name, row in ROWS.items()}

        assert mapped == declared

    @pytest.mark.parametrize("name", ROWS)
    def test_annotates_every_column_with_what_python_sees_of_it(self, name: str) -> None:
        row = ROWS[name]
        annotations = typing.get_type_hints(row)

        said = {column: get_args(hint)[0] for column, hint in annotations.items() if get_origin(hint) is Mapped}

        assert said == {column.name: _python(column) for column in row.__table__.c}


def _python(column: Any) -> Any:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, JSON):
        seen: Any = dict[str, Any]
    else:
        seen = next(python for general, python in PYTHON.items() if isinstance(kind, general))
    return seen | None if column.nullable else seen


class TestDatabase:
    async def test_has_the_columns_that_are_mapped(self, database: Database) -> None:
        def look(connection: Connection) -> dict[str, dict[str, bool]]:
            inspector = inspect(connection)
            return {
                table: {str(column["name"]): bool(column["nullable"]) for column in inspector.get_columns(table)}
                for table in ROWS
            }

        stored = await database.read(look)

        assert stored == {name: {c.name: c.nullable for c in row.__table__.c} for name, row in ROWS.items()}

    async def test_keeps_amounts_in_whole_numbers_of_64_bits(self, database: Database) -> None:
        def look(connection: Connection) -> dict[str, str]:
            return {str(c["name"]): str(c["type"]).upper() for c in inspect(connection).get_columns("orders")}

        kinds = await database.read(look)

        assert {kinds[amount] for amount in (*AMOUNTS, "source_total")} == {"BIGINT"}

    async def test_has_no_floating_point_column(self, database: Database) -> None:
        def look(connection: Connection) -> set[str]:
            inspector = inspect(connection)
            return {str(column["type"]).upper() for table in ROWS for column in inspector.get_columns(table)}

        kinds = await database.read(look)

        assert not [kind for kind in kinds if any(word in kind for word in ("FLOAT", "REAL", "DOUBLE", "NUMERIC", "DECIMAL"))]


async def _update(database: Database, statement: str) -> int:
    return await database.write(lambda connection: connection.execute(text(statement)).rowcount)


class TestChecks:
    """RELIABILITY.md E2: no statement, whoever sends it, makes one amount disagree with the others."""

    @pytest.fixture
    async def book(self, database: Database) -> Database:
        order = an_order(items=[an_item("A", 2, "4.50", discount=an_item().total / 9)])
        await in_sql(database).keep(order)
        return database

    @pytest.mark.parametrize("amount", ["subtotal", "discount", "shipping", "tax", "total"])
    @pytest.mark.parametrize("step", ["+ 1", "- 1"])
    async def test_refuse_a_change_of_one_amount_of_an_order(self, book: Database, amount: str, step: str) -> None:
        with pytest.raises(Conflict, match="check:orders_"):
            await _update(book, f"UPDATE orders SET {amount} = {amount} {step}")  # words of this file

    @pytest.mark.parametrize("amount", AMOUNTS)
    async def test_refuse_a_negative_amount_of_an_order(self, book: Database, amount: str) -> None:
        with pytest.raises(Conflict, match="check:orders_"):
            await _update(book, f"UPDATE orders SET {amount} = -1")  # words of this file

    async def test_refuse_a_negative_total_that_adds_up(self, book: Database) -> None:
        with pytest.raises(Conflict, match="check:orders_amounts_in_range"):
            await _update(book, "UPDATE orders SET discount = subtotal + 1, total = -1")

    @pytest.mark.parametrize(
        "change",
        [
            "quantity = quantity + 1",
            "quantity = quantity - 1",
            "quantity = 0",
            "unit_price = unit_price + 100",
            "unit_price = unit_price - 100",
            "unit_price = -unit_price",
            "price_scale = 10",
            "total = total + 1",
            "total = total - 1",
            "discount = total + 1",
            "discount = -1",
        ],
    )
    async def test_refuse_a_change_of_one_amount_of_an_item(self, book: Database, change: str) -> None:
        with pytest.raises(Conflict, match="check:order_items_"):
            await _update(book, f"UPDATE order_items SET {change}")  # words of this file

    @pytest.mark.parametrize("change", ["status = 'lost'", "payment = 'perhaps'"])
    async def test_refuse_an_unknown_state(self, book: Database, change: str) -> None:
        with pytest.raises(Conflict, match="check:orders_"):
            await _update(book, f"UPDATE orders SET {change}")  # words of this file

    async def test_let_a_change_through_that_adds_up(self, book: Database) -> None:
        changed = await _update(book, "UPDATE orders SET shipping = shipping + 490, total = total + 490")

        assert changed == 1


class TestLedger:
    # How each database changes rows in one statement more than the others have.
    OWN: ClassVar = {
        True: "INSERT OR REPLACE INTO events SELECT id, type, at, 'nobody', order_id, user_id, import_id, sequence, data "
        "FROM events",
        False: "TRUNCATE events",
    }

    @pytest.mark.parametrize("statement", ["UPDATE events SET actor = 'nobody'", "DELETE FROM events", None])
    async def test_refuses_to_be_changed(self, database: Database, statement: str | None) -> None:
        statement = statement or self.OWN[database.embedded]
        storage = in_sql(database)
        event = an_event(an_id(), sequence=1)
        await storage.keep(event)

        with pytest.raises(Conflict):
            await _update(database, statement)

        assert await storage.unit().events.recent() == [event]


class TestLimits:
    """A text that was judged fits its column: SQLite keeps any length, and PostgreSQL would refuse it amid a batch."""

    COLUMNS = (
        *((Channel, "name", limit) for limit in (texts.LIMITS["channel"], words.CHANNEL_LIMIT)),
        *(
            (Order, name, texts.LIMITS[name])
            for name in ("number", "external_id", "discount_code", "carrier", "tracking_number")
        ),
        *((User, "email", limit) for limit in (texts.LIMITS["customer_email"], EMAIL_LIMIT)),
        (User, "name", texts.LIMITS["customer_name"]),
        *((Paid, "method", texts.LIMITS["payment_method"]) for Paid in (Payment, Refund)),
        *((Paid, "reference", texts.LIMITS["payment_reference"]) for Paid in (Payment, Refund)),
        *((Sold, "sku", texts.LIMITS["sku"]) for Sold in (Item, Product)),
        (Item, "name", texts.LIMITS["name"]),
        (Import, "file_name", NAME_LIMIT),
        (Import, "mapping", NAME_LIMIT),
        (Import, "format", words.CHANNEL_LIMIT),
        (Order, "note", None),
    )

    @pytest.mark.parametrize(("model", "column", "limit"), COLUMNS)
    async def test_are_the_columns_widths(self, model: Any, column: str, limit: int | None) -> None:
        assert model._meta.get_field(column).max_length == limit

    async def test_are_all_compared(self) -> None:
        compared = {"channel", "number", "external_id", "discount_code", "carrier", "tracking_number", "sku", "name", "note"}
        compared |= {"customer_email", "customer_name", "payment_method", "payment_reference"}

        assert set(texts.LIMITS) - compared == {*columns.SHIPPING_ADDRESS, *columns.BILLING_ADDRESS}  # these are in JSON

    async def test_of_an_address_leaves_room_for_its_key(self) -> None:
        longest = max(len(email_key(chr(code))) for code in range(0x20000) if not 0xD800 <= code < 0xE000)

        assert User._meta.get_field("email_key").max_length == longest * EMAIL_LIMIT


MANY_ORDERS = """
    INSERT INTO orders
    SELECT copied.*
    FROM orders AS original, generate_series(100, 10000) AS n,
        LATERAL jsonb_populate_record(original, jsonb_build_object('id', gen_random_uuid(), 'number', n::text)) AS copied
    WHERE original.number = '1'
"""


class TestLookups:
    @pytest.mark.parametrize(
        "where", ["o.number = '1'", "c.name = 'shop' AND o.number = '1'", "c.name = 'shop' AND o.number IN ('1', '2')"]
    )
    async def test_of_a_number_with_or_without_its_channel_use_the_index(self, database: Database, where: str) -> None:
        await in_sql(database).keep(*(an_order(str(number)) for number in range(20)))
        if not database.embedded:
            # PostgreSQL chooses by what there is: among a handful of orders every index is as good as another.
            await database.write(lambda connection: connection.exec_driver_sql(MANY_ORDERS).rowcount)
            await database.write(lambda connection: connection.exec_driver_sql("ANALYZE orders").rowcount)

        def look(connection: Connection) -> str:
            explain = "EXPLAIN QUERY PLAN" if database.embedded else "EXPLAIN"
            query = f"{explain} SELECT o.id FROM orders o JOIN channels c ON o.channel_id = c.id WHERE {where}"
            return "\n".join(str(row) for row in connection.exec_driver_sql(query))

        plan = await database.read(look)

        assert re.search(r"number=\?" if database.embedded else r"Index Cond: \(+number", plan)


@pytest.fixture
def django(book_url: DatabaseUrl) -> Any:
    """The models, over the same database as `database`; ask them by `_in_thread`."""
    configure(book_url)
    from ordermill.schema import models  # noqa: PLC0415  # Django is configured only now

    return models


async def _in_thread(ask: Callable[[], T]) -> T:
    """Ask Django, which refuses to block an event loop, and leave no connection of the thread's behind."""
    from django.db import connections  # noqa: PLC0415  # Django is configured by now

    def work() -> T:
        try:
            return ask()
        finally:
            connections.close_all()

    return await anyio.to_thread.run_sync(work)


def _bound(connection: Connection, moment: datetime) -> Any:
    return Instant().process_bind_param(moment, connection.dialect)


class TestBothHalves:
    """RELIABILITY.md E16: what one of them writes, the other finds by value and reads as the same value."""

    MOMENTS = (
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, 0, 123000, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC),  # one more is what asyncpg calls infinity
    )

    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_django_finds_and_reads_what_sqlalchemy_wrote(
        self, database: Database, django: Any, moment: datetime
    ) -> None:
        home = {"name": "Zoë", "city": '"Łódź"', "country": None}
        order = an_order(placed_at=moment, updated_at=moment, note="🦊")
        await in_sql(database).keep(a_user("Zoë@example.com", id=7, is_staff=True, created_at=moment), order)
        statement = text("UPDATE orders SET shipping_address = :home, user_id = 7")
        await database.write(lambda connection: connection.execute(statement, {"home": json.dumps(home)}).rowcount)

        found = await _in_thread(lambda: django.Order.objects.select_related("user").get(id=order.id, placed_at=moment))
        user = await _in_thread(lambda: django.User.objects.get(created_at=moment, is_staff=True, is_active=True))

        assert (found.id, found.placed_at, found.total, found.status) == (order.id, moment, 900, "pending")
        assert (found.shipping_address, found.billing_address, found.note) == (home, None, "🦊")
        assert (found.user, user.is_staff, user.is_active) == (user, True, True)

    @pytest.mark.parametrize("moment", MOMENTS)
    async def test_sqlalchemy_finds_and_reads_what_django_wrote(
        self, database: Database, django: Any, moment: datetime
    ) -> None:
        storage = in_sql(database)

        def write() -> UUID:
            user = django.User.objects.create(
                email="Zoë@example.com", email_key="zoë@example.com", name="Zoë", is_staff=True, created_at=moment
            )
            event = django.Event.objects.create(
                id=an_id(), type="user.registered", at=moment, actor="cli", user_id=user.id, data={"naïve": [1, None, "🦊"]}
            )
            found: UUID = event.id
            return found

        id = await _in_thread(write)

        user = await storage.the_user()
        (event,) = await storage.unit().events.recent()
        same = text("SELECT count(*) FROM users WHERE created_at = :at")
        counted = await database.read(lambda connection: connection.execute(same, {"at": _bound(connection, moment)}).scalar())
        assert (user.email, user.created_at, user.is_staff, user.erased_at) == ("Zoë@example.com", moment, True, None)
        assert (event.id, event.at, event.data, event.order_id) == (id, moment, {"naïve": [1, None, "🦊"]}, None)
        assert counted == 1

    async def test_moments_sort_alike_with_and_without_a_fraction(self, database: Database, django: Any) -> None:
        moments = sorted(self.MOMENTS)
        await in_sql(database).keep(*(an_order(str(n), placed_at=moment) for n, moment in enumerate(moments)))

        by_time = await _in_thread(lambda: list(django.Order.objects.order_by("placed_at").values_list("number", flat=True)))
        later = await _in_thread(lambda: django.Order.objects.filter(placed_at__gt=moments[1]).count())

        assert (by_time, later) == (["0", "1", "2", "3", "4"], 3)

    async def test_django_finds_and_reads_what_an_import_brought(self, database: Database, django: Any) -> None:
        storage: Storage = in_sql(database)
        moment = datetime(2026, 3, 29, 1, 0, 0, 120, tzinfo=UTC)
        run = await storage.imports.begin(a_file(), at=NOON, actor="cli")
        address = '{"name": "Zoë", "city": null}'
        batch = a_batch(sold("1001", placed_at=moment, shipping_address=address), sold("1002", placed_at=NOON))
        await storage.imports.load(run, batch, at=moment)

        first = await _in_thread(lambda: django.Order.objects.get(placed_at=moment, updated_at=moment, status_set_here=False))
        second = await _in_thread(lambda: django.Order.objects.get(placed_at=NOON))
        hour = await _in_thread(lambda: django.StatisticsHour.objects.get(hour=NOON))

        assert (first.number, first.shipping_address, first.billing_address) == ("1001", {"name": "Zoë", "city": None}, None)
        assert (second.number, second.id > first.id, second.source_import_id) == ("1002", True, run.id)
        assert (hour.count, hour.total) == (1, 900)

    async def test_nothing_is_told_from_json_null(self, database: Database, django: Any) -> None:
        await in_sql(database).keep(an_order())

        assert await _in_thread(lambda: django.Order.objects.filter(shipping_address__isnull=True).count()) == 1
