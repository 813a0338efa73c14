"""The secret of an embedded book that nobody set: made once, and kept beside the book for its owner's eyes only."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from ordermill.kit.errors import Unavailable

_MODE: Final = 0o600
_OTHERS: Final = 0o077
_BYTES: Final = 32
# Fewer letters hold fewer than 32 bytes of base64url: the file was cut short.
_LEAST: Final = 43


def kept_secret(file: Path) -> str:
    """
    Return the secret in `file`, which is made when there is none; processes that start at once get the same one.

    Raises:
        Unavailable: `secret_key_unavailable`: it cannot be read or written, holds no secret, or others can read it.
    """
    try:
        found = _read(file)
        if found is None:
            _make(file)
            found = _read(file)
    except OSError as error:
        raise _refused(f"The secret of this order book, {str(file)!r}, cannot be kept: {error.strerror}") from error
    if found is None or len(found) < _LEAST:
        raise _refused(f"{str(file)!r} holds no secret; delete it to get a new one, which ends every session")
    return found


def _read(file: Path) -> str | None:
    try:
        with file.open(encoding="ascii", errors="replace") as opened:
            if os.fstat(opened.fileno()).st_mode & _OTHERS:
                raise _refused(f"Others than its owner can read {str(file)!r}; say `chmod 600` of it")
            return opened.read().strip()
    except FileNotFoundError:
        return None


def _make(file: Path) -> None:
    # Written whole under another name and then linked: whoever is second finds the first one's secret, never half of one.
    partial = file.with_name(f".ordermill-{secrets.token_hex(8)}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            opened.write(f"{secrets.token_urlsafe(_BYTES)}\n")
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(partial, file)
    finally:
        partial.unlink()
    _settle(file.parent)


def _settle(directory: Path) -> None:
    """Make the new name outlast a power failure."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(sentence: str) -> Unavailable:
    return Unavailable(f"{sentence}; or set ORDERMILL_SECRET_KEY.", code="secret_key_unavailable")
