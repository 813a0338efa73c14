"""
How `ordermill process` goes about it: all files are recognised first, then one after the other is brought in.

A file that is refused does not stop the others, and the exit code is the worst of all; when the environment fails
the command ends there.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ordermill.bootstrap import open_for_comparing, open_services
from ordermill.cli import report as reporting
from ordermill.cli.console import complain, narrate
from ordermill.cli.interruption import Interruption
from ordermill.cli.options import settings
from ordermill.cli.outcome import Outcome
from ordermill.cli.program import Code
from ordermill.cli.progress import Shown
from ordermill.config import Settings
from ordermill.imports import mapfile
from ordermill.imports.orderfile import Options, OrderFile, order_file
from ordermill.imports.process import Imports, Stopped
from ordermill.imports.rejects import default_place, place
from ordermill.imports.report import Report
from ordermill.imports.source import STANDARD_INPUT
from ordermill.kit.errors import Conflict, Invalid, Unavailable
from ordermill.kit.files import Replacement


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed."""

    files: list[str]
    output: Path | None
    format: str | None
    map: Path | None
    channel: str | None
    currency: str | None
    timezone: str | None
    encoding: str | None
    delimiter: str | None
    guests: bool
    merge: bool
    dry_run: bool
    rejects: Path | None
    as_json: bool
    verbose: bool
    database: str | None


@dataclass(frozen=True, slots=True)
class _Work:
    """A recognised file of the path that was typed, and where its rejects go."""

    path: str
    file: OrderFile
    rejects: Replacement | None


def run(request: Request) -> int:
    """
    Do what was asked for, and return the exit code.

    Raises:
        Invalid: the options do not fit together; nothing was done.
        Unavailable: the book cannot be opened.
    """
    write = _checked(request)
    chosen = settings(request.database)
    outcome = Outcome(Report(dry_run=request.dry_run))
    began = time.monotonic()
    try:
        _bring_in(request, chosen, outcome)
    finally:
        # Whatever has ended it, even a bug, what was done is told.
        outcome.report.seconds = f"{time.monotonic() - began:.2f}"
        if outcome.report.files or outcome.report.refused:
            outcome.tell(as_json=request.as_json, database=str(chosen.database), output=request.output, write=write)
    return outcome.code


def _bring_in(request: Request, chosen: Settings, outcome: Outcome) -> None:
    with ExitStack() as files:
        work = _recognised(request, chosen, files, outcome)
        if not work:
            return
        with Interruption() as interruption:
            try:
                asyncio.run(_one_by_one(work, request, chosen, outcome, interruption))
            except Stopped:
                outcome.code = interruption.code


def _checked(request: Request) -> Callable[[Report], None] | None:
    """Refuse what cannot be meant, and return what writes the report."""
    if request.map and request.format:
        raise Invalid("--map says how the files are read, and so does --format; give one of the two.", code="usage")
    if request.files.count(STANDARD_INPUT) > 1:
        raise Invalid("Standard input (-) can be read once only.", code="usage")
    if request.rejects and len(request.files) > 1:
        raise Invalid("--rejects names the place of one file's rejects; process one file, or leave it out.", code="usage")
    read = [Path(file) for file in request.files if file != STANDARD_INPUT] + ([request.map] if request.map else [])
    for written in filter(None, (request.rejects, request.output)):
        if any(_same(written, file) for file in read):
            raise Invalid(f"{str(written)!r} is to be read; write somewhere else.", code="usage")
    if request.rejects and request.output and _same(request.rejects, request.output):
        raise Invalid("--rejects and --output name one file; write them to two.", code="usage")
    if request.rejects and not request.rejects.parent.is_dir():
        raise Unavailable(f"There is no directory {str(request.rejects.parent)!r} for the rejects.", code="rejects_unwritable")
    return reporting.writer(request.output) if request.output else None


def _same(one: Path, other: Path) -> bool:
    # By name too, as one that is only going to be written does not exist yet.
    return os.path.realpath(one) == os.path.realpath(other) or (one.exists() and other.exists() and one.samefile(other))


def _recognised(request: Request, chosen: Settings, files: ExitStack, outcome: Outcome) -> list[_Work]:
    options = _options(request)
    work = []
    for path in request.files:
        try:
            file = files.enter_context(order_file(path, options, currency=chosen.currency, timezone=chosen.timezone))
        except (Invalid, Unavailable) as refusal:
            outcome.refused(path, refusal)
            continue
        narrate(f"{file.name}: {file.reader.format.title}, channel {file.defaults.channel}.")
        work.append(_Work(path, file, _rejects(path, file, request)))
    return work


def _options(request: Request) -> Options:
    return Options(
        format=request.format,
        mapping=_map(request.map) if request.map else None,
        channel=request.channel,
        currency=request.currency,
        timezone=request.timezone,
        encoding=request.encoding,
        delimiter=request.delimiter,
        guests=request.guests,
        merge=request.merge,
    )


def _rejects(path: str, file: OrderFile, request: Request) -> Replacement | None:
    if request.rejects:
        return place(request.rejects)
    if request.dry_run:
        return None
    return default_place(
        "stdin" if path == STANDARD_INPUT else file.name,
        beside=request.output.parent if request.output else Path(),
        extension=file.extension,
        avoid=[request.output] if request.output else [],
    )


def _map(path: Path) -> mapfile.MapFile:
    try:
        return mapfile.load(path)
    except OSError as error:
        raise Invalid(f"The map file {str(path)!r} cannot be read: {error.strerror}.", code="map_unreadable") from error


async def _one_by_one(
    work: list[_Work], request: Request, chosen: Settings, outcome: Outcome, interruption: Interruption
) -> None:
    narrate(f"{'Compared with' if request.dry_run else 'Order book'}: {chosen.database}")
    async with _opened(request, chosen) as imports:
        bring = imports.compare if request.dry_run else imports.process
        for each in work:
            shown = Shown(each.file.name, verbose=request.verbose, interruption=interruption)
            try:
                with shown:
                    outcome.done(await bring(each.file, rejects=each.rejects, watcher=shown))
            except Invalid as refusal:
                outcome.refused(each.path, refusal)
            except (Conflict, Unavailable) as refusal:
                # A conflict is one that lasted: others change the same orders, or the book is not as its schema says.
                advice = "" if request.dry_run else " What was loaded stays; the same command goes on from there."
                outcome.refused(each.path, refusal, code=Code.ENVIRONMENT, advice=advice)
                return
            except Stopped:
                _tell_stopped(each.file.name, shown, request)
                raise


@asynccontextmanager
async def _opened(request: Request, chosen: Settings) -> AsyncIterator[Imports]:
    if request.dry_run:
        async with open_for_comparing(chosen) as imports:
            yield imports
    else:
        async with open_services(chosen, create=True) as services:
            yield services.imports


def _tell_stopped(file: str, shown: Shown, request: Request) -> None:
    if request.dry_run:
        complain(f"{file}: interrupted; nothing was written.")
    else:
        complain(f"{file}: interrupted at a safe point, behind {shown.lines:,} lines; the same command goes on from there.")
