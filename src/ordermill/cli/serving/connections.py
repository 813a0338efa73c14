"""
One HTTP connection, with the limits that uvicorn leaves to a proxy: a header must be whole in time and not too large.

Measured without these: half a header held its connection for as long as one liked, and a header of 100 kB was read.
"""

import asyncio
import json
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

# From the connection's or the last answer's first byte on. Browsers send theirs in one piece; a slow link takes a second.
HEADER_WITHIN_S: Final = 10
# What nginx and Apache take by default is between 8 and 32 kB.
HEADER_LIMIT: Final = 32 * 1024

_REFUSALS: Final = {
    400: ("bad_request", "This is no HTTP request."),
    408: ("request_timeout", "The request did not arrive in time."),
    431: ("header_too_large", f"The header is larger than {HEADER_LIMIT:,} bytes."),
}


class Connection(HttpToolsProtocol):
    """Uvicorn's, and a clock that runs while a header, or a body that nobody reads any more, is on its way."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._clock: asyncio.TimerHandle | None = None
        self._in_header = True
        self._header_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._wind()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_header:
            self._header_size += len(data)
            # What follows the header in the same piece is counted along; a piece is at most 256 kB.
            if self._header_size > HEADER_LIMIT and b"\r\n\r\n" not in data[: HEADER_LIMIT + 4]:
                self._refuse(431)
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._wind()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_header = False
        self._stop()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_header = True
        self._header_size = 0
        self._stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        unread = self.cycle.more_body
        super().on_response_complete()
        if unread and not self.transport.is_closing():
            self._wind()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's words; ours are a problem
        self._refuse(400)

    def _wind(self) -> None:
        self._stop()
        self._clock = self.loop.call_later(HEADER_WITHIN_S, self._too_late)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_late(self) -> None:
        # Nothing is said in the middle of a body: an answer was given already.
        if self._in_header and self._header_size:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        """Answer as the API does and close; nothing here is behind its middleware."""
        self._stop()
        code, sentence = _REFUSALS[status]
        line = STATUS_LINE[status]
        title = line.split(b" ", 2)[2].strip().decode()
        problem = {"type": f"urn:ordermill:problem:{code}", "title": title, "status": status, "detail": sentence, "code": code}
        body = json.dumps(problem).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        self.transport.write(line + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body)
        self.transport.close()
