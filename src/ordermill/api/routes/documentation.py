"""
What a person sees first: the page at `/`, and the documentation at `/docs`, which works without the rest of the internet.

Swagger UI comes from a Python package and is served from here; its page may run nothing else and reach nobody else.
"""

import asyncio
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from ordermill.api.deps import OPERATOR, ServicesDep
from ordermill.api.openapi import describe
from ordermill.api.problems import problem
from ordermill.api.visit import visit_of

_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE: Final = {"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-cache"}
_SIDECAR: Final = "drf_spectacular_sidecar"
_SWAGGER: Final = "static/drf_spectacular_sidecar/swagger-ui-dist"
_ASSETS: Final = {
    "docs.js": ("ordermill.api.pages", "docs.js", "text/javascript"),
    "docs.css": ("ordermill.api.pages", "docs.css", "text/css"),
    "home.css": ("ordermill.api.pages", "home.css", "text/css"),
    "swagger-ui.css": (_SIDECAR, f"{_SWAGGER}/swagger-ui.css", "text/css"),
    "swagger-ui.js": (_SIDECAR, f"{_SWAGGER}/swagger-ui-bundle.js", "text/javascript"),
}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, services: ServicesDep) -> Response:
    """Say what runs here and where to go: to people as a page, to programs as JSON."""
    documented = visit_of(request.scope).on_this_machine or services.settings.docs != "off"
    if "text/html" in request.headers.get("accept", ""):
        name = "home.html" if documented else "home-plain.html"
        return Response(_text("ordermill.api.pages", name), media_type="text/html", headers={**_PAGE, "Vary": "Accept"})
    places: dict[str, Any] = {"name": "Ordermill", "alive": "/livez", "ready": "/readyz"}
    if documented:
        places |= {"documentation": "/docs", "openapi": "/openapi.json"}
    return Response(orjson.dumps(places), media_type="application/json", headers={"Vary": "Accept"})


@router.get("/openapi.json", dependencies=[Depends(OPERATOR)])
async def openapi(request: Request) -> Response:
    """Return the description of the API."""
    return _kept(request, await _description(request), "application/json")


@router.get("/docs")
async def docs(request: Request, services: ServicesDep) -> Response:
    """Return the documentation's page; it asks for a key where the description is for staff only."""
    if services.settings.docs == "off" and not visit_of(request.scope).on_this_machine:
        return problem(request.scope, "not_found")
    return Response(_text("ordermill.api.pages", "docs.html"), media_type="text/html", headers=_PAGE)


@router.get("/docs/{name}")
async def asset(name: str, request: Request) -> Response:
    """Return what the pages need."""
    if name not in _ASSETS:
        return problem(request.scope, "not_found")
    package, path, media_type = _ASSETS[name]
    return _kept(request, _text(package, path), media_type)


def _kept(request: Request, content: bytes, media_type: str) -> Response:
    """Return content that browsers keep and ask about: 304 where they have it already."""
    tag = f'"{_fingerprint(content)}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


async def _description(request: Request) -> bytes:
    kept: bytes | None = getattr(request.app.state, "description", None)
    if kept is None:
        # Once, and in a thread: it takes half a second, in which everybody else would wait.
        kept = request.app.state.description = orjson.dumps(await asyncio.to_thread(describe, request.app))
    return kept


@cache
def _text(package: str, path: str) -> bytes:
    return files(package).joinpath(path).read_bytes()


@cache
def _fingerprint(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest()
