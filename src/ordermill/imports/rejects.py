"""
The repairable rejects file: what was refused, as it stood, with `_line` and `_reason` put before each record.

Both are ignored when the file is read again. The record behind them is verbatim, however ragged, which is
why they come first.
"""

import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from ordermill.imports.columns import ANNOTATIONS
from ordermill.imports.model import ImportFile, Reject
from ordermill.kit.errors import Unavailable
from ordermill.kit.files import Addition, Replacement

_PACKED: Final = (".gz",)
# The byte order mark says that this is UTF-8, whatever encoding the refused file was in.
_ENCODING: Final = "utf-8-sig"
# What was put before a document that was refused before.
_OURS: Final = re.compile(r'^\{"_line": [0-9]+, "_reason": "(?:[^"\\]|\\.)*"(?:, )?')


class Headed(Protocol):
    """What is needed of a table to write records of it again."""

    @property
    def header(self) -> str: ...

    @property
    def delimiter(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a table that is not at hand any more."""

    header: str
    delimiter: str


def table_of(file: ImportFile) -> Head | None:
    """Return the head of the table that a run was reading; None where it read JSON."""
    return None if file.header is None or file.delimiter is None else Head(file.header, file.delimiter)


def place(path: Path) -> Replacement:
    """Return the place that somebody named: a file there is replaced."""
    return Replacement(path, refusal=partial(_unwritable, path), encoding=_ENCODING)


def default_place(name: str, *, beside: Path, extension: str, avoid: Collection[Path] = ()) -> Addition:
    """
    Return `NAME.rejects.EXT` in `beside`; what is packed loses that ending, and what has none gets `extension`.

    A file that is there with other content stays, as somebody may have repaired it, and the next free name is taken.

    Args:
        avoid: what else is going to be written.
    """
    path = beside / default_name(name, extension=extension)
    return Addition(path, refusal=partial(_unwritable, path), encoding=_ENCODING, avoid=avoid)


def default_name(name: str, *, extension: str) -> str:
    """Return what the rejects of a file are called: `orders.csv.gz` gives `orders.rejects.csv`."""
    stem = Path(name)
    if stem.suffix in _PACKED:
        stem = stem.with_suffix("")
    return f"{stem.stem}.rejects{stem.suffix or extension}"


async def repairable(rejects: AsyncIterable[Reject], *, table: Headed | None) -> AsyncIterator[bytes]:
    """Go through the bytes of what `RejectsFile` writes, an order at a time; without a reject there are none."""
    begun = False
    async for reject in rejects:
        text = "".join(_record(line, raw, reject, table) for line, raw in reject.lines)
        yield (text if begun else _head(table) + text).encode("utf-8" if begun else _ENCODING)
        begun = True


class RejectsFile:
    """
    The rejects of one file; without a reject there is no file.

    `place` is None where nobody wants one, and `table` where the records are JSON documents.
    """

    def __init__(self, place: Replacement | None, *, table: Headed | None) -> None:
        self.written = 0
        self._place = place
        self._table = table
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        self._open.__exit__(kind, error, trace)

    def write(self, rejects: Iterable[Reject]) -> None:
        """
        Add the records of refused orders.

        Raises:
            Unavailable: `rejects_unwritable`, with the way out.
        """
        if self._place is None:
            return
        for reject in rejects:
            if not self.written:
                self._begin(self._place)
            self._place.write("".join(_record(line, raw, reject, self._table) for line, raw in reject.lines))
            self.written += 1

    def _begin(self, place: Replacement) -> None:
        self._open.enter_context(place)
        place.write(_head(self._table))


def _head(table: Headed | None) -> str:
    return "" if table is None else table.delimiter.join((*ANNOTATIONS, table.header)) + "\n"


def _record(line: int, raw: str, reject: Reject, table: Headed | None) -> str:
    if table is None:
        return _annotated_document(line, raw, reject.message)
    reason = reject.message.replace('"', '""')
    return f'{line}{table.delimiter}"{reason}"{table.delimiter}{raw}\n'


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"The rejects cannot be written to {str(path)!r}: {error.strerror}; name another place for them.",
        code="rejects_unwritable",
        details={"file": str(path)},
    )


def _annotated_document(line: int, raw: str, message: str) -> str:
    document = _OURS.sub("{", raw.strip())
    if not document.startswith("{"):
        return f"{document}\n"
    notes = f'"_line": {line}, "_reason": {json.dumps(message, ensure_ascii=False)}'
    rest = document[1:].lstrip()
    return f"{{{notes}{'' if rest.startswith('}') else ', '}{rest}\n"
