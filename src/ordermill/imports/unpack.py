"""
What was packed comes out a piece at a time, and never more of it than an order file could hold.

What cannot be text, such as an Excel file, is told by its first bytes.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from ordermill.kit.errors import Invalid

GZIP: Final = b"\x1f\x8b"

PIECE: Final = 1 << 20  # unpacked bytes at a time: what keeps a bomb out of memory
UNPACKED_LIMIT: Final = 64 << 30  # some 500 million order lines; more is a mistake or an attack on the disk
RATIO_LIMIT: Final = 500  # order exports shrink 5 to 20 times; deflate cannot exceed 1,032, which only a bomb comes near
RATIO_FROM: Final = 1 << 20  # a few equal lines may shrink a lot; what counts is what goes on doing so

# What files that people take for an export begin with, and what to do instead.
_ELSE: Final = "export the orders as CSV."
_NO_TEXT: Final = (
    ((b"PK\x03\x04", b"PK\x05\x06"), f"a zip archive, which is also what Excel files are; unpack it, or {_ELSE}"),
    ((b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",), f"an older Excel or Word file; {_ELSE}"),
    ((b"%PDF-",), f"a PDF; {_ELSE}"),
    ((b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), f"a picture; {_ELSE}"),
    ((b"SQLite format 3\0",), f"an SQLite database; {_ELSE}"),
    ((b"PAR1",), f"a Parquet file; {_ELSE}"),
    ((b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"), "packed; unpack it first."),
    (tuple(b"BZh%d1AY&SY" % level for level in range(1, 10)), "packed; unpack it first."),
)

_ANY_GZIP: Final = 31  # zlib's word for "a gzip header, the largest window"


def gunzip(chunks: Iterable[bytes], *, name: str) -> Iterator[bytes]:
    """
    Unpack gzip members that follow each other, in pieces of at most `PIECE`.

    Raises:
        Invalid: `corrupt_gzip` where the data is damaged or ends too soon, `unpacks_too_large` for a bomb.
    """
    member = zlib.decompressobj(_ANY_GZIP)
    begun = False
    stored = unpacked = 0
    for chunk in chunks:
        stored += len(chunk)
        rest = chunk
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\0")  # tape blocks and some uploaders pad with zeros
                if not rest:
                    break
                member, begun = zlib.decompressobj(_ANY_GZIP), False
            piece, rest = _piece(member, rest, name=name)
            begun = True
            unpacked += len(piece)
            _refuse_bomb(stored, unpacked, name=name)
            if piece:
                yield piece
    if not member.eof or not begun:
        raise Invalid(
            f"{name!r} ends in the middle of its gzip data; it was probably not copied or downloaded whole.",
            code="corrupt_gzip",
            details={"file": name},
        )


def readable(chunks: Iterable[bytes], *, name: str) -> Iterator[bytes]:
    """
    Hand on what may be text.

    Raises:
        Invalid: `unsuitable`, where the first bytes are those of something else.
    """
    source = iter(chunks)
    first = next(source, b"")
    for marks, what in _NO_TEXT:
        if first.startswith(marks):
            raise Invalid(f"{name!r} is {what}", code="unsuitable", details={"file": name})
    yield first
    yield from source


def _piece(member: "zlib._Decompress", packed: bytes, *, name: str) -> tuple[bytes, bytes]:
    try:
        piece = member.decompress(packed, PIECE)
    except zlib.error as error:
        raise Invalid(
            f"{name!r} is damaged: its gzip data cannot be unpacked.", code="corrupt_gzip", details={"file": name}
        ) from error
    return piece, member.unused_data if member.eof else member.unconsumed_tail


def _refuse_bomb(stored: int, unpacked: int, *, name: str) -> None:
    if unpacked > UNPACKED_LIMIT or (unpacked > RATIO_FROM and unpacked > stored * RATIO_LIMIT):
        raise Invalid(
            f"{name!r} unpacks to far more than an order file would; it was not read further.",
            code="unpacks_too_large",
            details={"file": name, "stored": stored, "unpacked": unpacked},
        )
