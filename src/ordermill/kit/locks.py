"""One process at a time, by a lock on a file; the system lets go of it when the process ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ordermill.kit.errors import Unavailable


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """
    Hold the lock on `file`, which is made when there is none and stays behind: whoever removed it could let two in.

    Raises:
        Unavailable: `served_already`, when another process holds it; `lock_unavailable`, when the file cannot be made.
    """
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"The lock file {str(file)!r} cannot be made: {error.strerror}.", code="lock_unavailable") from error
    try:
        _hold(handle, file)
        yield
    finally:
        os.close(handle)


def _hold(handle: int, file: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        by = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        raise Unavailable(
            f"This order book is served already, by process {by or 'unknown'} (lock file {str(file)!r}). An embedded book "
            "has one server; a PostgreSQL one has as many as you like.",
            code="served_already",
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
