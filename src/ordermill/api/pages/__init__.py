"""
The pages that links in mails lead to: they work in any browser, without a front end of the shop's own.

A link's token stands behind its #, which browsers send to nobody: no log and no proxy sees it. The page's script takes it
from there and calls the API. Nothing is done by opening a page, since mail scanners open links too: a person presses a button.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

# Nothing but what this server sends, no foreign form, no frame around it.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_PAGES: Final = {
    "/verify-email": ("verify-email.html", "text/html"),
    "/reset-password": ("reset-password.html", "text/html"),
    "/setup": ("setup.html", "text/html"),
    "/account-pages.css": ("account-pages.css", "text/css"),
    "/account-pages.js": ("account-pages.js", "text/javascript"),
}


@cache
def _content(name: str) -> bytes:
    return files("ordermill.api.pages").joinpath(name).read_bytes()


async def _page(request: Request) -> Response:
    name, media_type = _PAGES[request.scope["path"].removeprefix(request.scope.get("root_path", ""))]
    return Response(_content(name), media_type=media_type, headers=_HEADERS)


router = APIRouter(routes=[Route(path, _page, methods=["GET"], include_in_schema=False) for path in _PAGES])
