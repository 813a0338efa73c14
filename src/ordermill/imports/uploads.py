"""
Files that come over HTTP: received onto the shelf, brought in by processes of their own, one after the other.

    receiving -> shelf -> a process reads it -> begun: the run is open, who sent it is told
                                             -> refused: nothing is left, who sent it is told why
              -> its turn comes -> loading, in short transactions beside the server's own writers -> removed from the shelf

The server never loads Polars, and a file that needs too much memory takes its own process with it and no request. A
process whose server is gone stops at its next safe point; what lies on the shelf is gone on with by itself, after a
restart too, exactly as `process` would (see process). Not here: taking imports back (undo_requests).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import UUID

import structlog

from ordermill.imports.messages import Begun, Finished, Refused
from ordermill.imports.model import Import
from ordermill.imports.ports import Importer, ImportProcess
from ordermill.imports.runs import Runs
from ordermill.imports.shelf import Claim, Incoming, Sent, Shelf, Upload, refused_in_words
from ordermill.kit.errors import Invalid, Unavailable

# Files that one server process has in hand, received or waiting for a turn: each costs a process of 150 to 400 MB.
IN_HAND: Final = 3
BUSY_RETRY_S: Final = 15
TEND_S: Final = 5  # how soon after another process ended it is noticed that it left something
STOP_WITHIN_S: Final = 20  # a batch takes less than a second; a transaction that is cut off is rolled back
FIRST_PAUSE_S: Final = 10  # before a failed import is tried again; doubled each time
LONGEST_PAUSE_S: Final = 3600

_log = structlog.get_logger(__name__)


class Ended(Exception):
    """A process ended without saying how it went: killed from outside, or a bug; its own words are in the log."""


class Uploads:
    """The uploads of one order book, as one server process sees them."""

    def __init__(self, shelf: Shelf, importer: Importer, runs: Runs) -> None:
        self._shelf = shelf
        self._importer = importer
        self._runs = runs
        self._receiving: set[object] = set()  # a place each, until their work begins
        self._work: dict[str, _Work] = {}
        self._failed: dict[str, _Failure] = {}
        self._tending: asyncio.Task[None] | None = None
        self._stopping = False

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[Incoming]:
        """
        Begin to receive a file; it is removed unless `bring_in` or `compare` took it.

        Raises:
            Unavailable: `imports_busy`, before anything is received; `upload_unwritable`.
        """
        if self._stopping or self._in_hand >= IN_HAND:
            raise Unavailable(
                "As many files as possible are being brought in already; send this one again soon.",
                code="imports_busy",
                details={"retry_after_s": BUSY_RETRY_S},
            )
        place = object()
        self._receiving.add(place)
        try:
            incoming = await asyncio.to_thread(self._shelf.incoming)
            place = self._takes_place(incoming, of=place)
            try:
                yield incoming
            finally:
                await asyncio.to_thread(incoming.discard)
        finally:
            self._receiving.discard(place)

    async def bring_in(self, incoming: Incoming, sent: Sent) -> Import:
        """
        Put a received file on the shelf and have it brought in; return its run as soon as that is open.

        The same file, sent once more with the same options while it is being brought in, is the same import.

        Raises:
            Invalid: it cannot be read, in `process`'s words; nothing of it is left.
            Unavailable: `upload_unwritable`; or the book, or the disk, failed before the run was open.
        """
        while True:
            with refused_in_words():
                upload = await asyncio.to_thread(incoming.keep, sent)
            if upload is not None:
                self._receiving.discard(incoming)  # its work counts from here on
                id = await asyncio.shield(self._begin(upload, incoming.claim).begun)
                break
            if (found := await self._begun_elsewhere(incoming.the_same(sent))) is not None:
                id = found
                break
        return await self._runs.get(id)

    async def compare(self, incoming: Incoming, sent: Sent) -> dict[str, Any]:
        """
        Say what `bring_in` would do; return the report of the dry run. It ends when nobody waits for it any more.

        Raises:
            Invalid, Unavailable: as `bring_in` does.
        """
        with refused_in_words():
            upload = await asyncio.to_thread(incoming.lay_by, sent)
        self._receiving.discard(incoming)  # its work counts from here on
        work = self._begin(upload, incoming.claim, kept=False)
        try:
            await asyncio.shield(work.task)
        finally:
            work.stop()
        return work.told()

    def start(self) -> None:
        """Go on with what lies on the shelf, now and whenever another process leaves something there."""
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend(), name="uploads")

    async def close(self) -> None:
        """Let every process stop at its next safe point, and wait for it; what it was at stays on the shelf."""
        self._stopping = True
        if self._tending is not None:
            self._tending.cancel()
            with suppress(asyncio.CancelledError):
                await self._tending
        running = list(self._work.values())
        for work in running:
            work.stop()
        if running:
            _, late = await asyncio.wait([work.task for work in running], timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _tend(self) -> None:
        while True:
            try:
                await self._take_up()
            except OSError:
                _log.exception("uploads.shelf_unreadable", directory=str(self._shelf.directory))
            await asyncio.sleep(TEND_S)

    async def _take_up(self) -> None:
        for upload in await asyncio.to_thread(self._shelf.kept):
            if self._in_hand >= IN_HAND:
                return
            failure = self._failed.get(upload.key)
            if upload.key in self._work or (failure is not None and failure.rests):
                continue
            claim = await asyncio.to_thread(upload.claim)
            if claim is not None:
                self._begin(upload, claim, taken_up=True)

    @property
    def _in_hand(self) -> int:
        return len(self._receiving) + len(self._work)

    def _takes_place(self, incoming: Incoming, *, of: object) -> Incoming:
        self._receiving.remove(of)
        self._receiving.add(incoming)
        return incoming

    def _begin(self, upload: Upload, claim: Claim, *, kept: bool = True, taken_up: bool = False) -> "_Work":
        work = _Work(upload, claim, self._importer, kept=kept, taken_up=taken_up)
        self._work[upload.key] = work
        work.task.add_done_callback(lambda _: self._ended(work))
        return work

    def _ended(self, work: "_Work") -> None:
        key = work.upload.key
        if self._work.get(key) is work:  # the same file may have been sent again already
            del self._work[key]
        if not work.left_behind:
            self._failed.pop(key, None)
        elif not self._stopping and not work.stopped:
            failure = self._failed.setdefault(key, _Failure())
            failure.again()
            _log.error("uploads.import_failed", upload=key, attempt=failure.times, pause_s=failure.pause_s, reason=work.reason)

    async def _begun_elsewhere(self, upload: Upload) -> UUID | None:
        """Wait until an upload that somebody else has in hand is begun; None when it was refused, so that this one goes on."""
        while upload.directory.is_dir():
            if (found := upload.begun()) is not None:
                return found
            await asyncio.sleep(0.1)  # allow float: seconds
        return None


class _Failure:
    """How often an import that stays on the shelf failed, and until when it rests."""

    def __init__(self) -> None:
        self.times = 0
        self.pause_s = 0
        self._until = 0.0  # allow float: a moment of the monotonic clock

    def again(self) -> None:
        self.times += 1
        self.pause_s = min(FIRST_PAUSE_S * 2 ** (self.times - 1), LONGEST_PAUSE_S)
        self._until = time.monotonic() + self.pause_s

    @property
    def rests(self) -> bool:
        return time.monotonic() < self._until


class _Work:
    """One upload in hand: its process, and what that says."""

    def __init__(self, upload: Upload, claim: Claim, importer: Importer, *, kept: bool, taken_up: bool) -> None:
        self.upload = upload
        self._kept = kept
        self._taken_up = taken_up  # from the shelf: nobody waits who could be told, and send it again
        self.left_behind = False  # whether it stays on the shelf
        self.stopped = False
        self.reason = ""
        self.begun: asyncio.Future[UUID] = asyncio.get_running_loop().create_future()
        self._claim = claim
        self._importer = importer
        self._process: ImportProcess | None = None
        self._finished: Finished | None = None
        self._refusal: Exception | None = None
        self.task = asyncio.create_task(self._run(), name=f"upload {upload.key}")

    def stop(self) -> None:
        """Ask for an end at the next safe point."""
        self.stopped = True
        if self._process is not None:
            self._process.ask_to_stop()

    def told(self) -> dict[str, Any]:
        """Return the report of a dry run, or raise why there is none."""
        if self._refusal is not None:
            raise self._refusal
        if self._finished is None or self._finished.report is None:
            raise _not_done()
        return self._finished.report

    async def _run(self) -> None:
        try:
            await self._listen()
        except Exception as error:  # noqa: BLE001  # whoever waits is told, and the log
            self._refusal = error
        finally:
            await self._settle()

    async def _listen(self) -> None:
        async with self._importer.started(self.upload, self._claim) as process:
            self._process = process
            if self.stopped:
                process.ask_to_stop()
            async for message in process.messages():
                match message:
                    case Begun(id):
                        if not self.begun.done():
                            self.begun.set_result(id)
                    case Finished():
                        self._finished = message
                    case Refused(refusal):
                        self._refusal = refusal
        if self._finished is None and self._refusal is None:
            self._refusal = (
                _not_done() if self.stopped else Ended(f"The import of upload {self.upload.key} ended unexpectedly.")
            )

    async def _settle(self) -> None:
        """Decide what becomes of the file, and tell whoever still waits for it."""
        open_run = self.begun.done() or await asyncio.to_thread(self.upload.begun) is not None
        hopeless = isinstance(self._refusal, Invalid) and not open_run
        unfinished = self._kept and self._finished is None and not hopeless
        self.left_behind = unfinished and (open_run or self.stopped or self._taken_up)
        if not self.left_behind:
            await asyncio.to_thread(self.upload.remove)
        self._claim.release()
        self.reason = str(self._refusal or "")
        if not self.begun.done():
            self.begun.set_exception(self._refusal or _not_done())
            self.begun.exception()  # nobody may be waiting


def _not_done() -> Unavailable:
    return Unavailable("The server is being stopped; the import goes on when it is back.")
