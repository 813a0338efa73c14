"""What imports ask of storage: runs that survive a crash, batches that are loaded, and taken back, once and only once."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from ordermill.imports.messages import Message
from ordermill.imports.model import Import, ImportFile, Left, Reject
from ordermill.imports.upload import Claim, Upload

if TYPE_CHECKING:
    from ordermill.imports.batch import Batch, Loaded


class ImportStore(Protocol):
    """Each method is one transaction of its own."""

    async def begin(self, file: ImportFile, *, at: datetime, actor: str) -> Import:
        """Open a run, or return the unfinished one of the same file, options and channel, to be resumed."""
        ...

    async def load(self, run: Import, batch: "Batch", *, at: datetime) -> "Loaded | None":
        """
        Load one batch, its rejects and its checkpoint in one transaction.

        Succeeds only when `batch.index` is the stored checkpoint: whoever loads the same run
        beside us does each batch once. On success `run.checkpoint` and `run.tally` are moved on.

        Returns:
            What became of the orders, or None when another process has loaded this batch; read the run again.

        Raises:
            Unavailable: the database failed; nothing of the batch is left, or all of it.
        """
        ...

    async def compare(self, batch: "Batch", *, file: str) -> "Loaded":
        """Say what `load` would do, and write nothing: the dry run."""
        ...

    async def finish(self, run: Import, *, at: datetime) -> Import:
        """Close the run with its final tally and write `import.finished`; a run that is closed already stays as it is."""
        ...

    async def get(self, id: UUID) -> Import | None: ...

    async def recent(self, *, limit: int, after: UUID | None = None) -> Sequence[Import]:
        """Return runs, newest first, those older than `after` when given."""
        ...

    def rejects(self, id: UUID) -> AsyncIterator[Reject]:
        """Go through a run's refused orders in the order they were found."""
        ...


class ImportProcess(Protocol):
    """A process that brings in one upload."""

    def messages(self) -> AsyncIterator[Message]:
        """Go through what it says until it ends."""
        ...

    def ask_to_stop(self) -> None:
        """Let it end at its next safe point; nothing where it has ended."""
        ...


class Importer(Protocol):
    """Starts such processes."""

    def started(self, upload: Upload, claim: Claim) -> AbstractAsyncContextManager[ImportProcess]:
        """
        Start one; it has ended, or is killed, when the block is left, and ends by itself when this process does.

        Args:
            claim: kept by the process as long as it lives, whatever becomes of us.
        """
        ...


class UndoStore(Protocol):
    """
    Each method is one transaction of its own.

    Apart from `ImportStore`, since whoever processes files never undoes, and the other way round.
    """

    async def begin(self, id: UUID, *, actor: str) -> Import | None:
        """
        Mark a finished run as being undone; one that was undone but for orders that were left is begun once more.

        Args:
            actor: whose the events of all its steps are, until it is undone; one that is being undone keeps its own.

        Returns:
            The run as it is now, `undoing` unless its state does not allow that; None where there is no such run.
        """
        ...

    async def step(self, id: UUID, *, at: datetime) -> Import:
        """
        Take the next orders of a run back in one transaction, with items, payments, statistics, events and accounts.

        Each order is judged by what holds at that moment: whoever undoes the same run beside us does other orders.

        Returns:
            The run as it is then: `undoing` while there is more to do, else `undone`.

        Raises:
            Unavailable: the database failed; nothing of the step is left, or all of it.
        """
        ...

    def left(self, id: UUID) -> AsyncIterator[Left]:
        """Go through a run's orders that are still there, and say why as of now; updated ones first, each by id."""
        ...
