"""HEAD is answered as GET without the body, and OPTIONS with the methods of a path, so that no route has to think of them."""

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordermill.api.allowed import methods_of


class Methods:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        elif scope["type"] == "http" and scope["method"] == "OPTIONS" and (found := methods_of(scope["app"], scope["path"])):
            await Response(status_code=204, headers={"Allow": ", ".join(found)})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sending
