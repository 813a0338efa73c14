"""
A file that is read more than once and must be the same file each time: its text, its identity, how far it is read.

Plain or gzipped (told by content, not by name); standard input and pipes are spooled to a temporary file,
since reading takes two passes. What is packed or encoded is undone in `unpack` and `decode`.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from ordermill.imports.ahead import ahead
from ordermill.imports.decode import Utf8
from ordermill.imports.unpack import GZIP, gunzip, readable
from ordermill.kit.errors import Invalid, Unavailable
from ordermill.kit.text import printable, shortened

STANDARD_INPUT: Final = "-"

_CHUNK: Final = 1 << 20  # stored bytes a read: large enough that system calls do not count
NAME_LIMIT: Final = 255  # characters of a file's name, as the schema has it
SAMPLE: Final = 256 << 10  # text in which a header must fit

_Identity = tuple[int, int, int]  # inode, size, time of change: what shows that a file is another than before


class Source:
    """One file on disk, opened anew for each pass. `size` is in bytes as stored."""

    def __init__(self, path: Path, *, name: str | None = None, encoding: str | None = None) -> None:
        self.path = path
        # A name may be anything but text, and this one goes into messages, reports and the book.
        self.name = shortened(printable(name or path.name), limit=NAME_LIMIT)
        self.encoding = encoding
        self.size = 0
        self._identity: _Identity | None = None
        self._sha256: str | None = None

    @contextmanager
    def reading(self) -> "Iterator[Reading]":
        """
        Begin a pass over the whole text.

        Raises:
            Invalid: there is no such file, it is not a file, it holds no text (`unsuitable`), or its text cannot be read.
            Unavailable: the system would not give it, or it is not the file of an earlier pass (`file_changed`).
        """
        with _refused_in_words(self.name):
            file = self.path.open("rb")
        with file, ExitStack() as stack:
            yield Reading(self, file, stack)

    def sample(self, *, line_limit: int = 0) -> bytes:
        """
        Return the beginning of the text, as UTF-8: at most 256 KiB and maybe cut within a record.

        Args:
            line_limit: the line that would be cut is read on to its end, as far as this many bytes of text.
        """
        text = b""
        with self.reading() as reading:
            for block in reading.text():
                text += block
                end = text.find(b"\n", SAMPLE - 1) + 1 if line_limit else SAMPLE
                if len(text) >= max(SAMPLE, end or line_limit):
                    return text[: end or line_limit]
        return text

    def _same(self, found: _Identity) -> None:
        if self._identity is None:
            self._identity, self.size = found, found[1]
        elif self._identity != found:
            raise self._changed()

    def _same_content(self, sha256: str) -> None:
        if self._sha256 is None:
            self._sha256 = sha256
        elif self._sha256 != sha256:
            raise self._changed()

    def _changed(self) -> Unavailable:
        return Unavailable(
            f"{self.name!r} was changed while it was being read; run the command again when it is complete.",
            code="file_changed",
            details={"file": self.name},
        )


class Reading:
    """
    One pass over a source. `position` is the number of stored bytes read so far, of `source.size`.

    After the last block `sha256` is that of the stored bytes, and `lines` the number of physical lines.
    """

    def __init__(self, source: Source, file: BinaryIO, stack: ExitStack) -> None:
        self.source = source
        self.position = 0
        self._file = file
        self._stack = stack
        self._digest = hashlib.sha256()
        self._utf8 = Utf8(name=source.name, encoding=source.encoding)

    @property
    def lines(self) -> int:
        return self._utf8.lines

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def text(self) -> Iterator[bytes]:
        """Go through the text as UTF-8 in pieces of about a mebibyte, cut anywhere; to be called once."""
        stored = self._stored()
        first = next(stored, b"")
        whole: Iterator[bytes] = chain((first,), stored)
        if first.startswith(GZIP):
            # Unpacking takes as long as all the rest of a pass, and goes on beside it.
            whole = self._stack.enter_context(closing(ahead(gunzip(whole, name=self.source.name))))
        yield from self._utf8.read(readable(whole, name=self.source.name))

    def _stored(self) -> Iterator[bytes]:
        while chunk := self._chunk():
            # Asked at every step, so that little of a file that is still being written gets loaded.
            self.source._same(_identity(self._file))  # noqa: SLF001  # the two halves of one thing
            self.position += len(chunk)
            self._digest.update(chunk)
            yield chunk
        self.source._same(_identity(self._file))  # noqa: SLF001  # the two halves of one thing
        self.source._same_content(self.sha256)  # noqa: SLF001  # the two halves of one thing

    def _chunk(self) -> bytes:
        with _refused_in_words(self.source.name):
            return self._file.read(_CHUNK)


@contextmanager
def opened(path: str | Path, *, name: str | None = None, encoding: str | None = None) -> Iterator[Source]:
    """
    Make a source of a path, or of standard input for `-`; a spooled copy is removed at the end.

    Args:
        name: what a file on disk is called in messages and in the book, where that is not its path's end.

    Raises:
        Invalid: there is no such file, or it is a directory or device.
        Unavailable: it may not be read, or there is no room to spool it.
    """
    if str(path) == STANDARD_INPUT:
        with _spooled(sys.stdin.buffer, name="standard input", encoding=encoding) as source:
            yield source
        return
    path = Path(path)
    with _refused_in_words(path.name):
        mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        yield Source(path, name=name, encoding=encoding)
    elif stat.S_ISFIFO(mode):
        with _refused_in_words(path.name):
            pipe = path.open("rb")
        with pipe, _spooled(pipe, name=path.name, encoding=encoding) as source:
            yield source
    else:
        raise Invalid(f"{path.name!r} is not a file.", code="not_a_file", details={"file": path.name})


@contextmanager
def _spooled(stream: BinaryIO, *, name: str, encoding: str | None) -> Iterator[Source]:
    with tempfile.TemporaryDirectory(prefix="ordermill-") as directory:
        path = Path(directory, "spool")
        with _refused_in_words(name), path.open("wb") as copy:
            shutil.copyfileobj(stream, copy, _CHUNK)
        yield Source(path, name=name, encoding=encoding)


def _identity(file: BinaryIO) -> _Identity:
    status = os.fstat(file.fileno())
    return status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def _refused_in_words(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Invalid(f"There is no file {name!r}.", code="file_not_found", details={"file": name}) from error
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise Unavailable(f"{name!r} cannot be read: {reason}.", code="file_unreadable", details={"file": name}) from error
