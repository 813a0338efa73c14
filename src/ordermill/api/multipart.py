"""
A multipart/form-data body whose one file goes to disk as it comes: neither in memory nor in a temporary file of the
framework's, which would be written twice.

    form = await receive(request, incoming)      the file's name as it was said, and the fields beside it
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from ordermill.imports.shelf import refused_in_words
from ordermill.imports.upload import Incoming
from ordermill.kit.errors import Invalid
from ordermill.kit.text import printable, shortened

FILE: Final = "file"
MAP: Final = "map"
FIELD_LIMIT: Final = 1024  # bytes; a channel's name has 64 characters
MAP_LIMIT: Final = 64 << 10  # a map file of every field that there is has 5 KB
PARTS_LIMIT: Final = 20
FRAME_LIMIT: Final = 256 << 10  # of a body, beyond its file: the map, fields, headers of parts
_PIECE: Final = 1 << 20  # bytes handed to the disk at a time: large enough that the hop to a thread does not count
_NAME_LIMIT: Final = 255


@dataclass(slots=True)
class Form:
    """What stands beside the file's bytes; `file` is its name, for showing only, and None while there was no file."""

    file: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    map_name: str | None = None


def too_large(request: Request, *, limit: int) -> None:
    """
    Refuse a body that says itself that it is too large, before a byte of it is taken.

    Raises:
        Invalid: `body_too_large`.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > limit + FRAME_LIMIT:
        raise Invalid(f"The file is larger than {limit:,} bytes.", code="body_too_large")


async def receive(request: Request, incoming: Incoming) -> Form:
    """
    Take in a body; the file's bytes go to `incoming`.

    Raises:
        Invalid: `unsupported_media_type`, `body_malformed`, `body_too_large`; or a field that cannot be read.
        Unavailable: `upload_unwritable`.
        ClientDisconnect: the client has gone.
    """
    parts = _Parts(_boundary(request))
    with refused_in_words():
        async for chunk in request.stream():
            parts.feed(chunk)
            if len(parts.waiting) >= _PIECE:
                await asyncio.to_thread(incoming.write, parts.taken())
        await asyncio.to_thread(incoming.write, parts.taken())
    return parts.form()


def _boundary(request: Request) -> bytes:
    kind, said = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise Invalid("Send the file as multipart/form-data.", code="unsupported_media_type")
    boundary = said.get(b"boundary")
    if not boundary:
        raise Invalid("The header Content-Type names no boundary.", code="body_malformed")
    return boundary


class _Parts:
    """The parts of a body as they come; `waiting` are bytes of the file that are not on disk yet."""

    def __init__(self, boundary: bytes) -> None:
        self.waiting = bytearray()
        self._form = Form()
        self._texts: dict[str, bytearray] = {}
        self._name = ""
        self._header = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._beyond = 0
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._keep_header,
                    "on_headers_finished": self._name_part,
                    "on_part_data": self._take,
                    "on_end": self._end,
                },
            )
        except MultipartParseError as error:
            raise _malformed() from error

    def feed(self, chunk: bytes) -> None:
        before = len(self.waiting)
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise _malformed() from error
        self._beyond += len(chunk) - (len(self.waiting) - before)
        if self._beyond > FRAME_LIMIT:
            raise Invalid("There is too much beside the file.", code="body_too_large")

    def taken(self) -> bytes:
        """Return what is waiting, which then waits no more."""
        taken = bytes(self.waiting)
        self.waiting.clear()
        return taken

    def form(self) -> Form:
        """
        Return what was said, now that the body is at its end.

        Raises:
            Invalid: it ended too soon, or a field is no UTF-8.
        """
        if not self._ended:
            raise _malformed()
        for name, text in self._texts.items():
            try:
                self._form.fields[name] = text.decode("utf-8-sig" if name == MAP else "utf-8")
            except UnicodeDecodeError as error:
                raise Invalid.field(f"/{name}", f"This is not UTF-8 at byte {error.start + 1}.") from None
        return self._form

    def _begin(self) -> None:
        self._disposition = b""
        if len(self._texts) >= PARTS_LIMIT:
            raise Invalid("There are too many fields.", code="body_malformed")

    def _keep_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _name_part(self) -> None:
        kind, said = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in said:
            raise _malformed()
        self._name = said[b"name"].decode(errors="replace")
        if self._name in self._texts or (self._name == FILE and self._form.file is not None):
            raise Invalid("A field stands twice in the body.", code="body_malformed")
        name = _shown(said.get(b"filename"))
        if self._name == FILE:
            self._form.file = name or "upload"
        else:
            self._texts[self._name] = bytearray()
            if self._name == MAP:
                self._form.map_name = name

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE:
            self.waiting += data[start:end]
            return
        text = self._texts[self._name]
        text += data[start:end]
        limit = MAP_LIMIT if self._name == MAP else FIELD_LIMIT
        if len(text) > limit:
            raise Invalid.field(f"/{shortened(printable(self._name))}", f"Write at most {limit:,} bytes.")

    def _end(self) -> None:
        self._ended = True


def _shown(name: bytes | None) -> str | None:
    """Return a file's name without the directories that some clients say, fit to be shown; it is never part of a path."""
    if name is None:
        return None
    last = name.decode(errors="replace").replace("\\", "/").rpartition("/")[2]
    return shortened(printable(last), limit=_NAME_LIMIT) or None


def _malformed() -> Invalid:
    return Invalid("The body is no multipart/form-data that could be read to its end.", code="body_malformed")
