"""kill -9 at random moments of an undo: the same command, run again, leaves exactly what one clean undo leaves."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from books import contents
from servers import Postgres

from ordermill.bootstrap import open_services
from ordermill.config import load
from ordermill.imports.model import Import

KILLS = 4
ORDERS = 6_000
SEED = random.randrange(2**32)  # told by a failure, so that it can be repeated


def _write_export(path: Path, orders: range, *, quantity: int) -> None:
    with path.open("w") as file:
        file.write("number,placed_at,currency,customer_email,sku,quantity,unit_price,status,payment\n")
        for order in orders:
            email = "" if order % 9 == 0 else f"buyer{order % 2500}@example.org"
            day = f"2026-{order % 12 + 1:02}-{order % 28 + 1:02}T{order % 24:02}:15:00Z"
            file.writelines(
                f"K{order},{day},EUR,{email},SKU-{(order + line) % 700},{quantity},{order % 90}.25,shipped,paid\n"
                for line in range(2)
            )


def _start(url: str, *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "ordermill", *words, "--database", url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def _run(url: str, *words: str) -> None:
    with _start(url, *words) as running:
        _, err = running.communicate(timeout=120)
    assert running.returncode == 0, err.decode()


async def _latest(url: str) -> Import:
    async with open_services(load(database_url=url)) as services:
        (run,) = await services.runs.recent(limit=1)
        return run


async def _killed(url: str, id: UUID, *, after_s: float) -> None:
    """Undo until a step more is done than before, and a moment longer; then kill."""
    async with open_services(load(database_url=url)) as services:

        async def done() -> int:
            run = await services.runs.get(id)
            return 0 if run.undo is None else run.undo.restored + run.undo.removed

        before = await done()
        with _start(url, "imports", "undo", str(id)) as running:
            while await done() == before and running.poll() is None:  # noqa: ASYNC110  # another process tells by its rows only
                await asyncio.sleep(0.01)
            await asyncio.sleep(after_s)
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
        assert running.returncode == -signal.SIGKILL


async def _sound(url: str) -> bool:
    async with open_services(load(database_url=url)) as services:
        return not await services.audit.run() and not await services.statistics.verify()


async def _book(url: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = await contents(url)
    found["hours"] = [hour for hour in found["hours"] if int(hour[2])]
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def books(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path, postgres: Postgres, postgres_template: str
) -> Iterator[tuple[str, Callable[[], str]]]:
    """An empty book on each database, and what makes a copy of it as it is then."""
    if request.param == "sqlite":
        clean = shutil.copy(sqlite_template, tmp_path / "clean.db")
        yield f"sqlite:///{clean}", lambda: f"sqlite:///{shutil.copy(clean, tmp_path / 'killed.db')}"
        return
    one, other = (f"undo_{uuid4().hex}" for _ in range(2))
    url = postgres.create_database(one, template=postgres_template)
    yield url, lambda: postgres.create_database(other, template=one)
    for name in (one, other):
        postgres.drop_database(name)


@pytest.mark.slow
@pytest.mark.anyio
async def test_kills_leave_what_one_clean_undo_leaves(tmp_path: Path, books: tuple[str, Callable[[], str]]) -> None:
    clean, copy = books
    _write_export(tmp_path / "first.csv", range(ORDERS // 2), quantity=1)
    _write_export(tmp_path / "second.csv", range(ORDERS), quantity=2)
    await asyncio.to_thread(_run, clean, "process", str(tmp_path / "first.csv"))
    before = await _book(clean)
    await asyncio.to_thread(_run, clean, "process", str(tmp_path / "second.csv"))
    id = (await _latest(clean)).id
    killed = copy()
    await asyncio.to_thread(_run, clean, "imports", "undo", str(id))

    chance = random.Random(SEED)
    for _ in range(KILLS):
        await _killed(killed, id, after_s=chance.uniform(0, 0.2))
        assert (await _latest(killed)).state == "undoing", f"seed {SEED}"
    await asyncio.to_thread(_run, killed, "imports", "undo", str(id))

    assert await _book(killed) == await _book(clean), f"seed {SEED}"
    assert await _sound(killed)
    assert await _sound(clean)
    after = await _book(killed)
    for name in ("items", "users", "money", "hours", "rejects"):
        assert after[name] == before[name], f"{name}, seed {SEED}"
    assert [row[:-1] for row in after["orders"]] == [row[:-1] for row in before["orders"]]
