"""
The main job: one recognised file into the book, once and only once, however often it is interrupted.

    first pass (identity, orders that lie apart) -> open or resume the run
    -> for each batch: validate in a thread while the one before is loaded -> close the run -> rejects file

The same file and options give the same batches, and a batch's own transaction moves the run's checkpoint: so a
resumed run, a second importer beside this one and an unbroken run all end the same.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import polars as pl

from ordermill.imports.assemble import build_batch
from ordermill.imports.batch import Batch
from ordermill.imports.model import Import, Reject, Tally
from ordermill.imports.orderfile import OrderFile
from ordermill.imports.ports import ImportStore
from ordermill.imports.refusals import CODE as DIFFERENT_ORDER
from ordermill.imports.rejects import RejectsFile, table_of
from ordermill.imports.report import FileReport
from ordermill.imports.scan import Scan
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Unavailable
from ordermill.kit.files import Replacement

ACTOR: Final = "import"


class Stopped(Exception):
    """The run was asked to stop, and did at a safe point; the same command goes on from there."""


class Watcher:
    """Told how a run goes on; this one is not interested, and a door shows a bar."""

    def scanned(self, position: int, size: int, lines: int) -> None:
        """The first pass has read `position` of `size` stored bytes, and so many records; told from another thread."""

    async def begun(self, run: Import) -> None:
        """The run is open, new or to be resumed; loading begins when this returns, and `Stopped` may be raised."""

    def resumed(self, run: Import) -> None:
        """An interrupted run goes on."""

    def loaded(self, lines: int, of: int, rejects: Sequence[Reject]) -> None:
        """So many of the file's records are done; the last batch had these rejects."""

    def should_stop(self) -> bool:
        """Whether to stop at the next safe point; asked from any thread."""
        return False


class Imports:
    """Files into the book."""

    def __init__(self, store: ImportStore, *, clock: Clock, pause_s: float = 0) -> None:  # allow float: a duration
        """
        Args:
            pause_s: how long to let others write between two batches; SQLite has no queue of its own (RELIABILITY.md 1.1).
        """
        self._store = store
        self._clock = clock
        self._pause_s = pause_s

    async def process(
        self, file: OrderFile, *, rejects: Replacement | None, watcher: Watcher, actor: str = ACTOR
    ) -> FileReport:
        """
        Bring one file into the book.

        Args:
            actor: who asked for it, as the run's row keeps it.
            rejects: where the file's rejects go: `rejects.place` or `default_place`. When they cannot be written there,
                the report says so: they are kept in the book, too.

        Raises:
            Invalid: the file cannot be read to its end; nothing was written.
            Unavailable: file, disk or database failed; what was loaded stays, and the same call goes on from there.
            Stopped: the watcher asked for it.
        """
        job = _Job(self._store, file, await _scan(file, watcher), watcher)
        run = await self._store.begin(file.identity(job.found), at=self._clock.now(), actor=actor)
        await watcher.begun(run)
        run = await self._store.finish(await self._load(run, job), at=self._clock.now())
        report = job.report(run.tally, import_id=str(run.id))
        if rejects is not None and run.tally.orders["rejected"]:
            try:
                await self.hand_back(run, rejects)
            except Unavailable as error:
                report.rejects_refusal = error
            else:
                report.rejects_file = str(rejects.path)
        return report

    async def compare(self, file: OrderFile, *, rejects: Replacement | None, watcher: Watcher) -> FileReport:
        """
        Say what `process` would do, and write nothing but the rejects, where a place for them is given.

        Raises:
            Invalid, Unavailable, Stopped: as `process` does.
        """
        job = _Job(self._store, file, await _scan(file, watcher), watcher)
        tally = Tally()
        customers, strangers = _Customers(), _Customers()
        with RejectsFile(rejects, table=file.reader.table) as handed_back:
            async with aclosing(job.batches()) as batches:
                async for batch in batches:
                    loaded = await self._store.compare(batch, file=file.name)
                    tally.add(batch.tally)
                    tally.add(loaded.tally)
                    customers.add(batch, refused={reject.line for reject in loaded.rejects})
                    strangers.add_keys(loaded.strangers)
                    handed_back.write((*batch.rejects, *loaded.rejects))
                    job.done(batch, loaded.rejects)
        tally.customers |= {"new": strangers.count(), "known": customers.count() - strangers.count()}
        report = job.report(tally, import_id=None)
        report.rejects_file = str(rejects.path) if rejects and handed_back.written else None
        return report

    async def hand_back(self, run: Import, place: Replacement) -> int:
        """
        Write the rejects of a run to a file that can be repaired and processed again; return how many orders it holds.

        Raises:
            Unavailable: `rejects_unwritable`.
        """
        with RejectsFile(place, table=table_of(run.file)) as handed_back:
            async for reject in self._store.rejects(run.id):
                handed_back.write([reject])
        return handed_back.written

    async def _load(self, run: Import, job: "_Job") -> Import:
        refused = await self._refused_before(run)
        customers = _Customers()
        if run.checkpoint:
            job.watcher.resumed(run)
        async with aclosing(job.batches()) as batches:
            async for batch in batches:
                late: Sequence[Reject] = ()
                if batch.index >= run.checkpoint:
                    loaded = await self._store.load(run, batch, at=self._clock.now())
                    if loaded is None:
                        # Another process works on the same run and was faster.
                        run = await self._store.get(run.id) or run
                        refused |= await self._refused_before(run)
                    else:
                        late = loaded.rejects
                        refused |= {reject.line for reject in late}
                        await asyncio.sleep(self._pause_s)
                customers.add(batch, refused=refused)
                job.done(batch, late)
        run.tally.customers["known"] = customers.count() - run.tally.customers["new"]
        return run

    async def _refused_before(self, run: Import) -> set[int]:
        """Return the lines of orders that the book has refused, as a batch does not know of them itself."""
        if DIFFERENT_ORDER not in run.tally.reasons:
            return set()
        return {reject.line async for reject in self._store.rejects(run.id) if reject.code == DIFFERENT_ORDER}


async def _scan(file: OrderFile, watcher: Watcher) -> Scan:
    def progress(position: int, records: int) -> None:
        watcher.scanned(position, file.reader.source.size, records)
        if watcher.should_stop():
            raise Stopped

    return await asyncio.to_thread(file.reader.scan, progress, channel=file.defaults.channel)


@dataclass(slots=True)
class _Job:
    """One file's way through the batches."""

    store: ImportStore
    file: OrderFile
    found: Scan
    watcher: Watcher
    lines: int = 0

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Validate each batch in a thread while the one before it is being loaded."""
        source = self._built()
        upcoming = asyncio.create_task(asyncio.to_thread(next, source, None))
        try:
            # Shielded, since a thread cannot be cancelled and its generator not be closed while it runs.
            while (batch := await asyncio.shield(upcoming)) is not None:
                upcoming = asyncio.create_task(asyncio.to_thread(next, source, None))
                yield batch
        finally:
            await asyncio.wait([upcoming])
            upcoming.exception()  # whoever left early has a reason of his own
            source.close()

    def _built(self) -> Generator[Batch, None, None]:
        reader = self.file.reader
        for index, frame in enumerate(reader.orders(self.found, channel=self.file.defaults.channel)):
            yield build_batch(index, frame, reader.format, defaults=self.file.defaults, file=self.file.name)

    def done(self, batch: Batch, late: Iterable[Reject]) -> None:
        """
        Tell the watcher, and listen to it.

        Raises:
            Stopped: it asked for it.
        """
        self.lines += batch.tally.lines["read"]
        self.watcher.loaded(self.lines, self.found.records, [*batch.rejects, *late])
        if self.lines < self.found.records and self.watcher.should_stop():
            raise Stopped

    def report(self, tally: Tally, *, import_id: str | None) -> FileReport:
        fmt = self.file.reader.format
        return FileReport(
            file=self.file.name,
            format=fmt.name,
            mapping=fmt.title,
            channel=self.file.defaults.channel,
            tally=tally,
            import_id=import_id,
        )


class _Customers:
    """Distinct customers, as eight bytes each: batches do not know of each other."""

    def __init__(self) -> None:
        self._seen = pl.Series(dtype=pl.UInt64)

    def add(self, batch: Batch, *, refused: set[int]) -> None:
        """Add the buyers of a batch's accepted orders, without those that begin in `refused` lines."""
        orders = batch.orders
        if refused:
            orders = orders.filter(~pl.col("first_line").is_in(list(refused)))
        self.add_keys(orders["customer_key"].drop_nulls())

    def add_keys(self, keys: pl.Series) -> None:
        self._seen = pl.concat([self._seen, keys.hash()]).unique()

    def count(self) -> int:
        return len(self._seen)
