"""
`python -m ordermill.cli.uploaded DIRECTORY`: brings in one upload, for the server that started it; nobody types this.

What it says and when it stops: imports/messages, connectors/importer. The same job as `process`, with the same code.
"""

import asyncio
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from ordermill.bootstrap import Services, open_for_comparing, open_services, shelf_of
from ordermill.cli.console import complain
from ordermill.cli.logs import to_stderr
from ordermill.config import Settings, load
from ordermill.imports import mapfile
from ordermill.imports.messages import Begun, Finished, Message, Refused, line_of
from ordermill.imports.model import Import
from ordermill.imports.orderfile import Options, OrderFile, order_file
from ordermill.imports.process import Stopped, Watcher
from ordermill.imports.records import BLOCK
from ordermill.imports.report import Report
from ordermill.imports.shelf import Shelf
from ordermill.imports.upload import Claim, Sent, Upload
from ordermill.kit.errors import ServiceError

# The server's requests go first: they are short, and somebody waits for them.
NICENESS: Final = 5
# On SQLite everybody else waits while a batch is written. A block of this size takes some 0.08 s there, against 0.5 s
# for one of 3 MiB, and the whole import twice as long (200,000 lines: 10 s and 5 s).
EMBEDDED_BLOCK: Final = 256 << 10
_TURN_S: Final = 0.2  # how often it is asked whether a turn is free


class _Server(Watcher):
    """The server that started us: told what is to be known, and listened to."""

    def __init__(self, upload: Upload, shelf: Shelf) -> None:
        self._upload = upload
        self._shelf = shelf
        self._turn: Claim | None = None
        self._gone = threading.Event()
        threading.Thread(target=self._wait, name="server", daemon=True).start()

    def should_stop(self) -> bool:
        return self._gone.is_set()

    async def begun(self, run: Import) -> None:
        await asyncio.to_thread(self._upload.mark_begun, run.id)
        _say(Begun(run.id))
        while (turn := await asyncio.to_thread(self._shelf.turn)) is None:
            if self.should_stop():
                raise Stopped
            await asyncio.sleep(_TURN_S)
        self._turn = turn  # held until we end

    def _wait(self) -> None:
        # Not by sys.stdin, whose lock this thread would hold when the interpreter ends.
        with suppress(OSError):
            while os.read(0, 1):
                pass
        self._gone.set()


def main(directory: str) -> int:
    """Bring in the upload that lies there, and return the exit code, which says nothing that the messages do not say."""
    os.nice(NICENESS)
    to_stderr()
    upload = Upload(Path(directory))
    settings = load()  # where that fails it is the server's fault and not the file's: no refusal, and the log says why
    try:
        asyncio.run(_bring_in(upload, settings))
    except ServiceError as refusal:
        _say(Refused(refusal))
    except Stopped:
        complain(f"Import of upload {upload.key}: stopped at a safe point.")
    return 0


async def _bring_in(upload: Upload, settings: Settings) -> None:
    sent = upload.sent()
    options = _options(sent)
    server = _Server(upload, shelf_of(settings))
    began = time.monotonic()
    with order_file(
        str(upload.content),
        options,
        currency=sent.default_currency,
        timezone=sent.default_timezone,
        name=sent.file,
        block_bytes=EMBEDDED_BLOCK if settings.database.embedded else BLOCK,
    ) as file:
        if sent.dry_run:
            await _compare(file, settings, server, began=began)
            return
        async with open_services(settings) as services:
            await _process(file, services, upload, server)
    _say(Finished())


async def _process(file: OrderFile, services: Services, upload: Upload, server: _Server) -> None:
    before = upload.begun()
    # Where the server was killed between the end of a run and the removal of its file, there is nothing left to do.
    if before is not None and (await services.runs.get(before)).state != "running":
        return
    await services.imports_beside_server.process(file, rejects=None, watcher=server, actor=upload.sent().actor)


async def _compare(file: OrderFile, settings: Settings, server: _Server, *, began: float) -> None:  # allow float: a duration
    async with open_for_comparing(settings) as imports:
        report = Report(dry_run=True, files=[await imports.compare(file, rejects=None, watcher=server)])
    report.seconds = f"{time.monotonic() - began:.2f}"
    _say(Finished(report.as_json()))


def _options(sent: Sent) -> Options:
    return Options(
        format=sent.format,
        mapping=None if sent.map is None else mapfile.parse(sent.map, title=sent.map_name or "map.toml"),
        channel=sent.channel,
        currency=sent.currency,
        timezone=sent.timezone,
        encoding=sent.encoding,
        delimiter=sent.delimiter,
        guests=sent.guests,
        merge=sent.merge,
    )


def _say(message: Message) -> None:
    with suppress(BrokenPipeError):  # the server is gone, and stdin says so, too
        sys.stdout.buffer.write(line_of(message))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
