"""kill -9 at random moments of an import: the same command, run again, gives exactly the result of one clean run (F1)."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from books import contents, tally

from ordermill.bootstrap import open_services
from ordermill.config import load
from ordermill.operations.audit import Finding

KILLS = 10
ORDERS = 15_000
NOTE = "Leave it with the neighbours. " * 20  # makes the file long, and so of many batches
SEED = random.randrange(2**32)  # told by a failure, so that it can be repeated


def _write_export(path: Path) -> None:
    """Write orders of three lines: some without a buyer, some wrong, one of a thousand with its lines apart."""
    with path.open("w") as file:
        file.write("number,placed_at,currency,customer_email,sku,quantity,unit_price,status,payment,note\n")
        late = []
        for order in range(ORDERS):
            email = "" if order % 9 == 0 else f"buyer{order % 4000}@example.org"
            day = f"2026-{order % 12 + 1:02}-{order % 28 + 1:02}T{order % 24:02}:15:00Z"
            for line in range(3):
                quantity = 0 if order % 250 == 7 and line == 1 else line + 1
                row = f"K{order},{day},EUR,{email},SKU-{(order + line) % 700},{quantity},{order % 90}.25,shipped,paid,{NOTE}\n"
                apart = order % 1000 == 500 and line == 2
                late.append(row) if apart else file.write(row)
        file.writelines(late)


def _process(export: Path, url: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "ordermill", "process", str(export), "--database", url, "--json"]
    return subprocess.Popen(command, cwd=export.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def _killed_once(export: Path, url: str, *, after_s: float) -> bool:
    """Start the import and kill it after a while; False when it was done before."""
    with _process(export, url) as running:
        try:
            running.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            return True
        return False


def _finished(export: Path, url: str, *, code: int = 1) -> tuple[dict[str, Any], float]:
    """Run the import to its end; return its report and how long it took."""
    began = time.monotonic()
    with _process(export, url) as running:
        out, err = running.communicate(timeout=120)
    assert running.returncode == code, err.decode()
    report: dict[str, Any] = json.loads(out)
    return report, time.monotonic() - began


async def _findings(url: str) -> list[Finding]:
    async with open_services(load(database_url=url)) as services:
        return list(await services.audit.run())


@pytest.mark.slow
@pytest.mark.anyio
async def test_ten_kills_leave_what_one_clean_run_leaves(tmp_path: Path, two_books: tuple[str, str]) -> None:
    clean, killed = two_books
    export = tmp_path / "killed.csv"
    _write_export(export)
    expected, seconds = await asyncio.to_thread(_finished, export, clean)
    (tmp_path / "tiny.csv").write_text("number,placed_at,currency,sku,quantity,unit_price\n")
    _, start_s = await asyncio.to_thread(_finished, tmp_path / "tiny.csv", killed, code=0)

    kills = 0
    for moment in _moments(start_s, seconds):
        kills += await asyncio.to_thread(_killed_once, export, killed, after_s=moment)
    report, _ = await asyncio.to_thread(_finished, export, killed)

    assert kills == KILLS, f"seed {SEED}"
    assert await contents(killed) == await contents(clean), f"seed {SEED}"
    assert await tally(killed) == await tally(clean), f"seed {SEED}"
    assert await _findings(killed) == [], f"seed {SEED}"
    assert _same(report, expected), f"seed {SEED}"


def _moments(start_s: float, whole_s: float) -> list[float]:
    """Return when to kill: each run gets a little further than the one before, and none to the end."""
    chance = random.Random(SEED)
    return [start_s * 0.7 + chance.uniform(0, 1.2) * (whole_s - start_s) / KILLS for _ in range(KILLS)]


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two reports tell the same, whatever their ids and seconds."""
    told = ("orders", "lines", "customers", "money", "reasons", "adjustments")
    return {key: one[key] for key in told} == {key: other[key] for key in told}
