"""Which methods a path knows, over all routes that match it: what `Allow` says (RFC 9110, 15.5.6) and Starlette does not."""

from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match


def methods_of(app: FastAPI, path: str) -> list[str]:
    """
    Return a path's methods in alphabetical order, HEAD with GET, and OPTIONS; none where the path is not ours.

    A path that is written out is what it says and no id: `/orders/quote` has the methods of that route only.
    """
    routes = app.router.routes
    exact = [route for route in routes if getattr(route, "path", None) == path]
    found: set[str] = set()
    for route in exact or [route for route in routes if _matches(route, path)]:
        found |= getattr(route, "methods", None) or set()
    if "GET" in found:
        found.add("HEAD")
    if found:
        found.add("OPTIONS")
    return sorted(found)


def _matches(route: BaseRoute, path: str) -> bool:
    scope: dict[str, Any] = {"type": "http", "path": path, "root_path": "", "method": "", "path_params": {}, "headers": []}
    match, _ = route.matches(scope)
    return match is not Match.NONE
