"""
Undos that are asked for over HTTP: begun at once, gone on with beside the requests, a step a transaction.

That one was asked for is remembered on the shelf, so that it is gone on with after a restart; an undo that somebody
stopped in the terminal is theirs to go on with. Not here: the undo itself (undo).
"""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from ordermill.imports.model import Import
from ordermill.imports.shelf import Shelf
from ordermill.imports.undo import Undoing
from ordermill.kit.errors import Conflict, NotFound, ServiceError

TEND_S: Final = 5  # how soon what another server process has left is gone on with, and what failed is tried again

_log = structlog.get_logger(__name__)


class UndoRequests:
    """The undos that a server has in hand."""

    def __init__(self, undoing: Undoing, shelf: Shelf) -> None:
        self._undoing = undoing
        self._shelf = shelf
        self._steps: dict[UUID, asyncio.Task[None]] = {}
        self._tending: asyncio.Task[None] | None = None
        self._stopping = False

    async def ask(self, id: UUID, *, actor: str) -> Import:
        """
        Begin to take an import back, and go on with it by ourselves; asked for once more meanwhile, it is the same undo.

        Args:
            actor: how the ledger names whoever asks.

        Raises:
            NotFound: `import_not_found`.
            Conflict: `import_unfinished`, `import_undone`; nothing was done.
            Unavailable: `upload_unwritable`, or the database failed.
        """
        # First, so that an undo that is begun is always remembered.
        await asyncio.to_thread(self._shelf.ask_undo, id, actor=actor)
        try:
            run = await self._undoing.begin(id, actor=actor)
        except (NotFound, Conflict):
            await asyncio.to_thread(self._shelf.forget_undo, id)
            raise
        self._go_on(id)
        return run

    def start(self) -> None:
        """Go on with what is remembered on the shelf, now and whenever another process leaves something there."""
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend(), name="undos")

    async def close(self) -> None:
        """Stop each undo behind the step that it is at; they are gone on with later."""
        self._stopping = True
        tending = [] if self._tending is None else [self._tending]
        for task in tending:
            task.cancel()
        await asyncio.gather(*tending, *self._steps.values(), return_exceptions=True)

    async def _tend(self) -> None:
        while True:
            try:
                for id in await asyncio.to_thread(self._shelf.undos):
                    self._go_on(id)
            except OSError:
                _log.exception("undos.shelf_unreadable", directory=str(self._shelf.directory))
            await asyncio.sleep(TEND_S)

    def _go_on(self, id: UUID) -> None:
        if id not in self._steps and not self._stopping:
            task = asyncio.create_task(self._undo(id), name=f"undo {id}")
            self._steps[id] = task
            task.add_done_callback(lambda task: self._ended(id, task))

    def _ended(self, id: UUID, task: asyncio.Task[None]) -> None:
        self._steps.pop(id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("undos.failed", import_id=str(id), retry_s=TEND_S, exc_info=error)

    async def _undo(self, id: UUID) -> None:
        claim = await asyncio.to_thread(self._shelf.claim_undo, id)
        if claim is None:  # another process is at it, or it has ended
            return
        try:
            actor = await asyncio.to_thread(self._shelf.who_asked, id)
            run = await self._undoing.undo(id, actor=actor, stop=lambda: self._stopping)
        except (NotFound, Conflict) as refusal:
            if isinstance(refusal, NotFound) or refusal.code in {"import_undone", "import_unfinished"}:
                await asyncio.to_thread(self._shelf.forget_undo, id)
        except ServiceError as refusal:
            _log.error("undos.failed", import_id=str(id), reason=refusal.message, retry_s=TEND_S)  # its sentence says it
        else:
            if run.state == "undone":
                await asyncio.to_thread(self._shelf.forget_undo, id)
        finally:
            claim.release()
