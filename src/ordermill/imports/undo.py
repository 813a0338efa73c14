"""
An import taken back: what it created and nobody changed since is removed, what it updated is as it was before.

In steps, each one transaction that also says how far it has come: stopped or killed at any moment, the same call goes
on from there, and two at once share the work.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final
from uuid import UUID

from ordermill.imports.model import Import, Left
from ordermill.imports.ports import UndoStore
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Conflict, NotFound

ACTOR: Final = "undo"


class Undoing:
    """Files out of the book again."""

    def __init__(self, store: UndoStore, *, clock: Clock, pause_s: float = 0) -> None:  # allow float: a duration
        """
        Args:
            pause_s: how long to let others write between two steps, as for `Imports`.
        """
        self._store = store
        self._clock = clock
        self._pause_s = pause_s

    async def undo(
        self,
        id: UUID,
        *,
        actor: str = ACTOR,
        progress: Callable[[Import], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Import:
        """
        Take an import back, or go on where an undo of it was interrupted.

        An import that was undone but for orders that had to be left can be undone again: some may be free by now.

        Args:
            actor: how the ledger names whoever asks; an undo that was begun keeps the one it has.
            progress: told after each step.
            stop: asked after each step, while there is more to do, whether to leave it at that for now.

        Returns:
            The import, `undone`; `undoing` where `stop` said so. Its file may be processed again.

        Raises:
            NotFound: `import_not_found`.
            Conflict: `import_unfinished`, `import_undone`; nothing was done.
            Unavailable: the database failed; the same call goes on from there.
        """
        run = await self.begin(id, actor=actor)
        while run.state == "undoing":
            run = await self._store.step(id, at=self._clock.now())
            if progress is not None:
                progress(run)
            if run.state == "undoing" and stop is not None and stop():
                break
            await asyncio.sleep(self._pause_s)
        return run

    async def begin(self, id: UUID, *, actor: str = ACTOR) -> Import:
        """
        Mark an import as being undone by somebody, and do no more; `undo` goes on from there.

        Raises:
            NotFound, Conflict, Unavailable: as `undo` does.
        """
        run = await self._store.begin(id, actor=actor)
        if run is None:
            raise NotFound(f"There is no import {str(id)!r}.", code="import_not_found")
        if run.state == "running":
            raise Conflict(
                f"The import of {run.file.name!r} was interrupted; process the file again to finish it, then undo it.",
                code="import_unfinished",
            )
        if run.state == "undone":
            raise Conflict(f"The import of {run.file.name!r} was undone already.", code="import_undone")
        return run

    def left(self, id: UUID) -> AsyncIterator[Left]:
        """Go through the orders of an undone import that are still there, with the reason as of now."""
        return self._store.left(id)
