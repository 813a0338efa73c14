"""What was imported, asked for afterwards: found, listed, or refused by a sentence."""

from datetime import timedelta
from uuid import UUID

import pytest
from builders import LATER, NOON, a_batch, a_file, a_reject

from ordermill.imports.model import Import
from ordermill.imports.runs import Runs
from ordermill.kit.errors import NotFound
from ordermill.storage.memory import MemoryStorage

pytestmark = pytest.mark.anyio

UNKNOWN = UUID(int=7)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def runs(storage: MemoryStorage) -> Runs:
    return Runs(storage.imports)


async def begun(storage: MemoryStorage, *channels: str) -> list[Import]:
    return [
        await storage.imports.begin(a_file(channel=channel), at=NOON + timedelta(hours=hour), actor="import")
        for hour, channel in enumerate(channels)
    ]


class TestRuns:
    async def test_are_found_by_id(self, storage: MemoryStorage, runs: Runs) -> None:
        first, second = await begun(storage, "one", "two")
        assert await runs.get(first.id) == first
        assert await runs.latest() == second

    async def test_are_listed_latest_first_behind_a_known_one(self, storage: MemoryStorage, runs: Runs) -> None:
        first, second = await begun(storage, "one", "two")
        assert await runs.recent(limit=9) == [second, first]
        assert await runs.recent(limit=9, after=second.id) == [first]

    async def test_hand_out_their_rejects(self, storage: MemoryStorage, runs: Runs) -> None:
        (run,) = await begun(storage, "one")
        await storage.imports.load(run, a_batch(rejects=[a_reject(2), a_reject(3)]), at=LATER)
        assert [reject.line async for reject in runs.rejects(run.id)] == [2, 3]

    async def test_that_are_not_there_are_refused(self, storage: MemoryStorage, runs: Runs) -> None:
        with pytest.raises(NotFound, match="There are no imports") as none:
            await runs.latest()
        await begun(storage, "one")
        with pytest.raises(NotFound, match=str(UNKNOWN)) as unknown:
            await runs.get(UNKNOWN)
        with pytest.raises(NotFound, match=str(UNKNOWN)) as behind:
            await runs.recent(limit=9, after=UNKNOWN)

        assert {caught.value.code for caught in (none, unknown, behind)} == {"import_not_found"}
