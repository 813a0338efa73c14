"""One upload in hand: the process that brings it in, what that says, and what becomes of the file then."""

import asyncio
import time
from typing import Any, Final
from uuid import UUID

from ordermill.imports.messages import Begun, Finished, Refused
from ordermill.imports.ports import Importer, ImportProcess
from ordermill.imports.upload import Claim, Upload
from ordermill.kit.errors import Invalid, Unavailable

FIRST_PAUSE_S: Final = 10  # before a failed import is tried again; doubled each time
LONGEST_PAUSE_S: Final = 3600


class Ended(Exception):
    """A process ended without saying how it went: killed from outside, or a bug; its own words are in the log."""


class Failure:
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


class Work:
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
