"""
Files that come over HTTP: received onto the shelf, brought in by processes of their own, one after the other.

    receiving -> shelf -> a process reads it -> begun: the run is open, who sent it is told
                                             -> refused: nothing is left, who sent it is told why
              -> its turn comes -> loading, in short transactions beside the server's own writers -> removed from the shelf

The server never loads Polars, and a file that needs too much memory takes its own process with it and no request. A
process whose server is gone stops at its next safe point; what lies on the shelf is gone on with by itself, after a
restart too, exactly as `process` would (see process). Not here: one of them (upload_work), and taking
imports back (undo_requests).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import UUID

import structlog

from ordermill.imports.model import Import
from ordermill.imports.ports import Importer
from ordermill.imports.runs import Runs
from ordermill.imports.shelf import Shelf, refused_in_words
from ordermill.imports.upload import Claim, Incoming, Sent, Upload
from ordermill.imports.upload_work import Failure, Work
from ordermill.kit.errors import Unavailable

# Files that one server process has in hand, received or waiting for a turn: each costs a process of 150 to 400 MB.
IN_HAND: Final = 3
BUSY_RETRY_S: Final = 15
TEND_S: Final = 5  # how soon after another process ended it is noticed that it left something
STOP_WITHIN_S: Final = 20  # a batch takes less than a second; a transaction that is cut off is rolled back

_log = structlog.get_logger(__name__)


class Uploads:
    """The uploads of one order book, as one server process sees them."""

    def __init__(self, shelf: Shelf, importer: Importer, runs: Runs) -> None:
        self._shelf = shelf
        self._importer = importer
        self._runs = runs
        self._receiving: set[object] = set()  # a place each, until their work begins
        self._work: dict[str, Work] = {}
        self._failed: dict[str, Failure] = {}
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

    def _begin(self, upload: Upload, claim: Claim, *, kept: bool = True, taken_up: bool = False) -> Work:
        work = Work(upload, claim, self._importer, kept=kept, taken_up=taken_up)
        self._work[upload.key] = work
        work.task.add_done_callback(lambda _: self._ended(work))
        return work

    def _ended(self, work: Work) -> None:
        key = work.upload.key
        if self._work.get(key) is work:  # the same file may have been sent again already
            del self._work[key]
        if not work.left_behind:
            self._failed.pop(key, None)
        elif not self._stopping and not work.stopped:
            failure = self._failed.setdefault(key, Failure())
            failure.again()
            _log.error("uploads.import_failed", upload=key, attempt=failure.times, pause_s=failure.pause_s, reason=work.reason)

    async def _begun_elsewhere(self, upload: Upload) -> UUID | None:
        """Wait until an upload that somebody else has in hand is begun; None when it was refused, so that this one goes on."""
        while upload.directory.is_dir():
            if (found := upload.begun()) is not None:
                return found
            await asyncio.sleep(0.1)  # allow float: seconds
        return None
