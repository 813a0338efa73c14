"""What was imported and what was refused, asked for afterwards; not here: the import itself (process), and Polars."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from ordermill.imports.model import Import, Reject
from ordermill.imports.ports import ImportStore
from ordermill.kit.errors import NotFound


class Runs:
    """The runs of a book."""

    def __init__(self, store: ImportStore) -> None:
        self._store = store

    async def get(self, id: UUID) -> Import:
        """
        Raises:
            NotFound: `import_not_found`.
        """
        run = await self._store.get(id)
        if run is None:
            raise NotFound(f"There is no import {str(id)!r}.", code="import_not_found")
        return run

    async def latest(self) -> Import:
        """
        Raises:
            NotFound: `import_not_found`, while nothing was imported.
        """
        runs = await self._store.recent(limit=1)
        if not runs:
            raise NotFound("There are no imports.", code="import_not_found")
        return runs[0]

    async def recent(self, *, limit: int, after: UUID | None = None) -> Sequence[Import]:
        """
        Return runs, latest first, those older than `after` when given.

        Raises:
            NotFound: `import_not_found`, for an `after` that is none.
        """
        if after is not None:
            await self.get(after)
        return await self._store.recent(limit=limit, after=after)

    def rejects(self, id: UUID) -> AsyncIterator[Reject]:
        """Go through a run's refused orders in the order they were found."""
        return self._store.rejects(id)
