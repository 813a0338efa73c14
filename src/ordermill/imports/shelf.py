"""
Where uploads lie until they are brought in: files on disk, each in a directory of its own, that survive a crash.

    incoming-…/         being received: content, claim
    3f2a…/              received: content, job.json, claim; begun, once its run is open
    undo-…              an undo that was asked for, as a file that says by whom
    turn-0, turn-1, …   who holds one may load

A directory's name is the digest of the content and of all that changes how it is read, so that the same upload twice is
one, in several server processes, too. Claims and turns are locks that end with the last process which holds them: what
a killed process was at is free again. What clients say (names of files) is never part of a path.

Not here: one of these directories (upload), and who brings the files in, and when (uploads).
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from ordermill.imports.upload import CLAIM, JOB, Claim, Incoming, Upload, settle, write_whole
from ordermill.kit.errors import Unavailable

_INCOMING: Final = "incoming-"
_UNDO: Final = "undo-"
_PRIVATE: Final = 0o700  # exports are full of people


class Shelf:
    """The directory of one order book's uploads."""

    def __init__(self, directory: Path, *, limit: int, turns: int) -> None:
        """
        Args:
            limit: the most bytes of a file.
            turns: how many imports load at a time, over all processes.
        """
        self.directory = directory
        self._limit = limit
        self._turns = turns

    def incoming(self) -> Incoming:
        """
        Begin to receive a file.

        Raises:
            Unavailable: `upload_unwritable`.
        """
        with refused_in_words():
            self.directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            unseen = self.directory / f".{_INCOMING}{secrets.token_hex(8)}"
            unseen.mkdir(mode=_PRIVATE)
            claim = Claim.of(unseen / CLAIM)
            assert claim is not None  # noqa: S101  # nobody else knows the name
            # Under this name others see it, and remove it unless it is claimed.
            return Incoming(unseen.rename(unseen.with_name(unseen.name[1:])), claim, limit=self._limit)

    def kept(self) -> Sequence[Upload]:
        """Return what was received; remove what some process had begun to receive when it ended."""
        found = []
        for directory in self._entries():
            if directory.name.startswith(_INCOMING):
                claim = Claim.of(directory / CLAIM)
                if claim is not None:
                    shutil.rmtree(directory, ignore_errors=True)
                    claim.release()
            elif (directory / JOB).is_file():
                found.append(Upload(directory))
        return found

    def turn(self) -> Claim | None:
        """Take a turn to load; None while all are taken."""
        places = (self.directory / f"turn-{number}" for number in range(self._turns))
        return next((claim for claim in map(Claim.of, places) if claim is not None), None)

    def ask_undo(self, id: UUID, *, actor: str) -> None:
        """
        Remember that an undo was asked for, and by whom; one that is remembered already stays as it is.

        Raises:
            Unavailable: `upload_unwritable`.
        """
        with refused_in_words():
            self.directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            unseen = self.directory / f".{_UNDO}{secrets.token_hex(8)}"
            write_whole(unseen, actor)
            # There with its actor or not at all, and never in place of a file on which somebody holds a claim.
            try:
                with contextlib.suppress(FileExistsError):
                    os.link(unseen, self._undo(id))
            finally:
                unseen.unlink()
            settle(self.directory)

    def claim_undo(self, id: UUID) -> Claim | None:
        return Claim.of(self._undo(id), create=False)

    def who_asked(self, id: UUID) -> str:
        """Return by whom an undo was asked for; it must be claimed."""
        return self._undo(id).read_text(encoding="utf-8")

    def forget_undo(self, id: UUID) -> None:
        self._undo(id).unlink(missing_ok=True)

    def undos(self) -> Sequence[UUID]:
        """Return the imports whose undo was asked for and has not ended."""
        names = [path.name.removeprefix(_UNDO) for path in self._entries() if path.name.startswith(_UNDO)]
        return [id for id in map(_id_of, names) if id is not None]

    def _undo(self, id: UUID) -> Path:
        return self.directory / f"{_UNDO}{id}"

    def _entries(self) -> list[Path]:
        try:
            return sorted(self.directory.iterdir())
        except FileNotFoundError:
            return []


def _id_of(name: str) -> UUID | None:
    """Read an id as we write it; None for a name that is not ours."""
    try:
        id = UUID(name)
    except ValueError:
        return None
    return id if str(id) == name else None


@contextmanager
def refused_in_words() -> Iterator[None]:
    """
    Raises:
        Unavailable: `upload_unwritable`, for an OSError.
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(f"The upload cannot be kept: {error.strerror}.", code="upload_unwritable") from error
