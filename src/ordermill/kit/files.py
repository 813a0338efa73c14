"""
A text file that appears whole or not at all: written beside its place, which it takes when the block ends well.

    Replacement   takes the place of what is there
    Addition      leaves what is there alone, and takes the next free name instead
"""

import filecmp
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class Replacement:
    """
    What was at `path` is there until all is written, and stays when the block fails; its mode goes over to the new file.

    A device or a pipe has no place to take and is written to as it is.
    """

    def __init__(self, path: Path, *, refusal: Callable[[OSError], Exception], encoding: str = "utf-8") -> None:
        """
        Args:
            refusal: what is raised for a refusal of the system's.
        """
        self.path = path
        self._refusal = refusal
        self._encoding = encoding
        self._partial: Path | None = None

    def __enter__(self) -> Self:
        with self._refusing():
            self._file = self._begun()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        try:
            if error is None:
                with self._refusing():
                    self._file.close()
                    if self._partial is not None:
                        self._settle(self._partial)
        finally:
            with suppress(OSError):  # a full disk, which a write has complained of already
                self._file.close()
            if self._partial is not None:
                with suppress(OSError):
                    self._partial.unlink(missing_ok=True)

    def write(self, text: str) -> None:
        """
        Raises:
            Exception: the refusal.
        """
        with self._refusing():
            self._file.write(text)

    def _begun(self) -> IO[str]:
        place = self._place()
        if place is None:
            return self.path.open("w", encoding=self._encoding, newline="")
        # Another command may be writing to the same place at this moment.
        partial = place.with_name(f".ordermill-{secrets.token_hex(8)}.partial")
        file = partial.open("x", encoding=self._encoding, newline="")
        self._partial = partial
        with suppress(OSError):  # there is none yet, or the file system knows no modes
            shutil.copymode(place, partial)
        return file

    def _place(self) -> Path | None:
        """Return what is to be replaced, behind links, which go on leading there; None for a device."""
        if self.path.exists() and not self.path.is_file() and not self.path.is_dir():
            return None
        return Path(os.path.realpath(self.path))

    def _settle(self, partial: Path) -> None:
        partial.replace(os.path.realpath(self.path))

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._refusal(error) from error


class Addition(Replacement):
    """
    A file that is there already stays as it is: then `path` becomes NAME-2.EXT, NAME-3.EXT and so on.

    One that says the same already is as good as a new one, and keeps its name.
    """

    def __init__(
        self,
        path: Path,
        *,
        refusal: Callable[[OSError], Exception],
        encoding: str = "utf-8",
        avoid: Collection[Path] = (),
    ) -> None:
        """
        Args:
            avoid: places that somebody else is going to write to.
        """
        super().__init__(path, refusal=refusal, encoding=encoding)
        self._avoided = {os.path.realpath(place) for place in avoid}

    def _place(self) -> Path:
        return self.path

    def _settle(self, partial: Path) -> None:
        first = self.path
        for number in count(2):
            if self._takes(self.path, partial):
                return
            self.path = first.with_stem(f"{first.stem}-{number}")

    def _takes(self, path: Path, partial: Path) -> bool:
        if os.path.realpath(path) in self._avoided:
            return False
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            return path.is_file() and filecmp.cmp(path, partial, shallow=False)
        partial.replace(path)
        return True
