"""What every repository does alike: look an entity up, see what the unit was told, guard changes by version."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import Connection, Select, delete, insert, select, update

from ordermill.kit.errors import NotFound, StaleVersion
from ordermill.storage.database import Database


class Versioned(Protocol):
    """An entity that has an id and counts its changes."""

    id: Any
    version: int


E = TypeVar("E", bound=Versioned)
ID = TypeVar("ID")


class SqlRepository(Generic[E, ID]):
    """
    The common half of a repository; a subclass says how an entity becomes a row and back.

    Entities that the unit was told of are kept here until it ends, so that `get` sees them.
    """

    row: type[Any]
    noun: str

    def __init__(self, database: Database, changes: list[Callable[[Connection], None]]) -> None:
        self._database = database
        self._changes = changes
        self._told: dict[ID, E | None] = {}

    def to_row(self, entity: E) -> dict[str, Any]:
        """Return the entity's columns without its id."""
        raise NotImplementedError

    def load(self, connection: Connection, query: Select[Any]) -> list[E]:
        """Run a query over whole rows and build entities."""
        raise NotImplementedError

    def written(self, connection: Connection, entity: E) -> None:
        """Write what lies in other tables, after the entity's own row."""

    async def get(self, id: ID, /) -> E | None:
        if id in self._told:
            return self._told[id]
        query = select(self.row).where(self.row.id == id)
        found = await self._database.read(lambda connection: self.load(connection, query))
        return found[0] if found else None

    async def get_all(self, *, limit: int = 100, after: ID | None = None) -> Sequence[E]:
        query = select(self.row).order_by(self.row.id).limit(limit)
        if after is not None:
            query = query.where(self.row.id > after)
        stored = await self._database.read(lambda connection: self.load(connection, query))
        current = ((entity, self._told.get(entity.id, entity)) for entity in stored)
        return [told for _, told in current if told is not None]

    async def add(self, entity: E, /) -> E:
        self._tell(entity)
        self._changes.append(lambda connection: self._insert(connection, entity))
        return entity

    async def update(self, entity: E, /) -> E:
        self._tell(entity)
        expected = entity.version
        self._changes.append(lambda connection: self._update(connection, entity, expected))
        return entity

    async def delete(self, id: ID, /) -> bool:
        if await self.get(id) is None:
            return False
        self._told[id] = None
        self._changes.append(lambda connection: self._delete(connection, id))
        return True

    def forget(self) -> None:
        """Drop what the unit was told; it ended."""
        self._told.clear()

    def _tell(self, entity: E) -> None:
        if entity.id is not None:
            self._told[cast("ID", entity.id)] = entity

    def _insert(self, connection: Connection, entity: E) -> None:
        values = self.to_row(entity)
        if entity.id is None:
            entity.id = connection.execute(insert(self.row).values(**values).returning(self.row.id)).scalar_one()
        else:
            connection.execute(insert(self.row).values(id=entity.id, **values))
        self.written(connection, entity)

    def _update(self, connection: Connection, entity: E, expected: int) -> None:
        values = {**self.to_row(entity), "version": expected + 1}
        guarded = update(self.row).where(self.row.id == entity.id, self.row.version == expected)
        if connection.execute(guarded.values(**values)).rowcount == 0:
            known = connection.execute(select(self.row.id).where(self.row.id == entity.id)).first()
            if known is None:
                raise NotFound(f"There is no {self.noun} {entity.id!s}.")
            raise StaleVersion(f"The {self.noun} {entity.id!s}")
        self.written(connection, entity)
        entity.version = expected + 1

    def _delete(self, connection: Connection, id: ID) -> None:
        connection.execute(delete(self.row).where(self.row.id == id))
