"""What Django developers expect to ask of the models (PRODUCT.md section 9), alike on both databases."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, an_id

from ordermill.bootstrap import open_services
from ordermill.config import DatabaseUrl, load
from ordermill.kit.errors import Invalid, Unavailable
from ordermill.schema import setup
from ordermill.schema.migrate import state
from ordermill.schema.setup import configure

ZERO = {"count": 0, "total": Decimal(0), "avg": None}


@pytest.fixture
def models(book_url: DatabaseUrl) -> Iterator[Any]:
    """The models over an empty book."""
    configure(book_url)
    from ordermill.schema import models  # noqa: PLC0415  # Django is configured only now

    yield models
    from django.db import connections  # noqa: PLC0415  # Django is configured only now

    connections.close_all()


def _user(models: Any, email: str, **said: Any) -> Any:
    return models.User.objects.create(email=email, email_key=email, name="Ada", created_at=NOON, **said)


def _orders(models: Any, count: int = 1, *, total: int = 900, start: int = 1, **said: Any) -> None:
    """Put orders into the book as no writer of ours would: fast, and without ledger and statistics."""
    channel, _ = models.Channel.objects.get_or_create(name="shop", defaults={"created_at": NOON})
    plain = {"status": "processing", "payment": "unpaid", "currency": "EUR", "placed_at": NOON, "updated_at": NOON}
    facts = {**plain, "subtotal": total, "total": total, "channel": channel, **said}
    first = models.Order.objects.count() + start
    models.Order.objects.bulk_create(
        [models.Order(id=an_id(), number=str(number), **facts) for number in range(first, first + count)], batch_size=500
    )


class TestActiveUsers:
    def test_leave_out_the_deactivated_and_the_erased(self, models: Any) -> None:
        _user(models, "ada@example.com")
        _user(models, "bob@example.com", is_active=False)
        _user(models, "cleo@example.com", erased_at=NOON)

        assert [user.email for user in models.User.objects.active()] == ["ada@example.com"]

    def test_can_be_chained(self, models: Any) -> None:
        _user(models, "ada@example.com", is_staff=True)
        _user(models, "bob@example.com")

        active = models.User.objects.filter(is_staff=True).active().with_order_stats("EUR")

        assert [(user.email, user.total_orders) for user in active] == [("ada@example.com", 0)]


class TestOrderStats:
    def test_of_nobody_s_orders_are_zero_zero_and_none(self, models: Any) -> None:
        _user(models, "ada@example.com")

        user = models.User.objects.with_order_stats().get()

        assert (user.total_orders, user.total_spent, user.avg_order_value) == (0, Decimal(0), None)
        assert (user.first_order_at, user.last_order_at) == (None, None)

    def test_count_sum_and_average_one_user_s_orders(self, models: Any) -> None:
        ada, bob = _user(models, "ada@example.com"), _user(models, "bob@example.com")
        _orders(models, total=1000, user=ada)
        _orders(models, total=501, user=ada, placed_at=NOON + timedelta(microseconds=1))
        _orders(models, total=7, user=bob)
        _orders(models, total=99)

        user = models.User.objects.with_order_stats("EUR").get(id=ada.id)

        assert user.total_orders == 2
        assert (str(user.total_spent), str(user.avg_order_value)) == ("15.01", "7.51")
        assert (user.first_order_at, user.last_order_at) == (NOON, NOON + timedelta(microseconds=1))

    def test_leave_out_cancelled_orders_and_other_currencies(self, models: Any) -> None:
        ada = _user(models, "ada@example.com")
        _orders(models, total=100, user=ada)
        _orders(models, total=200, user=ada, status="cancelled")
        _orders(models, total=400, user=ada, currency="USD")

        euros, dollars, yen = (models.User.objects.with_order_stats(code).get() for code in ("EUR", "USD", "JPY"))

        assert (euros.total_orders, str(euros.total_spent)) == (1, "1.00")
        assert (dollars.total_orders, str(dollars.total_spent)) == (1, "4.00")
        assert (yen.total_orders, str(yen.total_spent), yen.avg_order_value) == (0, "0", None)

    @pytest.mark.parametrize(
        ("currency", "spent", "average"), [("JPY", "1001", "501"), ("EUR", "10.01", "5.01"), ("KWD", "1.001", "0.501")]
    )
    def test_have_the_decimals_of_their_currency(self, models: Any, currency: str, spent: str, average: str) -> None:
        ada = _user(models, "ada@example.com")
        _orders(models, total=500, user=ada, currency=currency)
        _orders(models, total=501, user=ada, currency=currency)

        user = models.User.objects.with_order_stats(currency).get()

        assert (str(user.total_spent), str(user.avg_order_value)) == (spent, average)

    def test_are_exact_over_very_many_small_amounts(self, models: Any) -> None:
        """With decimals in SQLite, Django's sum of 100,000 times 0.10 is 10000.0000000188 (ARCHITECTURE.md section 3)."""
        ada = _user(models, "ada@example.com")
        _orders(models, 5_000, total=10, user=ada)

        user = models.User.objects.with_order_stats("EUR").get()

        assert (user.total_orders, str(user.total_spent), str(user.avg_order_value)) == (5_000, "500.00", "0.10")

    def test_are_exact_beyond_what_a_double_holds(self, models: Any) -> None:
        ada = _user(models, "ada@example.com")
        _orders(models, 3, total=2**53 - 1, user=ada)

        user = models.User.objects.with_order_stats("EUR").get()

        assert (str(user.total_spent), str(user.avg_order_value)) == ("270215977642229.73", "90071992547409.91")

    def test_can_be_filtered_and_sorted_by(self, models: Any) -> None:
        for email, total in (("ada@example.com", 100), ("bob@example.com", 300), ("cleo@example.com", 200)):
            _orders(models, total=total, user=_user(models, email))

        best = models.User.objects.with_order_stats("EUR").filter(total_orders__gt=0).order_by("-total_spent")

        assert [user.email[0] for user in best] == ["b", "c", "a"]

    def test_of_an_unknown_currency_are_refused(self, models: Any) -> None:
        with pytest.raises(Invalid):
            models.User.objects.with_order_stats("XXQ")


def _months(stats: list[Any]) -> dict[str, tuple[int, str, str | None]]:
    """Return the months in which something happened."""
    return {
        month["month"]: (month["count"], str(month["total"]), month["avg"] and str(month["avg"]))
        for month in stats
        if month["count"]
    }


class TestMonthlyStats:
    def test_are_twelve_months_in_order_even_of_an_empty_book(self, models: Any) -> None:
        stats = models.Order.monthly_stats(2026)

        assert stats == [{"month": f"2026-{month:02}", **ZERO} for month in range(1, 13)]

    def test_count_sum_and_average_a_month(self, models: Any) -> None:
        _orders(models, total=1000, placed_at=datetime(2026, 2, 1, tzinfo=UTC))
        _orders(models, total=501, placed_at=datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC))
        _orders(models, total=7, placed_at=datetime(2026, 3, 1, tzinfo=UTC))
        _orders(models, total=9, placed_at=datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
        _orders(models, total=9, placed_at=datetime(2027, 1, 1, tzinfo=UTC))

        assert _months(models.Order.monthly_stats(2026, "EUR", "UTC")) == {
            "2026-02": (2, "15.01", "7.51"),
            "2026-03": (1, "0.07", "0.07"),
        }

    def test_leave_out_cancelled_orders_and_other_currencies(self, models: Any) -> None:
        _orders(models, total=100)
        _orders(models, total=200, status="cancelled")
        _orders(models, total=400, currency="KWD")

        assert _months(models.Order.monthly_stats(2026, "EUR")) == {"2026-11": (1, "1.00", "1.00")}
        assert _months(models.Order.monthly_stats(2026, "KWD")) == {"2026-11": (1, "0.400", "0.400")}

    def test_are_months_of_the_named_zone(self, models: Any) -> None:
        """RELIABILITY.md 1.1: 23:30-05:00 on January 31 is in February by UTC and in January by Lima."""
        _orders(models, total=100, placed_at=datetime(2026, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-5))))

        assert list(_months(models.Order.monthly_stats(2026, "EUR", "UTC"))) == ["2026-02"]
        assert list(_months(models.Order.monthly_stats(2026, "EUR", "America/Lima"))) == ["2026-01"]

    @pytest.mark.parametrize(
        ("zone", "moment", "month"),
        [
            # Amman put its clocks forward at midnight of 1 April 2016: the month begins at 01:00.
            ("Asia/Amman", datetime(2016, 3, 31, 21, 59, 59, tzinfo=UTC), "2016-03"),
            ("Asia/Amman", datetime(2016, 3, 31, 22, 0, tzinfo=UTC), "2016-04"),
            # Berlin is at +2 until 25 October 2026 and at +1 from then on.
            ("Europe/Berlin", datetime(2026, 9, 30, 21, 59, 59, 999999, tzinfo=UTC), "2026-09"),
            ("Europe/Berlin", datetime(2026, 9, 30, 22, 0, tzinfo=UTC), "2026-10"),
            ("Europe/Berlin", datetime(2026, 10, 31, 22, 59, 59, 999999, tzinfo=UTC), "2026-10"),
            ("Europe/Berlin", datetime(2026, 10, 31, 23, 0, tzinfo=UTC), "2026-11"),
            # Kathmandu is 5:45 ahead: its months begin within a UTC hour.
            ("Asia/Kathmandu", datetime(2026, 5, 31, 18, 14, 59, tzinfo=UTC), "2026-05"),
            ("Asia/Kathmandu", datetime(2026, 5, 31, 18, 15, tzinfo=UTC), "2026-06"),
        ],
    )
    def test_begin_and_end_where_the_zone_s_clocks_say(self, models: Any, zone: str, moment: datetime, month: str) -> None:
        _orders(models, total=100, placed_at=moment)

        assert list(_months(models.Order.monthly_stats(int(month[:4]), "EUR", zone))) == [month]

    def test_are_of_the_configured_currency_and_zone_where_none_is_said(self, models: Any, book_url: DatabaseUrl) -> None:
        _orders(models, total=100, placed_at=datetime(2026, 2, 1, 4, 30, tzinfo=UTC), currency="KWD")

        configure(book_url, currency="KWD", timezone="America/Lima")
        found = _months(models.Order.monthly_stats(2026))
        configure(book_url, currency="EUR", timezone="UTC")

        assert found == {"2026-01": (1, "0.100", "0.100")}

    @pytest.mark.parametrize("wrong", [{"timezone": "Mars/Olympus"}, {"currency": "XXQ"}])
    def test_of_what_is_unknown_are_refused(self, models: Any, wrong: dict[str, str]) -> None:
        with pytest.raises(Invalid):
            models.Order.monthly_stats(2026, **wrong)


class TestOrder:
    def test_names_its_states(self, models: Any) -> None:
        assert models.Order.Status.values == ["pending", "processing", "shipped", "delivered", "cancelled"]
        assert models.Order.Status.SHIPPED == "shipped"

    def test_of_a_guest_has_no_user(self, models: Any) -> None:
        _orders(models)

        assert models.Order.objects.get().user is None

    def test_is_found_from_its_user(self, models: Any) -> None:
        ada = _user(models, "ada@example.com")
        _orders(models, 2, user=ada)

        assert [order.number for order in ada.orders.order_by("number")] == ["1", "2"]

    def test_protects_its_user(self, models: Any) -> None:
        from django.db.models import ProtectedError  # noqa: PLC0415  # Django is configured only now

        ada = _user(models, "ada@example.com")
        _orders(models, user=ada)

        with pytest.raises(ProtectedError):
            ada.delete()

        assert models.User.objects.count() == 1

    def test_cannot_be_changed_or_removed_by_a_query(self, models: Any) -> None:
        ada = _user(models, "ada@example.com")
        _orders(models, user=ada)

        with pytest.raises(TypeError, match="orders service"):
            models.Order.objects.update(status="shipped")
        with pytest.raises(TypeError, match="orders service"):
            ada.orders.filter(number="1").update(status="shipped")
        with pytest.raises(TypeError, match="imports undo"):
            models.Order.objects.all().delete()

        assert models.Order.objects.get().status == "processing"

    @pytest.mark.parametrize("name", ["Order", "Item", "Payment", "Refund"])
    def test_and_what_belongs_to_it_are_changed_by_the_services_alone(self, models: Any, name: str) -> None:
        _orders(models)
        order = models.Order.objects.get()
        own = {"order": order, "id": an_id(), "amount": 100, "at": NOON}
        line = {"order": order, "position": 1, "sku": "A", "name": "A", "quantity": 1, "unit_price": 900, "price_scale": 1}
        model = getattr(models, name)
        row = {"Order": order, "Item": models.Item(**line, total=900)}.get(name) or model(**own)
        if name != "Order":
            model.objects.bulk_create([row])
        before = list(model.objects.values())

        for change in (row.save, lambda: model.objects.update(id=an_id()), lambda: model.objects.create(id=an_id())):
            with pytest.raises(TypeError, match="orders service"):
                change()
        for removal in (row.delete, model.objects.all().delete):
            with pytest.raises(TypeError, match="imports undo"):
                removal()

        assert list(model.objects.values()) == before


class TestDocumentation:
    def test_its_example_reads_the_book(self, models: Any, book_url: DatabaseUrl) -> None:
        _orders(models, total=1000, user=_user(models, "ada@example.com"), placed_at=datetime(2026, 3, 1, tzinfo=UTC))
        page = (Path(__file__).parents[2] / "docs" / "django.md").read_text(encoding="utf-8")
        example = page.partition("```python\n")[2].partition("```")[0]

        done = subprocess.run(
            [sys.executable, "-c", example],
            env=os.environ | {"ORDERMILL_DATABASE_URL": book_url.secret_url},
            capture_output=True,
            text=True,
            check=False,
        )

        assert (done.stderr, done.stdout) == ("", "ada@example.com 1 10.00 10.00\n2026-03 1 10.00 10.00\n")


class TestConfigure:
    def test_hands_the_urls_options_on_to_djangos_driver(self) -> None:
        found = setup.connection(DatabaseUrl("postgresql://shop@db.example.com/orders?sslmode=verify-full&sslrootcert=/ca.pem"))

        assert found["OPTIONS"] == {"connect_timeout": 5, "sslmode": "verify-full", "sslrootcert": "/ca.pem"}

    def test_is_heard_by_the_driver(self, postgres_book: DatabaseUrl) -> None:
        with pytest.raises(Unavailable):
            state(DatabaseUrl(f"{postgres_book.secret_url}&sslmode=no-such-mode"))

    @pytest.mark.anyio
    async def test_is_told_currency_and_zone_when_the_book_is_opened(self, sqlite_book: DatabaseUrl) -> None:
        configure()
        from ordermill.schema.monthly import default_currency, default_timezone  # noqa: PLC0415  # Django is configured only now

        async with open_services(load(database_url=sqlite_book.secret_url, currency="KWD", timezone="America/Lima")):
            found = default_currency(), default_timezone()
        configure(currency="EUR", timezone="UTC")

        assert found == ("KWD", "America/Lima")

    def test_lets_the_ledger_refuse_to_be_replaced(self, sqlite_book: DatabaseUrl) -> None:
        configure(sqlite_book)
        from django.db import connection, connections  # noqa: PLC0415  # Django is configured only now
        from django.db.utils import IntegrityError  # noqa: PLC0415  # Django is configured only now

        add = "INSERT OR REPLACE INTO events (id, type, at, actor, data) VALUES ('1', 'x', '2026-01-01', %s, '{}')"
        with connection.cursor() as cursor:
            cursor.execute(add, ["cli"])
            with pytest.raises(IntegrityError, match="append-only"):
                cursor.execute(add, ["nobody"])
        connections.close_all()

    def test_points_one_process_from_book_to_book(self, sqlite_book: DatabaseUrl, postgres_book: DatabaseUrl) -> None:
        configure(sqlite_book)
        from ordermill.schema import models  # noqa: PLC0415  # Django is configured only now

        found = []
        for url, email in ((sqlite_book, "ada@example.com"), (postgres_book, "bob@example.com"), (sqlite_book, None)):
            configure(url)
            if email is not None:
                _user(models, email)
            found.append([user.email for user in models.User.objects.all()])
        from django.db import connections  # noqa: PLC0415  # Django is configured only now

        connections.close_all()

        assert found == [["ada@example.com"], ["bob@example.com"], ["ada@example.com"]]

    def test_makes_django_s_units_take_the_write_lock_at_once(self, sqlite_book: DatabaseUrl) -> None:
        """RELIABILITY.md E8: a transaction that begins as a reader cannot wait for the lock and fails instead."""
        configure(sqlite_book)
        from django.db import connection, transaction  # noqa: PLC0415  # Django is configured only now
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415  # Django is configured only now

        with CaptureQueriesContext(connection) as captured, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous")
            durable = cursor.fetchone()
            cursor.execute("PRAGMA foreign_keys")
            enforced = cursor.fetchone()
        connection.close()

        assert captured.captured_queries[0]["sql"] == "BEGIN IMMEDIATE"
        assert (durable, enforced) == ((2,), (1,))
