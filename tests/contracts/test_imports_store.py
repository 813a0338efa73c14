"""Runs of an import: each batch is loaded once and only once, and what was refused is read back as it stood."""

from datetime import timedelta
from uuid import UUID

import anyio
import pytest
from builders import LATER, NOON, a_batch, a_file, a_reject, a_user, an_id, outcomes, sold
from storages import Storage

from ordermill.imports.model import Import, Money, Reject, Tally

pytestmark = pytest.mark.anyio


class TestBegin:
    async def test_opens_a_run(self, storage: Storage) -> None:
        run = await storage.begun()

        assert await storage.imports.get(run.id) == run
        assert run == Import(run.id, a_file(), "running", 0, Tally(), NOON, None)

    async def test_returns_the_unfinished_run_of_the_same_file(self, storage: Storage) -> None:
        first = await storage.begun()
        await storage.imports.load(first, a_batch(sold("1001")), at=LATER)

        again = await storage.begun(name="renamed.csv")

        assert (again.id, again.checkpoint, again.tally) == (first.id, 1, first.tally)
        assert again.file.name == "orders.csv"
        assert len(await storage.imports.recent(limit=10)) == 1

    async def test_of_twenty_at_once_opens_one(self, storage: Storage) -> None:
        runs: list[UUID] = []

        async def begin() -> None:
            runs.append((await storage.begun()).id)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(begin)

        assert len(runs) == 20
        assert len(set(runs)) == 1

    @pytest.mark.parametrize("other", [{"sha256": "1" * 64}, {"options_key": "other"}, {"channel": "other"}])
    async def test_opens_another_run_for_anything_else(self, storage: Storage, other: dict[str, str]) -> None:
        first = await storage.begun()

        assert (await storage.begun(**other)).id != first.id

    async def test_opens_another_run_once_the_first_is_finished(self, storage: Storage) -> None:
        first = await storage.begun()
        await storage.imports.finish(first, at=LATER)

        assert (await storage.begun()).id != first.id


class TestCheckpoint:
    async def test_moves_on_with_each_batch(self, storage: Storage) -> None:
        run = await storage.begun()

        await storage.imports.load(run, a_batch(sold("1001")), at=LATER)
        await storage.imports.load(run, a_batch(sold("1002"), index=1), at=LATER)

        stored = await storage.imports.get(run.id)
        assert stored is not None
        assert (run.checkpoint, stored.checkpoint) == (2, 2)
        assert run.tally.orders["new"] == 2
        assert stored.tally == run.tally

    async def test_refuses_a_batch_that_is_loaded_already(self, storage: Storage) -> None:
        run = await storage.begun()
        await storage.imports.load(run, a_batch(sold("1001"), rejects=[a_reject()]), at=LATER)
        before = await storage.imports.get(run.id)

        again = await storage.imports.load(run, a_batch(sold("1002"), rejects=[a_reject()]), at=LATER)

        assert again is None
        assert await storage.imports.get(run.id) == before
        assert list(await storage.numbered()) == ["1001"]
        assert len([reject async for reject in storage.imports.rejects(run.id)]) == 1

    async def test_refuses_a_batch_whose_turn_has_not_come(self, storage: Storage) -> None:
        run = await storage.begun()

        assert await storage.imports.load(run, a_batch(sold("1001"), index=1), at=LATER) is None

        assert run.checkpoint == 0
        assert await storage.numbered() == {}

    async def test_refuses_a_batch_of_a_finished_or_unknown_run(self, storage: Storage) -> None:
        run = await storage.begun()
        await storage.imports.finish(run, at=LATER)
        unknown = Import(an_id(), a_file(), "running", 0, Tally(), NOON)

        assert await storage.imports.load(run, a_batch(sold("1001")), at=LATER) is None
        assert await storage.imports.load(unknown, a_batch(sold("1001")), at=LATER) is None

        assert await storage.numbered() == {}

    async def test_lets_two_loaders_of_one_run_load_each_batch_once(self, storage: Storage) -> None:
        batches = [a_batch(sold(f"10{index:02}"), index=index, rejects=[a_reject(index + 2)]) for index in range(8)]
        loads: list[int] = []

        async def go_through(run: Import) -> None:
            while run.checkpoint < len(batches):
                index = run.checkpoint
                if await storage.imports.load(run, batches[index], at=LATER) is None:
                    again = await storage.imports.get(run.id)
                    assert again is not None
                    run = again
                else:
                    loads.append(index)

        async with anyio.create_task_group() as group:
            for run in [await storage.begun(), await storage.begun()]:
                group.start_soon(go_through, run)

        (run,) = await storage.imports.recent(limit=10)
        assert sorted(loads) == list(range(8))
        assert run.tally.orders["new"] == 8
        assert len(await storage.numbered()) == 8
        assert [reject.line async for reject in storage.imports.rejects(run.id)] == list(range(2, 10))
        assert await storage.figures() == [(NOON, "EUR", 8, 7200, 0)]

    async def test_lets_two_runs_load_the_same_orders_once(self, storage: Storage) -> None:
        batch = a_batch(*(sold(f"10{number:02}", customer_email=f"{number}@example.com") for number in range(20)))
        loads: list[dict[str, int]] = []

        async def load(run: Import) -> None:
            loaded = await storage.imports.load(run, batch, at=LATER)
            assert loaded is not None
            loads.append(outcomes(loaded))

        async with anyio.create_task_group() as group:
            for run in [await storage.begun(), await storage.begun(sha256="1" * 64)]:
                group.start_soon(load, run)

        assert sorted(map(str, loads)) == ["{'new': 20}", "{'unchanged': 20}"]
        assert await storage.figures() == [(NOON, "EUR", 20, 18000, 0)]
        assert len(await storage.unit().users.get_all()) == 20

    async def test_keeps_a_batch_of_nothing_but_rejects(self, storage: Storage) -> None:
        run = await storage.begun()

        await storage.imports.load(run, a_batch(rejects=[a_reject(2), a_reject(3)]), at=LATER)

        assert (run.checkpoint, run.tally.orders["rejected"]) == (1, 2)


class TestRejects:
    async def test_are_read_back_in_the_order_they_were_found(self, storage: Storage) -> None:
        run = await storage.begun()
        first = [a_reject(9), a_reject(2, number=None, field=None, value=None, code="malformed")]
        second = [a_reject(20, number="№ 7 🦊", lines=((20, 'a,"b\nc"'), (40, "d")))]

        await storage.imports.load(run, a_batch(rejects=first), at=LATER)
        await storage.imports.load(run, a_batch(index=1, rejects=second), at=LATER)

        assert [reject async for reject in storage.imports.rejects(run.id)] == [*first, *second]

    async def test_keep_a_record_with_nul_as_it_stood(self, storage: Storage) -> None:
        run = await storage.begun()
        hostile = a_reject(number="a\0b", field="n\0", value="\0", message="It is '\0'.", lines=((2, "a\0b,\x1b,1"),))

        await storage.imports.load(run, a_batch(rejects=[hostile]), at=LATER)

        (kept,) = [reject async for reject in storage.imports.rejects(run.id)]
        assert kept == Reject(2, "a␀b", "n␀", "␀", "quantity_out_of_range", "It is '␀'.", ((2, "a\0b,\x1b,1"),))

    async def test_go_on_over_more_than_one_page(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ordermill.storage.imports.PAGE", 2)
        run = await storage.begun()

        await storage.imports.load(run, a_batch(rejects=[a_reject(line) for line in range(2, 7)]), at=LATER)

        assert [reject.line async for reject in storage.imports.rejects(run.id)] == [2, 3, 4, 5, 6]

    async def test_of_an_unknown_run_are_none(self, storage: Storage) -> None:
        assert [reject async for reject in storage.imports.rejects(an_id())] == []


class TestCompare:
    async def test_says_what_load_would_do_and_writes_nothing(self, storage: Storage) -> None:
        await storage.load(a_batch(sold("1001"), sold("1002"), sold("1003")))
        before = await storage.numbered()
        batch = a_batch(
            sold("1001"), sold("1002", note="new"), sold("1003", currency="USD"), sold("1004", channel="new channel")
        )

        compared = await storage.imports.compare(batch, file="orders.csv")

        assert outcomes(compared) == {"new": 1, "updated": 1, "unchanged": 1, "rejected": 1}
        assert [reject.code for reject in compared.rejects] == ["different_order"]
        assert compared.tally.reasons["different_order"].example["file"] == "orders.csv"
        assert compared.tally.money == {"USD": Money(-900, 0, 0)}
        assert await storage.numbered() == before
        assert len(await storage.imports.recent(limit=10)) == 1

    async def test_names_the_buyers_whom_the_book_does_not_know(self, storage: Storage) -> None:
        await storage.keep(a_user("ada@example.com"))
        batch = a_batch(
            sold("1001"),
            sold("1002", customer_email=None),
            sold("1003", customer_email="Bob@example.com"),
            sold("1004", customer_email="bob@example.com"),
        )

        compared = await storage.imports.compare(batch, file="orders.csv")

        assert compared.strangers.to_list() == ["bob@example.com"]
        assert len(await storage.unit().users.get_all()) == 1


class TestFinish:
    async def test_closes_the_run_and_tells_the_ledger(self, storage: Storage) -> None:
        run = await storage.begun()
        await storage.imports.load(run, a_batch(sold("1001"), rejects=[a_reject(9)]), at=LATER)

        finished = await storage.imports.finish(run, at=LATER)

        assert (finished.state, finished.finished_at, finished.checkpoint) == ("finished", LATER, 1)
        assert finished.tally == run.tally
        assert await storage.imports.get(run.id) == finished
        (event,) = await storage.unit().events.recent(type="import.finished")
        assert (event.at, event.actor, event.import_id, event.order_id) == (LATER, "import", run.id, None)
        assert event.data == {"orders": run.tally.orders, "lines": run.tally.lines}

    async def test_of_a_closed_run_leaves_it_as_it_is(self, storage: Storage) -> None:
        run = await storage.begun()
        finished = await storage.imports.finish(run, at=NOON)

        again = await storage.imports.finish(run, at=LATER)

        assert again == finished
        assert len(await storage.unit().events.recent(type="import.finished")) == 1


class TestRecent:
    async def test_shows_the_newest_first_in_pages(self, storage: Storage) -> None:
        runs = [
            await storage.imports.begin(a_file(sha256=str(n) * 64), at=NOON + timedelta(seconds=n), actor="cli")
            for n in range(3)
        ]

        first = await storage.imports.recent(limit=2)
        second = await storage.imports.recent(limit=2, after=first[-1].id)

        assert [run.id for run in (*first, *second)] == [run.id for run in reversed(runs)]

    async def test_knows_nothing_of_an_unknown_run(self, storage: Storage) -> None:
        assert await storage.imports.get(an_id()) is None
