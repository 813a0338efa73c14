"""Text in any encoding becomes UTF-8 with line feeds; what cannot be read is named by line and byte."""

import codecs
from collections.abc import Iterable, Iterator
from typing import Final

from ordermill.kit.errors import Invalid

# UTF-32's little-endian mark begins with UTF-16's, so it is asked for first.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD: Final = 64 << 10  # bytes that show which line ends a file has; a header and some records of any export


class Utf8:
    """
    One pass over the text of a file. `lines` counts the physical lines seen so far.

    A byte order mark is believed before a declared encoding, and left out of the text. Files of
    old Macs, which end lines with CR alone, get line feeds.
    """

    def __init__(self, *, name: str, encoding: str | None) -> None:
        self.lines = 0
        self._name = name
        self._declared = encoding
        self._encoding = known_encoding(encoding) if encoding is not None else "utf-8"
        self._open_line = False

    def read(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """
        Raises:
            Invalid: `undecodable`, with the physical line and the byte.
        """
        source = iter(chunks)
        head = self._without_mark(_head(source))
        decoder = codecs.getincrementaldecoder(self._encoding)()
        text = self._decoded(decoder, head)
        # A head may end between CR and LF, so its last character says nothing.
        old_mac = b"\n" not in text and b"\r" in text[:-1]
        yield self._counted(text, old_mac=old_mac)
        for chunk in source:
            yield self._counted(self._decoded(decoder, chunk), old_mac=old_mac)
        yield self._counted(self._decoded(decoder, b"", final=True), old_mac=old_mac)
        self.lines += self._open_line

    def _counted(self, text: bytes, *, old_mac: bool) -> bytes:
        if old_mac:
            text = text.replace(b"\r", b"\n")
        if text:
            self.lines += text.count(b"\n")
            self._open_line = not text.endswith(b"\n")
        return text

    def _without_mark(self, head: bytes) -> bytes:
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                self._encoding = encoding
                return head[len(mark) :]
        if self._declared is None and b"\0" in head[:2]:
            likely = "utf-16-be" if head.startswith(b"\0") else "utf-16-le"
            raise Invalid(
                f"{self._name!r} looks like UTF-16 without a byte order mark; add --encoding {likely}.",
                code="undecodable",
                details={"file": self._name, "line": 1, "encoding": "utf-8"},
            )
        return head

    def _decoded(self, decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bytes:
        try:
            return decoder.decode(chunk, final).encode()
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(self._encoding, "ignore")
            # Line ends are not known yet when the first characters cannot be read.
            line = self.lines + (before.count("\n") or before.count("\r")) + 1
            raise self._undecodable(line, error.object[error.start]) from error
        except UnicodeError as error:  # codecs that are hardly encodings, such as unicode_escape
            raise self._undecodable(self.lines + 1, None) from error

    def _undecodable(self, line: int, byte: int | None) -> Invalid:
        what = "something" if byte is None else f"the byte 0x{byte:02X}"
        hint = (
            f"check --encoding {self._declared}."
            if self._declared
            else "a file from an older Windows program may need --encoding cp1252."
        )
        return Invalid(
            f"Line {line} of {self._name!r} holds {what}, which is not {self._encoding.upper()} there; {hint}",
            code="undecodable",
            details={"file": self._name, "line": line, "byte": byte, "encoding": self._encoding},
        )


def known_encoding(encoding: str) -> str:
    """
    Return the name of an encoding that text can be read in.

    Raises:
        Invalid: `unknown_encoding`.
    """
    try:
        "".encode(encoding)
        codecs.getincrementaldecoder(encoding)
    except (LookupError, ValueError):
        raise Invalid.field(
            "/encoding", f"There is no text encoding {encoding!r}; try utf-8, utf-16 or cp1252.", code="unknown_encoding"
        ) from None
    return encoding


def _head(source: Iterator[bytes]) -> bytes:
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= _HEAD:
            break
    return head
