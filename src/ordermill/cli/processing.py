"""
How `ordermill process` goes about it: all files are recognised first, then one after the other is brought in.

A file that is refused does not stop the others, and the exit code is the worst of all; when the environment fails
the command ends there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ordermill.bootstrap import open_for_comparing, open_services
from ordermill.cli import report as reporting
from ordermill.cli.console import complain, narrate, print_json, say, show
from ordermill.cli.interruption import Interruption
from ordermill.cli.options import settings
from ordermill.cli.program import Code, code_of
from ordermill.cli.progress import Shown
from ordermill.config import Settings
from ordermill.imports import mapfile
from ordermill.imports.orderfile import Options, OrderFile, order_file
from ordermill.imports.process import Imports, Stopped
from ordermill.imports.rejects import default_path
from ordermill.imports.report import Report
from ordermill.imports.source import STANDARD_INPUT
from ordermill.kit.errors import Invalid, Unavailable


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


@dataclass(slots=True)
class _Outcome:
    """What has come of the command so far; `code` only ever gets worse."""

    report: Report
    code: int = Code.DONE

    def worse(self, code: int) -> None:
        self.code = max(self.code, code)


@dataclass(frozen=True, slots=True)
class _Work:
    """A recognised file, and where its rejects go."""

    file: OrderFile
    rejects: Path | None


@dataclass(slots=True)
class _Places:
    """Where rejects go by default; two files of one name get two places."""

    directory: Path
    taken: set[Path] = field(default_factory=set)

    def of(self, file: OrderFile) -> Path:
        name = "stdin" if file.reader.source.name == "standard input" else file.name
        first = path = default_path(name, beside=self.directory, extension=file.extension)
        number = 1
        while path in self.taken:
            number += 1
            path = first.with_stem(f"{first.stem}-{number}")
        self.taken.add(path)
        return path


def run(request: Request) -> int:
    """
    Do what was asked for, and return the exit code.

    Raises:
        Invalid: the options do not fit together; nothing was done.
        Unavailable: the book cannot be opened.
    """
    write = _checked(request)
    chosen = settings(request.database)
    outcome = _Outcome(Report(dry_run=request.dry_run))
    began = time.monotonic()
    with ExitStack() as files:
        work = _recognised(request, chosen, files, outcome)
        if not work:
            return outcome.code
        with Interruption() as interruption:
            try:
                asyncio.run(_bring_in(work, request, chosen, outcome, interruption))
            except Stopped:
                outcome.code = interruption.code
    outcome.report.seconds = f"{time.monotonic() - began:.2f}"
    _tell(request, chosen, outcome, write)
    return outcome.code


def _checked(request: Request) -> Callable[[Report], None] | None:
    """Refuse what cannot be meant, and return what writes the report."""
    if request.files.count(STANDARD_INPUT) > 1:
        raise Invalid("Standard input (-) can be read once only.", code="usage")
    if request.rejects and len(request.files) > 1:
        raise Invalid("--rejects names the place of one file's rejects; process one file, or leave it out.", code="usage")
    for place in (request.rejects, request.output):
        if place and any(_same(place, file) for file in request.files):
            raise Invalid(f"{str(place)!r} is to be read; write somewhere else.", code="usage")
    if request.rejects and not request.rejects.parent.is_dir():
        raise Unavailable(f"There is no directory {str(request.rejects.parent)!r} for the rejects.", code="rejects_unwritable")
    return reporting.writer(request.output) if request.output else None


def _same(place: Path, file: str) -> bool:
    return file != STANDARD_INPUT and place.exists() and Path(file).exists() and place.samefile(file)


def _recognised(request: Request, chosen: Settings, files: ExitStack, outcome: _Outcome) -> list[_Work]:
    options = Options(
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
    places = _Places(request.output.parent if request.output else Path())
    work = []
    for path in request.files:
        try:
            file = files.enter_context(order_file(path, options, currency=chosen.currency, timezone=chosen.timezone))
        except (Invalid, Unavailable) as refusal:
            complain(refusal.message)
            outcome.worse(code_of(refusal))
            continue
        narrate(f"{file.name}: {file.reader.format.title}, channel {file.defaults.channel}.")
        wanted = None if request.dry_run else places.of(file)
        work.append(_Work(file, request.rejects or wanted))
    return work


def _map(path: Path) -> mapfile.MapFile:
    try:
        return mapfile.load(path)
    except OSError as error:
        raise Invalid(f"The map file {str(path)!r} cannot be read: {error.strerror}.", code="map_unreadable") from error


async def _bring_in(
    work: list[_Work], request: Request, chosen: Settings, outcome: _Outcome, interruption: Interruption
) -> None:
    narrate(f"{'Compared with' if request.dry_run else 'Order book'}: {chosen.database}")
    async with _opened(request, chosen) as imports:
        for each in work:
            shown = Shown(each.file.name, verbose=request.verbose, interruption=interruption)
            bring = imports.compare if request.dry_run else imports.process
            try:
                with shown:
                    done = await bring(each.file, rejects=each.rejects, watcher=shown)
            except Invalid as refusal:
                complain(refusal.message)
                outcome.worse(code_of(refusal))
                continue
            except Unavailable as refusal:
                complain(f"{refusal.message} What was loaded stays; the same command goes on from there.")
                outcome.worse(code_of(refusal))
                return
            except Stopped:
                _tell_stopped(each.file.name, shown, request)
                raise
            outcome.report.files.append(done)
            if done.tally.orders["rejected"] or any(sums.difference for sums in done.tally.money.values()):
                outcome.worse(Code.DIFFERENCES)


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


def _tell(request: Request, chosen: Settings, outcome: _Outcome, write: Callable[[Report], None] | None) -> None:
    report = outcome.report
    if not report.files:
        return
    if request.as_json:
        print_json(report.as_json())
    else:
        show(*reporting.tables(report))
        say(reporting.pace(report))
        say("Dry run: nothing was written." if report.dry_run else f"Written to {chosen.database}.")
    if write:
        write(report)
        narrate(f"Report: {request.output}")
    for file in report.files:
        if file.rejects_refusal:
            complain(
                f"{file.rejects_refusal.message} They are kept in the book: "
                f"ordermill imports rejects {file.import_id} --output FILE"
            )
            outcome.worse(code_of(file.rejects_refusal))
