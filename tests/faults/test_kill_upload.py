"""A server that ends in the middle of an import goes on with it by itself when it is back, to the same end as one clean run."""

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from books import contents, tally
from shop import SECRET

from ordermill.accounts.api_keys import ApiKeyCreate
from ordermill.accounts.principal import Scope
from ordermill.bootstrap import open_services, shelf_of
from ordermill.config import load

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ORDERS = 20_000
SEED = random.randrange(2**32)  # told by a failure, so that it can be repeated
SERVE = "import sys, uvicorn; from ordermill.config import load; from ordermill.api.app import create_app; "
SERVE += "uvicorn.run(create_app(load()), host='127.0.0.1', port=int(sys.argv[1]), log_level='warning')"


def write_export(path: Path, orders: int) -> None:
    """Write orders of three lines: some without a buyer, some wrong, one of a thousand with its lines apart."""
    with path.open("w") as file:
        file.write("number,placed_at,currency,customer_email,sku,quantity,unit_price,status,payment\n")
        late = []
        for order in range(orders):
            email = "" if order % 9 == 0 else f"buyer{order % 4000}@example.org"
            day = f"2026-{order % 12 + 1:02}-{order % 28 + 1:02}T{order % 24:02}:15:00Z"
            for line in range(3):
                quantity = 0 if order % 250 == 7 and line == 1 else line + 1
                row = f"K{order},{day},EUR,{email},SKU-{(order + line) % 700},{quantity},{order % 90}.25,shipped,paid\n"
                late.append(row) if order % 1000 == 500 and line == 2 else file.write(row)
        file.writelines(late)


@dataclass
class Serving:
    """A real server process on a book, that can be ended and started again."""

    url: str
    home: Path
    key: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    port: int = 0

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERMILL_")}
        said = {"DATABASE_URL": self.url, "SECRET_KEY": SECRET, "RATE_LIMIT": "1000000"}
        return own | {f"ORDERMILL_{name}": value for name, value in said.items()} | {"XDG_DATA_HOME": str(self.home)}

    async def start(self) -> None:
        if not self.key:
            async with open_services(load(database_url=self.url)) as services:
                _, secret = await services.api_keys.create(ApiKeyCreate(name="it", scope=Scope.STAFF), actor="command")
                self.key = secret
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-c", SERVE, str(self.port)]
        self.process = self._popen(command)
        async with self.client() as client:
            for _ in range(300):
                try:
                    await client.get("/imports?limit=1")
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
                else:
                    return
        raise AssertionError("the server does not answer")

    def _popen(self, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=self.home, env=self.environment, stderr=subprocess.DEVNULL)

    async def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, 60)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60) as client:
            yield client

    def shelf(self) -> list[str]:
        place = Path(f"{self.url.removeprefix('sqlite:///')}.uploads")
        if self.url.startswith("postgres"):
            shelf = shelf_of(load(database_url=self.url)).directory
            place = self.home / "ordermill" / "uploads" / shelf.name
        return [path.name for path in place.iterdir() if not path.name.startswith("turn-")] if place.is_dir() else []


async def _sent(server: Serving, export: Path) -> str:
    async with server.client() as client:
        with export.open("rb") as file:
            answer = await client.post("/imports", files={"file": ("export.csv", file)})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def _run(server: Serving, id: str) -> dict[str, Any]:
    async with server.client() as client:
        return dict((await client.get(f"/imports/{id}")).json())


async def _ended(server: Serving, id: str, *, state: str = "finished") -> dict[str, Any]:
    for _ in range(600):
        run = await _run(server, id)
        if run["state"] == state and not server.shelf():
            return run
        await asyncio.sleep(0.1)
    raise AssertionError(run)


class TestAServerThatEnds:
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    async def test_in_the_middle_of_an_import_goes_on_with_it(
        self, two_books: tuple[str, str], tmp_path: Path, number: signal.Signals
    ) -> None:
        export = tmp_path / "export.csv"
        write_export(export, ORDERS)
        clean, killed = (Serving(url, tmp_path) for url in two_books)
        await clean.start()
        expected = await _ended(clean, await _sent(clean, export))
        await clean.end(signal.SIGTERM)
        chance = random.Random(SEED)

        await killed.start()
        id = await _sent(killed, export)
        ends = 0
        for _ in range(4):
            await asyncio.sleep(chance.uniform(0, 1.2))
            ends += (await _run(killed, id))["state"] == "running"
            code = await killed.end(number)
            assert number is signal.SIGKILL or code in {0, -signal.SIGTERM}, code
            await killed.start()
        run = await _ended(killed, id)
        await killed.end(signal.SIGTERM)

        assert ends >= 1, f"seed {SEED}"
        told = ("orders", "lines", "customers", "money", "reasons", "adjustments", "records")
        assert {name: run[name] for name in told} == {name: expected[name] for name in told}, f"seed {SEED}"
        assert await contents(two_books[1]) == await contents(two_books[0]), f"seed {SEED}"
        assert await tally(two_books[1]) == await tally(two_books[0]), f"seed {SEED}"
        async with open_services(load(database_url=two_books[1])) as services:
            assert list(await services.audit.run()) == [], f"seed {SEED}"

    async def test_in_the_middle_of_an_undo_goes_on_with_it(self, two_books: tuple[str, str], tmp_path: Path) -> None:
        export = tmp_path / "export.csv"
        write_export(export, 5_000)
        server = Serving(two_books[0], tmp_path)
        await server.start()
        id = await _ended(server, await _sent(server, export))

        async with server.client() as client:
            assert (await client.post(f"/imports/{id['id']}/undo")).status_code == 202
        await server.end(signal.SIGKILL)
        await server.start()
        undone = await _ended(server, id["id"], state="undone")
        await server.end(signal.SIGTERM)

        assert (undone["undo"]["removed"], undone["undo"]["left"]) == (4_980, 0)
        assert (await contents(two_books[0]))["orders"] == []


class TestAnImportOnTheEmbeddedBook:
    async def test_lets_requests_write_meanwhile(self, tmp_path: Path, sqlite_template: Path) -> None:
        """F4: nobody is ever told that the database is locked, and nobody waits for longer than some batches."""
        export = tmp_path / "export.csv"
        write_export(export, 67_000)
        server = Serving(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'book.db')}", tmp_path)
        await server.start()
        waits: list[float] = []

        async def write(client: httpx.AsyncClient, done: asyncio.Event) -> None:
            while not done.is_set():
                began = time.monotonic()
                answer = await client.post("/api-keys", json={"name": "till", "scope": "read"})
                waits.append(time.monotonic() - began)
                assert answer.status_code == 201, answer.text

        done = asyncio.Event()
        async with server.client() as client:
            writers = [asyncio.create_task(write(client, done)) for _ in range(4)]
            run = await _ended(server, await _sent(server, export))
            done.set()
            await asyncio.gather(*writers)
        await server.end(signal.SIGTERM)

        assert run["lines"]["read"] == 201_000
        assert len(waits) > 50
        assert max(waits) < 4, sorted(waits)[-5:]
