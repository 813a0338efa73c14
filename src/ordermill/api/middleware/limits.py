"""
How long a request may take and how large its body may be, whether it says so beforehand or not.

    a request      all of it in `request_timeout` seconds, until the answer begins
    an upload      as long as bytes keep coming, each piece within that time
    an answer      as long as the client keeps taking it, each piece within that time

A body that is too large is refused when somebody reads it, and not before: whoever may not come in is told that first.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordermill.api.problems import HttpRefusal, problem
from ordermill.api.routes import UPLOADS
from ordermill.config import Settings

# A deadline is put off only when it has come nearer by this: most answers are two messages that follow at once.
_SLACK_S: Final = 0.5


class Limits:
    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._seconds = settings.request_timeout
        self._body_limit = settings.body_limit
        self._upload_limit = settings.upload_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload = scope["path"] in UPLOADS and scope["method"] == "POST"
        started = False
        loop = asyncio.get_running_loop()
        deadline = asyncio.timeout(self._seconds)

        def progress() -> None:
            # Else it is too late already, and the cancellation on its way; or it was only just put off.
            now = loop.time()
            if not deadline.expired() and (deadline.when() or now) - now < self._seconds - _SLACK_S:
                deadline.reschedule(now + self._seconds)

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            progress()
            await send(message)

        limited = _limited(
            receive, scope, limit=self._upload_limit if upload else self._body_limit, progress=progress if upload else None
        )
        try:
            async with deadline:
                await self._app(scope, limited, sending)
        except TimeoutError:
            if started or not deadline.expired():
                raise
            detail = f"This took longer than {self._seconds} seconds and was given up; whether it was done is not known."
            await problem(scope, "timed_out", detail=detail)(scope, receive, send)


def _limited(receive: Receive, scope: Scope, *, limit: int, progress: Callable[[], None] | None) -> Receive:
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    read = 0

    async def receiving() -> Message:
        nonlocal read
        if announced.isdigit() and int(announced[:20]) > limit:
            raise _too_large(limit)
        message = await receive()
        if progress is not None:
            progress()
        read += len(message.get("body", b""))
        if read > limit:
            raise _too_large(limit)
        return message

    return receiving


def _too_large(limit: int) -> HttpRefusal:
    # The rest of the body is still on its way; without this the server would read all of it to keep the connection.
    return HttpRefusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail=f"The body is larger than {limit:,} bytes.", headers={"Connection": "close"}
    )
