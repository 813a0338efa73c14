"""
What a real run writes, batch by batch and row by row, kept on disk so that it can be written again bare.

Frames are taken where the loader hands them to `storage.bulk.frames.insert_frame`; rejects and the tally are read back.
"""

import pickle
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import polars as pl
from sqlalchemy import Connection, text

from ordermill.storage.bulk import changes, customers, loader
from ordermill.storage.bulk.frames import insert_frame

_WRITERS: Final = (changes, customers, loader)  # the modules that insert rows of a batch


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows for one table; `upsert` is an ON CONFLICT clause that adds to rows that are there, or nothing."""

    table: str
    frame: pl.DataFrame
    upsert: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows of `import_rejects` as the driver gives them."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Transaction:
    """All that one batch wrote; `tally` is the text of its JSON."""

    inserts: list[Insert]
    rejected: Rejected
    tally: str


class Record:
    """A directory with one file per transaction."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._count = 0

    def add(self, transaction: Transaction) -> None:
        with (self._directory / f"{self._count:06}").open("wb") as file:
            pickle.dump(transaction, file, protocol=pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def transactions(self) -> Iterator[Transaction]:
        """Go through what was added, by whichever process, in order."""
        for path in sorted(self._directory.iterdir()):
            with path.open("rb") as file:
                yield pickle.load(file)  # noqa: S301  # written above


@contextmanager
def listening() -> Iterator[list[Insert]]:
    """Collect what the loader inserts; whoever takes it empties the list."""
    heard: list[Insert] = []

    def hearing(connection: Connection, table: str, frame: pl.DataFrame, *, suffix: str = "") -> None:
        heard.append(Insert(table, frame, suffix if "DO UPDATE" in suffix else ""))
        insert_frame(connection, table, frame, suffix=suffix)

    with ExitStack() as stack:
        for module in _WRITERS:
            stack.enter_context(patch.object(module, "insert_frame", hearing))
        yield heard


def rejected_beyond(connection: Connection, position: int) -> Rejected:
    """Read the rejects with higher positions, in order; the book has one import."""
    found = connection.execute(
        text("SELECT * FROM import_rejects WHERE position > :position ORDER BY position"), {"position": position}
    )
    return Rejected(tuple(found.keys()), [tuple(row) for row in found])
