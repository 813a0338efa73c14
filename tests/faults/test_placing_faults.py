"""Placing an order under faults: kills, cut lines, held locks. All of an order is there, or nothing (E6, E9, E10, A4)."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest
from builders import a_user
from shopping import STOREFRONT, Shop, a_draft, a_line, once
from storages import connected, in_sql

from ordermill.bootstrap import open_services
from ordermill.config import DatabaseUrl, load
from ordermill.kit.errors import Unavailable
from ordermill.orders.idempotency import InFlight
from ordermill.orders.placement import Placed
from ordermill.storage import postgres
from ordermill.storage.postgres import PostgresDatabase

pytestmark = pytest.mark.anyio

KILLS: Final = 3
SOCKET: Final = ".s.PGSQL.5432"
# Four buyers order without a pause; each line that is printed was answered for.
BUYERS: Final = """
import asyncio, sys
from itertools import count
sys.path.insert(0, sys.argv[2])
from shopping import STOREFRONT, a_draft, once
from ordermill.bootstrap import open_services
from ordermill.config import load

async def buy(placing, buyer):
    for number in count():
        draft = a_draft({"product_id": 1 + number % 2, "quantity": 1, "unit_price": "4.50"},
            customer_email=f"c{number % 5}@example.com", discount_code="SPRING10")
        placed = await placing.place(draft, by=STOREFRONT, once=once(draft, f"{sys.argv[3]}-{buyer}-{number}"))
        print(placed.id, flush=True)

async def main():
    async with open_services(load(database_url=sys.argv[1])) as services:
        await asyncio.gather(*(buy(services.placing, buyer) for buyer in range(4)))

asyncio.run(main())
"""


@asynccontextmanager
async def shop_of(url: DatabaseUrl) -> AsyncIterator[Shop]:
    database = connected(url)
    yield Shop(in_sql(database))
    await database.close()


def buy_until_killed(url: DatabaseUrl, name: str) -> list[str]:
    """Let buyers order in a process of their own, kill it in the middle, and return what it had answered."""
    command = [sys.executable, "-c", BUYERS, url.secret_url, str(Path(__file__).parents[1]), name]
    answered = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as buyers:
        assert buyers.stdout is not None
        for line in buyers.stdout:
            answered.append(line.strip())
            if len(answered) == 60:
                buyers.send_signal(signal.SIGKILL)
    return answered


class TestKill:
    async def test_leaves_whole_orders_only_and_every_one_that_was_answered(self, book_url: DatabaseUrl) -> None:
        async with shop_of(book_url) as shop:
            products = [await shop.product(f"TEA-{number}", stock=100_000) for number in range(2)]
            discount = await shop.discount()

        answered = [id for kill in range(KILLS) for id in await asyncio.to_thread(buy_until_killed, book_url, str(kill))]

        async with shop_of(book_url) as shop:
            orders = await shop.storage.rows("orders", "id")
            assert len(answered) >= 60 * KILLS
            assert set(answered) <= {str(id) for (id,) in orders}
            counted = await shop.everything_is()
            assert {counted[table] for table in ("events", "stock_movements", "idempotency_keys", "discount_uses")} - {
                len(orders), len(orders) + len(products)
            } == set()  # fmt: skip
            assert await shop.uses(discount) == len(orders)
            assert sum([100_000 - (await shop.stock(product) or 0) for product in products]) == len(orders)
        async with open_services(load(database_url=book_url.secret_url)) as services:
            assert await services.audit.run() == []
            assert await services.statistics.verify() == []


class TestLostAnswer:
    async def test_to_the_commit_is_unavailable_and_the_key_finds_the_order(
        self, postgres_book: DatabaseUrl, tmp_path: Path
    ) -> None:
        """RELIABILITY.md E10."""
        async with shop_of(postgres_book) as shop:
            draft = a_draft(a_line(await shop.product(), 1))
            async with cut_after(b"order.placed", real=postgres_book, directory=tmp_path) as cut:
                lost = Shop(in_sql(cut))
                with pytest.raises(Unavailable):
                    await lost.placing.place(draft, by=STOREFRONT, once=once(draft))

            again = await shop.placing.place(draft, by=STOREFRONT, once=once(draft))

            assert again.replayed
            assert await shop.storage.rows("orders", "id") == [(again.id,)]
            assert await shop.storage.faults() == []


class TestDeadConnections:
    async def test_in_the_pool_are_passed_over(self, postgres_book: DatabaseUrl) -> None:
        async with shop_of(postgres_book) as shop:
            draft = a_draft(a_line(await shop.product(stock=100), 1))
            await asyncio.gather(*(shop.place(draft) for _ in range(20)))
            with psycopg.connect(postgres_book.secret_url, autocommit=True) as killer:
                killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

            await asyncio.gather(*(shop.place(draft) for _ in range(20)))

            assert len(await shop.storage.rows("orders", "id")) == 40


class TestHeldLock:
    @pytest.fixture
    async def hasty(
        self, postgres_book: DatabaseUrl, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
    ) -> AsyncIterator[Shop]:
        """A shop that waits for no lock longer than a test can."""
        monkeypatch.setattr(postgres, "_SETTINGS", {**postgres._SETTINGS, "lock_timeout": "100ms"})
        async with shop_of(postgres_book) as shop:
            yield shop

    async def test_of_a_product_is_said_in_time_and_leaves_nothing(self, hasty: Shop, postgres_book: DatabaseUrl) -> None:
        draft = a_draft(a_line(await hasty.product(), 1))
        before = await hasty.everything_is()

        with held(postgres_book, "UPDATE products SET name = 'Held'"), pytest.raises(Unavailable) as caught:
            await hasty.place(draft)

        assert caught.value.code == "database_busy"
        assert await hasty.everything_is() == before
        assert not (await hasty.place(draft)).replayed

    async def test_of_the_same_key_says_that_the_first_request_runs_on(self, hasty: Shop, postgres_book: DatabaseUrl) -> None:
        draft = a_draft(a_line(await hasty.product(), 1))
        first = (
            "INSERT INTO idempotency_keys (principal, route, key, fingerprint, answer, created_at) "
            f"VALUES ('{STOREFRONT.actor}', 'POST /orders', 'k-1', '', '', now())"
        )

        with held(postgres_book, first), pytest.raises(InFlight) as caught:
            await hasty.placing.place(draft, by=STOREFRONT, once=once(draft))

        assert caught.value.details["retry_after_s"] == 1
        assert not (await hasty.placing.place(draft, by=STOREFRONT, once=once(draft))).replayed


class TestOvertaken:
    async def test_by_whoever_closes_the_account_is_refused(self, postgres_book: DatabaseUrl) -> None:
        """The account is looked at again, and locked, in the statement that writes."""
        async with shop_of(postgres_book) as shop:
            ada = a_user()
            await shop.storage.keep(ada)
            draft = a_draft(a_line(await shop.product(), 1), customer_email="ada@example.com")
            with held(postgres_book, "UPDATE users SET email = 'x', email_key = 'x', erased_at = now()") as eraser:
                placing = asyncio.ensure_future(shop.place(draft))
                await asyncio.sleep(0.3)
                assert not placing.done()
                eraser.commit()
                await placing

            (order,) = await shop.storage.rows("orders", "user_id")
            assert order != (ada.id,)
            assert len(await shop.storage.rows("users", "id")) == 2

    async def test_by_a_new_discount_limit_is_refused(self, postgres_book: DatabaseUrl) -> None:
        async with shop_of(postgres_book) as shop:
            await shop.discount()
            draft = a_draft(a_line(await shop.product(), 1), discount_code="SPRING10")
            with held(postgres_book, "UPDATE discounts SET max_uses = 0, version = version + 1") as staff:
                placing: asyncio.Future[Placed] = asyncio.ensure_future(shop.place(draft))
                await asyncio.sleep(0.3)
                staff.commit()
                with pytest.raises(Exception, match="cannot be used"):
                    await placing

            assert await shop.storage.rows("orders", "id") == []


@contextmanager
def held(url: DatabaseUrl, statement: str) -> Iterator["psycopg.Connection[Any]"]:
    """Hold what a statement locks, as a slow neighbour would."""
    with psycopg.connect(url.secret_url) as neighbour:
        neighbour.execute(statement.encode())
        yield neighbour
        neighbour.rollback()


@asynccontextmanager
async def cut_after(words: bytes, *, real: DatabaseUrl, directory: Path) -> AsyncIterator[PostgresDatabase]:
    """Put a line between us and the server that is cut when the server answers to a message with these words."""
    server_socket = Path(parse_qs(urlsplit(real.secret_url).query)["host"][0]) / SOCKET

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(server_socket)
        said = asyncio.Event()

        async def forward() -> None:
            while chunk := await reader.read(65536):
                if words in chunk:
                    said.set()
                back.write(chunk)

        async def answer() -> None:
            while chunk := await there.read(65536):
                if said.is_set():
                    break
                writer.write(chunk)
            writer.transport.abort()

        forwarding = asyncio.create_task(forward())
        await answer()
        forwarding.cancel()
        back.close()

    line = await asyncio.start_unix_server(serve, directory / SOCKET)
    url = f"postgresql://postgres@/{real.name}?host={quote(str(directory), safe='/')}"
    database = PostgresDatabase(url)
    yield database
    await database.close()
    line.close()
