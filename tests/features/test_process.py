"""One file into the book, seen from the service: what its callers are told, and when others get their turn."""

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from ordermill.imports.batch import Batch, Loaded
from ordermill.imports.model import Import, Reject
from ordermill.imports.orderfile import Options, order_file
from ordermill.imports.process import Imports, Stopped, Watcher
from ordermill.kit.clock import SystemClock
from ordermill.storage.memory import MemoryStorage
from ordermill.storage.memory.imports import MemoryImports

pytestmark = pytest.mark.anyio

ORDERS = 60_000  # long enough for three batches
PAUSE_S = 0.2


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("process") / "shop.csv"
    with path.open("w") as file:
        file.write("number,placed_at,currency,sku,quantity,unit_price\n")
        file.writelines(f"L-{order},2026-03-01T10:00:00Z,EUR,{order:060},{order % 2},1.25\n" for order in range(ORDERS))
    return str(path)


class Timed(MemoryImports):
    """Remembers when each batch was begun and done."""

    def __init__(self) -> None:
        super().__init__(MemoryStorage())
        self.turns: list[tuple[float, float]] = []

    async def load(self, run: Import, batch: Batch, *, at: datetime) -> Loaded | None:
        began = time.monotonic()
        loaded = await super().load(run, batch, at=at)
        self.turns.append((began, time.monotonic()))
        return loaded


class Told(Watcher):
    """Remembers what it was told, and asks to stop after so many batches."""

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.scans: list[tuple[int, int, int]] = []
        self.lines: list[tuple[int, int]] = []
        self.rejects = 0
        self._stop_after = stop_after

    def scanned(self, position: int, size: int, lines: int) -> None:
        self.scans.append((position, size, lines))

    def loaded(self, lines: int, of: int, rejects: Sequence[Reject]) -> None:
        self.lines.append((lines, of))
        self.rejects += len(rejects)

    def should_stop(self) -> bool:
        return self._stop_after is not None and len(self.lines) >= self._stop_after


async def test_others_get_their_turn_between_two_batches(export: str) -> None:
    store = Timed()
    with order_file(export, Options(), currency="EUR", timezone="UTC") as file:
        await Imports(store, clock=SystemClock(), pause_s=PAUSE_S).process(file, rejects=None, watcher=Watcher())

    gaps = [began - done for (_, done), (began, _) in zip(store.turns, store.turns[1:], strict=False)]
    assert len(gaps) >= 2
    assert min(gaps) >= PAUSE_S


async def test_the_watcher_is_told_of_both_passes_and_every_reject(export: str) -> None:
    watcher = Told()
    with order_file(export, Options(), currency="EUR", timezone="UTC") as file:
        await Imports(MemoryStorage().imports, clock=SystemClock()).process(file, rejects=None, watcher=watcher)

    size = Path(export).stat().st_size
    assert watcher.scans[-1] == (size, size, ORDERS)
    assert watcher.lines[-1] == (ORDERS, ORDERS)
    assert watcher.rejects == ORDERS // 2


async def test_a_stopped_run_goes_on_where_it_was(export: str) -> None:
    store = Timed()
    imports = Imports(store, clock=SystemClock())
    watcher = Told(stop_after=1)
    with order_file(export, Options(), currency="EUR", timezone="UTC") as file:
        with pytest.raises(Stopped):
            await imports.process(file, rejects=None, watcher=watcher)
        stopped = len(store.turns)
        report = await imports.process(file, rejects=None, watcher=Watcher())

    assert stopped == 1
    assert report.tally.orders["read"] == ORDERS
    assert report.tally.orders["new"] == report.tally.orders["rejected"] == ORDERS // 2
    assert len(await store.recent(limit=10)) == 1


async def test_what_is_asked_to_stop_behind_the_last_batch_is_done(export: str) -> None:
    all_batches = Told()
    with order_file(export, Options(), currency="EUR", timezone="UTC") as file:
        await Imports(MemoryStorage().imports, clock=SystemClock()).process(file, rejects=None, watcher=all_batches)
        late = Told(stop_after=len(all_batches.lines))
        report = await Imports(MemoryStorage().imports, clock=SystemClock()).process(file, rejects=None, watcher=late)

    assert report.tally.orders["read"] == ORDERS
