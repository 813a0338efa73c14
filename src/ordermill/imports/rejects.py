"""
The repairable rejects file: what was refused, as it stood, with `_line` and `_reason` put before each record.

Both are ignored when the file is read again. The record behind them is verbatim, however ragged, which is
why they come first.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol, Self

from ordermill.imports.model import ImportFile, Reject
from ordermill.imports.tabular import ANNOTATIONS
from ordermill.kit.errors import Unavailable

_PACKED: Final = (".gz",)
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


def default_path(name: str, *, beside: Path, extension: str) -> Path:
    """Return `NAME.rejects.EXT` in `beside`; what is packed loses that ending, and what has none gets `extension`."""
    path = Path(name)
    if path.suffix in _PACKED:
        path = path.with_suffix("")
    return beside / f"{path.stem}.rejects{path.suffix or extension}"


class RejectsFile:
    """
    Written beside its place and moved there when it is whole; without a reject there is no file.

    `path` is None where nobody wants one, and `table` where the records are JSON documents.
    """

    def __init__(self, path: Path | None, *, table: Headed | None) -> None:
        self.written = 0
        self._path = path
        self._table = table
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        if self._path is None or self._file is None:
            return
        partial = _partial(self._path)
        try:
            if error is None:
                with _unwritable(self._path):
                    self._file.close()
                    partial.replace(self._path)
        finally:
            with suppress(OSError):
                self._file.close()
                partial.unlink(missing_ok=True)

    def write(self, rejects: Iterable[Reject]) -> None:
        """
        Add the records of refused orders.

        Raises:
            Unavailable: `rejects_unwritable`, with the way out.
        """
        if self._path is None:
            return
        with _unwritable(self._path):
            for reject in rejects:
                self._file = self._file or self._opened(self._path)
                self._file.writelines(self._record(line, raw, reject) for line, raw in reject.lines)
                self.written += 1

    def _opened(self, path: Path) -> IO[str]:
        # The byte order mark says that this is UTF-8, whatever encoding the refused file was in.
        file = _partial(path).open("w", encoding="utf-8-sig", newline="")
        if self._table is not None:
            file.write(self._table.delimiter.join((*ANNOTATIONS, self._table.header)) + "\n")
        return file

    def _record(self, line: int, raw: str, reject: Reject) -> str:
        if self._table is None:
            return _annotated_document(line, raw, reject.message)
        reason = reject.message.replace('"', '""')
        return f'{line}{self._table.delimiter}"{reason}"{self._table.delimiter}{raw}\n'


def _partial(path: Path) -> Path:
    # Another command may be writing the same rejects at this moment.
    return path.with_name(f"{path.name}.{os.getpid()}.partial")


@contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The rejects cannot be written to {str(path)!r}: {error.strerror}; name another place for them.",
            code="rejects_unwritable",
            details={"file": str(path)},
        ) from error


def _annotated_document(line: int, raw: str, message: str) -> str:
    document = _OURS.sub("{", raw.strip())
    if not document.startswith("{"):
        return f"{document}\n"
    notes = f'"_line": {line}, "_reason": {json.dumps(message, ensure_ascii=False)}'
    rest = document[1:].lstrip()
    return f"{{{notes}{'' if rest.startswith('}') else ', '}{rest}\n"
