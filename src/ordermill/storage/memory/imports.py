"""Runs of `process` in memory: the checkpoint is the guard, as it is in SQL."""

from collections.abc import AsyncIterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from ordermill.imports.batch import Batch, Loaded
from ordermill.imports.model import Import, ImportFile, Reject, Tally
from ordermill.kit.ids import new_id
from ordermill.privacy.model import may_be_kept
from ordermill.storage.bulk.rows import Stamp
from ordermill.storage.entities import storable
from ordermill.storage.gathering import Store
from ordermill.storage.memory import loading
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.erased import erased_among


class MemoryImports:
    """`imports.ports.ImportStore`."""

    def __init__(self, store: Store[Book]) -> None:
        self._store = store

    async def begin(self, file: ImportFile, *, at: datetime, actor: str) -> Import:  # noqa: ARG002  # no column to keep the actor in
        def work(book: Book) -> Import:
            unfinished = [run for run in book.imports.values() if run.state == "running" and _same(run.file, file)]
            if not unfinished:
                run = Import(id=new_id(at), file=replace(file), state="running", checkpoint=0, tally=Tally(), started_at=at)
                book.imports[run.id] = run
                unfinished = [run]
            return deepcopy(unfinished[0])

        return await self._store.write(work)

    async def load(self, run: Import, batch: Batch, *, at: datetime) -> Loaded | None:
        done = await self._store.write(lambda book: _load(book, run, batch, at))
        if done is None:
            return None
        loaded, tally = done
        run.checkpoint, run.tally = batch.index + 1, tally
        return loaded

    async def compare(self, batch: Batch, *, file: str) -> Loaded:
        return await self._store.read(lambda book: loading.compare(book, batch, file=file))

    async def finish(self, run: Import, *, at: datetime) -> Import:
        def work(book: Book) -> Import:
            kept = book.imports[run.id]
            if kept.state == "running":
                kept = replace(kept, state="finished", finished_at=at, tally=deepcopy(kept.tally))
                # All but the buyers is kept already; an erasure may have blanked an example since the last batch.
                kept.tally.customers = dict(run.tally.customers)
                book.imports[run.id] = kept
                loading.add_finished_event(book, kept, at=at)
            return deepcopy(kept)

        return await self._store.write(work)

    async def get(self, id: UUID) -> Import | None:
        return await self._store.read(lambda book: deepcopy(book.imports.get(id)))

    async def recent(self, *, limit: int, after: UUID | None = None) -> Sequence[Import]:
        def look(book: Book) -> list[Import]:
            ids = sorted((id for id in book.imports if after is None or id < after), reverse=True)
            return [deepcopy(book.imports[id]) for id in ids[:limit]]

        return await self._store.read(look)

    async def rejects(self, id: UUID) -> AsyncIterator[Reject]:
        for reject in await self._store.read(lambda book: book.rejects.get(id, ())):
            yield reject


def _same(one: ImportFile, other: ImportFile) -> bool:
    return (one.channel, one.sha256, one.options_key) == (other.channel, other.sha256, other.options_key)


def _load(book: Book, run: Import, batch: Batch, at: datetime) -> tuple[Loaded, Tally] | None:
    kept = book.imports.get(run.id)
    if kept is None or kept.state != "running" or kept.checkpoint != batch.index:
        return None
    loaded = loading.load(book, batch, Stamp(run.id.hex, at), file=kept.file.name)
    told = (*batch.rejects, *loaded.rejects)
    rejects, tallies = may_be_kept(told, (batch.tally, loaded.tally), erased=partial(erased_among, book))
    book.rejects[run.id] = (*book.rejects.get(run.id, ()), *map(storable, rejects))
    tally = deepcopy(kept.tally)
    for each in tallies:
        tally.add(each)
    book.imports[run.id] = replace(kept, checkpoint=batch.index + 1, tally=deepcopy(tally))
    return loaded, tally
