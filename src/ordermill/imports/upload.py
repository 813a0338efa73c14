"""
One upload on disk: being received, lying on the shelf, claimed by whoever is at it.

Not here: the directory in which uploads lie beside each other (shelf), and who brings them in (uploads).
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self
from uuid import UUID

from ordermill.kit.errors import Invalid

JOB: Final = "job.json"
CLAIM: Final = "claim"
_CONTENT: Final = "content"
_BEGUN: Final = "begun"


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
        return Sent(**json.loads((self.directory / JOB).read_text(encoding="utf-8")))

    def begun(self) -> UUID | None:
        """Return the import that this became, once its run is open."""
        try:
            return UUID((self.directory / _BEGUN).read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def mark_begun(self, id: UUID) -> None:
        write_whole(self.directory / _BEGUN, str(id))

    def claim(self) -> Claim | None:
        return Claim.of(self.directory / CLAIM)

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
        write_whole(self._directory / JOB, json.dumps(asdict(sent)))
        place = self._directory.with_name(sent.key(self._digest.hexdigest()))
        try:
            self._directory.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            return None
        self._file.close()
        self._handed_on = True
        settle(place.parent)
        return Upload(place)

    def the_same(self, sent: Sent) -> Upload:
        """Return the upload that lies, or has lain, where this one would."""
        return Upload(self._directory.with_name(sent.key(self._digest.hexdigest())))

    def lay_by(self, sent: Sent) -> Upload:
        """Make an upload of the file that ends with this process: for a dry run."""
        self._file.close()
        write_whole(self._directory / JOB, json.dumps(asdict(sent)))
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


def write_whole(path: Path, text: str) -> None:
    """Write a small file that is there whole or not at all, also after a power failure."""
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    settle(path.parent)


def settle(directory: Path) -> None:
    """Let what was renamed or removed in a directory outlast a power failure."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
