"""What every SQL repository does alike: whole rows by id, changes guarded by the version."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ClauseElement, Connection, Select, Table, Update, bindparam, delete, insert, select, update

from ordermill.kit.errors import NotFound, StaleVersion
from ordermill.storage.gathering import ID, E, Gathering


class SqlRepository(Gathering[E, ID, Connection]):
    """The common half of a repository; a subclass says how an entity becomes a row and back."""

    row: type[Any]

    def to_row(self, entity: E) -> dict[str, Any]:
        """Return the entity's columns without its id."""
        raise NotImplementedError

    def load(self, connection: Connection, query: Select[Any]) -> list[E]:
        """Run a query over whole rows and build entities."""
        raise NotImplementedError

    def new_row(self, connection: Connection, entity: E) -> dict[str, Any]:  # noqa: ARG002  # for those who look something up
        """Return the columns of an entity that is added."""
        return self.to_row(entity)

    def changed_row(self, entity: E) -> dict[str, Any]:
        """Return the columns to overwrite, as values or expressions over the stored ones."""
        return self.to_row(entity)

    def written(self, connection: Connection, entity: E) -> None:
        """Write what lies in other tables, after the entity's own row."""

    def find(self, connection: Connection, id: ID, /) -> E | None:
        found = self.load(connection, select(self.row).where(self.row.id == id))
        return found[0] if found else None

    def page(self, connection: Connection, /, *, limit: int, after: ID | None) -> Sequence[E]:
        query = select(self.row).order_by(self.row.id).limit(limit)
        return self.load(connection, query if after is None else query.where(self.row.id > after))

    def insert(self, connection: Connection, entity: E, id: ID | None, /) -> ID:
        own = {} if id is None else {"id": id}
        statement = insert(self.row).values(**own, **self.new_row(connection, entity)).returning(self.row.id)
        new: ID = connection.execute(statement).scalar_one()
        self.written(connection, entity)
        return new

    def replace(self, connection: Connection, entity: E, expected: int, /) -> None:
        row = {**self.changed_row(entity), "version": expected + 1}
        computed = {name: value for name, value in row.items() if isinstance(value, ClauseElement)}
        values = {name: value for name, value in row.items() if name not in computed}
        guarded = _guarded(self.row.__table__)
        statement = guarded.values(**computed) if computed else guarded
        if connection.execute(statement, {**values, "this_id": entity.id, "this_version": expected}).rowcount == 0:
            known = connection.execute(select(self.row.id).where(self.row.id == entity.id)).first()
            if known is None:
                raise NotFound(f"There is no {self.noun} {entity.id!s}.")
            raise StaleVersion(f"The {self.noun} {entity.id!s}")
        self.written(connection, entity)

    def remove(self, connection: Connection, id: ID, /) -> None:
        connection.execute(delete(self.row).where(self.row.id == id))


@cache  # to build it anew for each row of a file costs ten times as much as to run it; the values come as parameters
def _guarded(table: Table) -> Update:
    return update(table).where(table.c.id == bindparam("this_id"), table.c.version == bindparam("this_version"))
