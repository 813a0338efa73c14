"""Rows by key, unique by whatever else must be; a copy costs no more than its references."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

from ordermill.kit.errors import Taken

K = TypeVar("K", bound=Hashable)
Row = Mapping[str, Any]
# What must be unique of a row; None where the constraint does not speak of it.
Unique = Callable[[Row], Hashable | None]


@dataclass(slots=True)
class Table(Generic[K]):
    """One table and what must be unique in it, by constraint. Rows are replaced, never changed, so that copies share them."""

    name: str
    unique: Mapping[str, Unique]
    rows: dict[K, Row] = field(default_factory=dict)
    owners: dict[str, dict[Hashable, K]] = field(default_factory=lambda: defaultdict(dict))

    def copy(self) -> Self:
        owners = {constraint: dict(owned) for constraint, owned in self.owners.items()}
        return replace(self, rows=dict(self.rows), owners=defaultdict(dict, owners))

    def insert(self, key: K, row: Row) -> None:
        """
        Add a row.

        Raises:
            Taken: the key, or what else must be unique, belongs to another row.
        """
        if key in self.rows:
            raise Taken(f"{self.name}_pkey")
        self._put(key, row)

    def replace(self, key: K, row: Row) -> None:
        """
        Put a row in the place of the one there.

        Raises:
            Taken: what must be unique belongs to another row.
        """
        self.remove(key)
        self._put(key, row)

    def remove(self, key: K) -> None:
        row = self.rows.pop(key)
        for constraint, value in self._values(row):
            del self.owners[constraint][value]

    def owner(self, constraint: str, value: Hashable) -> K | None:
        """Return the key of the row that has this unique value."""
        return self.owners[constraint].get(value)

    def _put(self, key: K, row: Row) -> None:
        for constraint, value in self._values(row):
            if value in self.owners[constraint]:
                raise Taken(constraint)
            self.owners[constraint][value] = key
        self.rows[key] = {name: _moment(value) if isinstance(value, datetime) else value for name, value in row.items()}

    def _values(self, row: Row) -> list[tuple[str, Hashable]]:
        named = ((constraint, unique(row)) for constraint, unique in self.unique.items())
        return [(constraint, value) for constraint, value in named if value is not None]


def _moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("A naive datetime was about to be stored; every moment is aware UTC.")
    return value.astimezone(UTC)
