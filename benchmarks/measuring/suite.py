"""What is measured, in which order, and what it is set beside."""

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import bare
import generate
import polars as pl
import stages
from children import in_child
from fresh import Books, PostgresBooks, SqliteBooks, durable_postgres
from stages import Export
from table import NOTHING, Row, Volume, markdown

ROOT: Final = Path(__file__).parents[2]
REAL: Final = ROOT.parent / "shared" / "data" / "online-retail.csv.gz"
MAP: Final = ROOT / "examples" / "online-retail.toml"

# PERFORMANCE.md, "What to reach".
LIMIT_SHARES: Final = {"PostgreSQL": "≥ 60 %", "SQLite": "≥ 40 %, aim 60 %"}
SECOND_RUN: Final = "≥ 3 times"
MEMORY: Final = "< 400 MB"
MEMORY_FACTOR: Final = 5  # from 1 to 5 million lines


@dataclass(slots=True)
class Runs:
    """The seconds of each stage in each repetition."""

    volume: Volume = NOTHING
    seconds: dict[str, list[float]] = field(default_factory=dict)
    peaks_mb: list[float] = field(default_factory=list)

    def add(self, stage: str, seconds: float) -> None:
        self.seconds.setdefault(stage, []).append(seconds)

    def __getitem__(self, stage: str) -> float:
        return median(self.seconds[stage])


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ordermill-bench-") as name, _places(options.only, Path(name)) as places:
        directory = Path(name)
        if options.memory:
            _memory(directory, places, lines=options.lines)
            return
        print(f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}; medians of {options.repeat}.\n")
        for export in _exports(options, directory):
            for books in places:
                runs = _measured(export, books, directory, repeat=options.repeat)
                print(markdown(f"{export.title}, on {books.title}", _rows(runs, books.title)), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure `ordermill process` beside the limits of this machine.")
    parser.add_argument("--lines", type=int, default=1_000_000, help="length of the generated file; 0: none")
    parser.add_argument("--real", type=Path, default=REAL, help="a real export; read through --map")
    parser.add_argument("--map", type=Path, default=MAP)
    parser.add_argument("--only", choices=("sqlite", "postgres"), help="measure one database")
    parser.add_argument("--repeat", type=_times, default=1, help="how often everything is measured; the medians count")
    parser.add_argument("--memory", action="store_true", help="only the memory of a run over 1 and 5 times --lines")
    return parser.parse_args()


def _times(word: str) -> int:
    if (times := int(word)) < 1:
        raise argparse.ArgumentTypeError("everything is measured at least once")
    return times


@contextmanager
def _places(only: str | None, directory: Path) -> Iterator[list[Books]]:
    embedded: list[Books] = [] if only == "postgres" else [SqliteBooks(directory)]
    if only == "sqlite":
        yield embedded
        return
    _say("starting PostgreSQL")
    with durable_postgres() as server:
        yield [*embedded, PostgresBooks(server)]


def _exports(options: argparse.Namespace, directory: Path) -> Iterator[Export]:
    if options.lines:
        yield _generated(directory, lines=options.lines)
    if options.real.exists():
        yield Export(f"Real file, {options.real.name}", options.real, options.map)
    else:
        print(f"The real file is not measured: there is no {os.path.relpath(options.real)}.\n")


def _generated(directory: Path, *, lines: int) -> Export:
    _say(f"generating {lines:,} lines")
    path = directory / f"generated-{lines}.csv"
    in_child(generate.write, path, lines=lines)
    return Export(f"Generated file, {lines:,} lines", path)


def _measured(export: Export, books: Books, directory: Path, *, repeat: int) -> Runs:
    runs = Runs()
    for turn in range(1, repeat + 1):
        _say(f"{export.title}, {books.title}, {turn} of {repeat}: stages")
        with tempfile.TemporaryDirectory(dir=directory) as name:
            record = Path(name)
            real = books.fresh("staged")
            staged = in_child(stages.staged, export, real, record).result
            _say(f"  bare load of {staged.batches} batches")
            limit = in_child(bare.load, record, books.fresh("bare"), like=real).result
        runs.volume = Volume(staged.lines, staged.orders)
        for stage, seconds in staged.seconds.items():
            runs.add(stage, seconds)
        runs.add("bare load", limit)
        _run_whole(runs, export, books, directory, like=real)
    return runs


def _run_whole(runs: Runs, export: Export, books: Books, directory: Path, *, like: str) -> None:
    url = books.fresh("whole")
    rejects = directory / "rejects.csv"
    _say("  whole")
    first = in_child(stages.whole, export, url, rejects)
    in_child(bare.require_equal, url, like)
    _say("  second run")
    second = in_child(stages.whole, export, url, rejects)
    counted = (first.result.new, first.result.unchanged, second.result.new, second.result.unchanged)
    if counted != (runs.volume.orders, 0, 0, runs.volume.orders):
        raise AssertionError(f"First all orders should be new and then unchanged, but there were {counted}")
    runs.add("whole", first.result.seconds)
    runs.add("second run", second.result.seconds)
    runs.peaks_mb.append(max(first.peak_mb, second.peak_mb))


def _rows(runs: Runs, database: str) -> list[Row]:
    limit, row = runs["bare load"], runs.volume.row
    apart = [row(stage, runs[stage]) for stage in ("first pass", "parse", "validate")]
    return [
        *apart,
        row("load", runs["load"], figure=_share(limit, runs["load"])),
        row("bare load (the limit)", limit),
        row("whole", runs["whole"], figure=_share(limit, runs["whole"]), target=LIMIT_SHARES[database]),
        row(
            "second run",
            runs["second run"],
            figure=f"{runs['whole'] / runs['second run']:.1f} times as fast",
            target=SECOND_RUN,
        ),
        Row("peak memory", figure=f"{max(runs.peaks_mb):.0f} MB", target=MEMORY),
    ]


def _share(limit: float, seconds: float) -> str:
    return f"{100 * limit / seconds:.0f} % of the limit"


def _memory(directory: Path, places: list[Books], *, lines: int) -> None:
    for books in places:
        rows = []
        for count in (lines, MEMORY_FACTOR * lines):
            export = _generated(directory, lines=count)
            _say(f"{export.title}, {books.title}")
            run = in_child(stages.whole, export, books.fresh("whole"), directory / "rejects.csv")
            volume = Volume(count, run.result.new)
            rows.append(volume.row(f"{count:,} lines", run.result.seconds, figure=f"{run.peak_mb:.0f} MB", target=MEMORY))
        print(markdown(f"Memory of `process`, on {books.title}", rows), flush=True)


def _machine() -> str:
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()}, Python {platform.python_version()}, "
        f"Polars {pl.__version__}, SQLite {sqlite3.sqlite_version}"
    )


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
