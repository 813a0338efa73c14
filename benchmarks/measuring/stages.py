"""
The real thing, measured: stage after stage with nothing beside each, and whole as `process` runs it.

Each function is for a process of its own; paths and URLs go in, plain values come out.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import polars as pl
from record import Record, Transaction, listening, rejected_beyond

from ordermill.bootstrap import connect, open_services
from ordermill.config import DatabaseUrl, load
from ordermill.imports import mapfile
from ordermill.imports.assemble import build_batch
from ordermill.imports.batch import Batch
from ordermill.imports.model import Import
from ordermill.imports.orderfile import Options, OrderFile, order_file
from ordermill.imports.process import ACTOR, Watcher
from ordermill.imports.rejects import place
from ordermill.imports.scan import Scan
from ordermill.kit.clock import SystemClock
from ordermill.storage.database import Database
from ordermill.storage.imports import SqlImports

CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Export:
    """A file to be read, and how."""

    title: str
    path: Path
    mapping: Path | None = None

    def opened(self) -> AbstractContextManager[OrderFile]:
        mapping = mapfile.load(self.mapping) if self.mapping else None
        return order_file(str(self.path), Options(mapping=mapping), currency="EUR", timezone="UTC")


@dataclass(slots=True)
class Stages:
    """Seconds of each stage, and what went through them."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("first pass", "parse", "validate", "load"), 0.0))
    lines: int = 0
    orders: int = 0  # accepted
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Whole:
    """One `process` from opening the file to its report."""

    seconds: float
    new: int
    unchanged: int


def staged(export: Export, url: str, record: Path) -> Stages:
    """Load a file into a fresh book one step at a time, and record what is written."""
    return asyncio.run(_staged(export, url, Record(record)))


def whole(export: Export, url: str, rejects: Path) -> Whole:
    """Bring a file into a book as the command does."""
    return asyncio.run(_whole(export, url, rejects))


async def _staged(export: Export, url: str, record: Record) -> Stages:
    stages = Stages()
    database = connect(DatabaseUrl(url))
    try:
        with export.opened() as file:
            begun = perf_counter()
            found = file.reader.scan(_unwatched, channel=file.defaults.channel)
            stages.seconds["first pass"] = perf_counter() - begun
            store = SqlImports(database)
            run = await store.begin(file.identity(found), at=CLOCK.now(), actor=ACTOR)
            for batch in _built(file, found, stages):
                await _load(database, run, batch, stages, record)
            await store.finish(run, at=CLOCK.now())
    finally:
        await database.close()
    return stages


def _built(file: OrderFile, found: Scan, stages: Stages) -> Iterator[Batch]:
    frames = file.reader.orders(found, channel=file.defaults.channel)
    index = 0
    while (frame := _next(frames, stages)) is not None:
        begun = perf_counter()
        batch = build_batch(index, frame, file.reader.format, defaults=file.defaults, file=file.name)
        stages.seconds["validate"] += perf_counter() - begun
        yield batch
        index += 1


def _next(frames: Iterator[pl.DataFrame], stages: Stages) -> pl.DataFrame | None:
    begun = perf_counter()
    frame = next(frames, None)
    stages.seconds["parse"] += perf_counter() - begun
    return frame


async def _load(database: Database, run: Import, batch: Batch, stages: Stages, record: Record) -> None:
    refused = run.tally.orders["rejected"]
    with listening() as heard:
        begun = perf_counter()
        await SqlImports(database).load(run, batch, at=CLOCK.now())
        stages.seconds["load"] += perf_counter() - begun
    rejected = await database.read(lambda connection: rejected_beyond(connection, refused))
    record.add(Transaction(heard, rejected, json.dumps(run.tally.as_json())))
    stages.batches += 1
    stages.lines += batch.tally.lines["read"]
    stages.orders += batch.orders.height


def _unwatched(*_: int) -> None:
    """Take no notice of how far a pass is."""


async def _whole(export: Export, url: str, rejects: Path) -> Whole:
    async with open_services(load(database_url=url)) as services:
        begun = perf_counter()
        with export.opened() as file:
            report = await services.imports.process(file, rejects=place(rejects), watcher=Watcher())
        seconds = perf_counter() - begun
    return Whole(seconds, report.tally.orders["new"], report.tally.orders["unchanged"])
