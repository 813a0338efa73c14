"""
What a unit of work was told and has not committed yet, whatever it will be applied to.

`Target` is what changes are applied to: an open connection, or the book that the memory storage keeps.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

T = TypeVar("T")
Target = TypeVar("Target")
Target_co = TypeVar("Target_co", covariant=True)


class Store(Protocol[Target_co]):
    """Two doors: look, and change, all or nothing. `storage.database.Database` says what they promise."""

    async def read(self, work: Callable[[Target_co], T], /) -> T: ...

    async def write(self, work: Callable[[Target_co], T], /) -> T: ...


class Versioned(Protocol):
    """An entity that has an id and counts its changes."""

    id: Any
    version: int


E = TypeVar("E", bound=Versioned)
ID = TypeVar("ID")


class Told(Generic[Target]):
    """
    Everything one unit was told, in order.

    A change carries its guard in its own statement and raises when that does not hold; since a unit may be run
    again, it sets values and never accumulates them. What it leaves on the caller's entities (an id, a version) is
    taken back when the unit fails.
    """

    def __init__(self) -> None:
        self._changes: list[Callable[[Target], None]] = []
        self._take_back: list[Callable[[], None]] = []
        self._written: list[Any] = []
        # By noun and id; None for what was deleted.
        self.entities: dict[tuple[str, Any], Any] = {}

    def change(self, change: Callable[[Target], None], *, take_back: Callable[[], None] | None = None) -> None:
        self._changes.append(change)
        if take_back is not None:
            self._take_back.append(take_back)

    def writes(self, entity: object) -> bool:
        """Whether this very object is written at commit already, with the values it has then."""
        return any(entity is written for written in self._written)

    def will_write(self, entity: object) -> None:
        self._written.append(entity)

    def will_delete(self, entity: object) -> None:
        self._written = [written for written in self._written if written is not entity]

    def clear(self) -> None:
        for told in (self._changes, self._take_back, self._written, self.entities):
            told.clear()

    async def apply(self, store: Store[Target]) -> None:
        """Hand all changes to the store at once and begin anew."""
        changes, take_back = tuple(self._changes), tuple(self._take_back)
        self.clear()
        if not changes:
            return
        try:
            await store.write(lambda target: _run(changes, target))
        except Exception:
            for restore in take_back:
                restore()
            raise


def _run(changes: tuple[Callable[[Target], None], ...], target: Target) -> None:
    for change in changes:
        change(target)


class Unit(Generic[Target]):
    """One use case's changes, all or nothing: `kit.ports.UnitOfWork`. A subclass adds the repositories."""

    def __init__(self, store: Store[Target]) -> None:
        self._store = store
        self._told: Told[Target] = Told()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await self.rollback()

    async def commit(self) -> None:
        await self._told.apply(self._store)

    async def rollback(self) -> None:
        self._told.clear()


class Gathering(ABC, Generic[E, ID, Target]):
    """
    A `kit.ports.Repository` that reads at once and gathers its changes.

    A subclass says how its kind of entity is found in, put into and taken out of the target.
    """

    noun: str

    def __init__(self, store: Store[Target], told: Told[Target]) -> None:
        self._store = store
        self._told = told

    @abstractmethod
    def find(self, target: Target, id: ID, /) -> E | None: ...

    @abstractmethod
    def page(self, target: Target, /, *, limit: int, after: ID | None) -> Sequence[E]: ...

    @abstractmethod
    def insert(self, target: Target, entity: E, id: ID | None, /) -> ID:
        """Put a new entity in; return its id, which is `id` where one is given."""

    @abstractmethod
    def replace(self, target: Target, entity: E, expected: int, /) -> None:
        """
        Put an entity in the place of its stored self, with the version after `expected`.

        Raises:
            StaleVersion: the stored version is not `expected`.
            NotFound: there is nothing to replace.
        """

    @abstractmethod
    def remove(self, target: Target, id: ID, /) -> None: ...

    async def get(self, id: ID, /) -> E | None:
        key = (self.noun, id)
        if key in self._told.entities:
            told: E | None = self._told.entities[key]
            return told
        return await self._store.read(lambda target: self.find(target, id))

    async def get_all(self, *, limit: int = 100, after: ID | None = None) -> Sequence[E]:
        stored = await self._store.read(lambda target: self.page(target, limit=limit, after=after))
        current = (self.told(entity) for entity in stored)
        return [entity for entity in current if entity is not None]

    async def add(self, entity: E, /) -> E:
        # Remembered now: a unit that is run again must not take the id of its first run for a given one.
        given = entity.id

        def write(target: Target) -> None:
            entity.id = self.insert(target, entity, given)

        def take_back() -> None:
            entity.id = given

        self._tell(entity)
        self._told.change(write, take_back=take_back)
        return entity

    async def update(self, entity: E, /) -> E:
        if self._told.writes(entity):
            return entity
        expected = entity.version

        def write(target: Target) -> None:
            self.replace(target, entity, expected)
            entity.version = expected + 1

        def take_back() -> None:
            entity.version = expected

        self._tell(entity)
        self._told.change(write, take_back=take_back)
        return entity

    async def delete(self, id: ID, /) -> bool:
        known = await self.get(id)
        if known is None:
            return False
        self._told.will_delete(known)
        self._told.entities[self.noun, id] = None
        self._told.change(lambda target: self.remove(target, id))
        return True

    def told(self, stored: E) -> E | None:
        """Return what the unit was told of a stored entity, else the entity as it is; None when it is to be deleted."""
        told: E | None = self._told.entities.get((self.noun, stored.id), stored)
        return told

    def _tell(self, entity: E) -> None:
        self._told.will_write(entity)
        if entity.id is not None:
            self._told.entities[self.noun, entity.id] = entity
