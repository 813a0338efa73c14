"""
Where uploads lie until they are brought in: files on disk, each in a directory of its own, that survive a crash.

    incoming-…/         being received: content, claim
    3f2a…/              received: content, job.json, claim; begun, once its run is open
    undo-…              an undo that was asked for, as a file that says by whom
    turn-0, turn-1, …   who holds one may load

A directory's name is the digest of the content and of all that changes how it is read, so that the same upload twice is
one, in several server processes, too. Claims and turns are locks that end with the last process which holds them: what
a killed process was at is free again. What clients say (names of files) is never part of a path.

Not here: who brings the files in, and when (uploads).
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self
from uuid import UUID

from ordermill.kit.errors import Invalid, Unavailable

_CONTENT: Final = "content"
_JOB: Final = "job.json"
_BEGUN: Final = "begun"
_CLAIM: Final = "claim"
_INCOMING: Final = "incoming-"
_UNDO: Final = "undo-"
_PRIVATE: Final = 0o700  # exports are full of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came with a file: how it is to be read, what it is called, who sent it."""

    file: str
    actor: str
    default_currency: str
    default_timezone: str
    format: str | None = None
    map: str | None = None  # the text of a map file
    map_name: str | None = None
    channel: str | None = None
    currency: str | None = None
    timezone: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    guests: bool = True
    merge: bool = True
    dry_run: bool = False

    def key(self, sha256: str) -> str:
        """Return the name under which this content, read this way, lies."""
        read_by = {name: value for name, value in asdict(self).items() if name not in {"file", "actor"}}
        return hashlib.sha256(json.dumps([sha256, read_by], sort_keys=True).encode()).hexdigest()[:32]


class Claim:
    """A lock on a file, held until it is released by everybody who has it: this process, and those that inherit `handle`."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    @classmethod
    def of(cls, path: Path, *, create: bool = True) -> Self | None:
        """Return the lock of a file; None where somebody else has it, or there is none to lock, nor a directory for it."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it may have removed the file in between.
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return cls(handle)
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(handle)
        return None

    def release(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.handle)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on the shelf, received to its end."""

    directory: Path

    @property
    def key(self) -> str:
        return self.directory.name

    @property
    def content(self) -> Path:
        return self.directory / _CONTENT

    def sent(self) -> Sent:
        return Sent(**json.loads((self.directory / _JOB).read_text(encoding="utf-8")))

    def begun(self) -> UUID | None:
        """Return the import that this became, once its run is open."""
        try:
            return UUID((self.directory / _BEGUN).read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def mark_begun(self, id: UUID) -> None:
        _write(self.directory / _BEGUN, str(id))

    def claim(self) -> Claim | None:
        return Claim.of(self.directory / _CLAIM)

    def remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)


class Incoming:
    """A file that is being received. Its methods touch the disk: call them in a thread."""

    def __init__(self, directory: Path, claim: Claim, *, limit: int) -> None:
        self.size = 0
        self.claim = claim
        self._handed_on = False
        self._directory = directory
        self._limit = limit
        self._digest = hashlib.sha256()
        self._file = (directory / _CONTENT).open("xb")

    def write(self, piece: bytes) -> None:
        """
        Raises:
            Invalid: `body_too_large`.
            OSError: the disk is full or broken.
        """
        self.size += len(piece)
        if self.size > self._limit:
            raise Invalid(f"The file is larger than {self._limit:,} bytes.", code="body_too_large")
        self._digest.update(piece)
        self._file.write(piece)

    def keep(self, sent: Sent) -> Upload | None:
        """Put the file on the shelf, whole and for good; None where the same upload lies there already."""
        self._file.flush()
        os.fsync(self._file.fileno())
        _write(self._directory / _JOB, json.dumps(asdict(sent)))
        place = self._directory.with_name(sent.key(self._digest.hexdigest()))
        try:
            self._directory.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            return None
        self._file.close()
        self._handed_on = True
        _settle(place.parent)
        return Upload(place)

    def the_same(self, sent: Sent) -> Upload:
        """Return the upload that lies, or has lain, where this one would."""
        return Upload(self._directory.with_name(sent.key(self._digest.hexdigest())))

    def lay_by(self, sent: Sent) -> Upload:
        """Make an upload of the file that ends with this process: for a dry run."""
        self._file.close()
        _write(self._directory / _JOB, json.dumps(asdict(sent)))
        self._handed_on = True
        return Upload(self._directory)

    def discard(self) -> None:
        """Remove what was received, unless it was put on the shelf."""
        if self._handed_on:
            return
        with contextlib.suppress(OSError):
            self._file.close()
        shutil.rmtree(self._directory, ignore_errors=True)
        self.claim.release()


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
            claim = Claim.of(unseen / _CLAIM)
            assert claim is not None  # noqa: S101  # nobody else knows the name
            # Under this name others see it, and remove it unless it is claimed.
            return Incoming(unseen.rename(unseen.with_name(unseen.name[1:])), claim, limit=self._limit)

    def kept(self) -> Sequence[Upload]:
        """Return what was received; remove what some process had begun to receive when it ended."""
        found = []
        for directory in self._entries():
            if directory.name.startswith(_INCOMING):
                claim = Claim.of(directory / _CLAIM)
                if claim is not None:
                    shutil.rmtree(directory, ignore_errors=True)
                    claim.release()
            elif (directory / _JOB).is_file():
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
            _write(unseen, actor)
            # There with its actor or not at all, and never in place of a file on which somebody holds a claim.
            try:
                with contextlib.suppress(FileExistsError):
                    os.link(unseen, self._undo(id))
            finally:
                unseen.unlink()
            _settle(self.directory)

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


def _write(path: Path, text: str) -> None:
    """Write a small file that is there whole or not at all, also after a power failure."""
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _settle(path.parent)


def _settle(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
