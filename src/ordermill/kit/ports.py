"""
The shapes that storage and caches fit into: what features ask of the outside, and what it promises.

Implementations fit by shape. Each port has at least two real ones that pass one contract suite.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self, TypeVar, runtime_checkable

T = TypeVar("T")
ID_contra = TypeVar("ID_contra", contravariant=True)


@runtime_checkable
class Repository(Protocol[T, ID_contra]):
    """
    One kind of entity inside an open unit of work.

    Reads are awaited; what it is told is gathered and reaches the database when the unit
    commits. `get` sees what the unit was told. Conflicts of constraints may surface at `commit`.
    """

    async def get(self, id: ID_contra, /) -> T | None: ...

    async def get_all(self, *, limit: int = 100, after: ID_contra | None = None) -> Sequence[T]:
        """Return at most `limit` entities in the order of their ids, those behind `after` when given."""
        ...

    async def add(self, entity: T, /) -> T:
        """Remember a new entity and return it; an integer id is set on it when the unit's `commit` returns."""
        ...

    async def update(self, entity: T, /) -> T:
        """
        Remember a change and return the entity.

        Raises:
            StaleVersion: at `commit`, when the stored version is no longer the one that was read.
            NotFound: at `commit`, when there is nothing to change.
        """
        ...

    async def delete(self, id: ID_contra, /) -> bool:
        """Forget an entity; False when there is none."""
        ...


@runtime_checkable
class UnitOfWork(Protocol):
    """All or nothing: leaving the block without `commit` undoes everything it was told."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    async def commit(self) -> None:
        """
        Make everything it was told durable, in one flush.

        Raises:
            Conflict: a guard or a constraint refused; nothing is left of the unit.
            Unavailable: the database could not be asked, or did not say whether it committed.
        """
        ...

    async def rollback(self) -> None:
        """Forget everything told so far; the unit may go on."""
        ...


@runtime_checkable
class CacheProtocol(Protocol):
    """A forgetful store of short texts. A dead cache is a miss and never an error."""

    async def get(self, key: str) -> str | None: ...

    async def set(self, key: str, value: str, ttl: int | None = None) -> None:
        """Keep `value` for `ttl` seconds, or until it is pushed out."""
        ...

    async def delete(self, key: str) -> bool:
        """Forget; True when something was there."""
        ...
