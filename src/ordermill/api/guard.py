"""
What comes before every route: who is asking, how often, whether the query is known and the body of the right kind.

In this order. FastAPI reads the body first and asks dependencies then. Here a route's gates are asked before a byte of the
body is taken, and whoever may not come in learns nothing about what the route thinks of it.
"""

import copy
import functools
import math
from collections.abc import Awaitable, Callable, Collection
from email.message import Message
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, request_response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ordermill.api.bodies import StrictRequest
from ordermill.api.deps import OPERATIONS, authenticated, services
from ordermill.api.problems import HttpRefusal
from ordermill.api.rates import require_granted
from ordermill.api.solving import AnyGate, Solver, every
from ordermill.api.visit import visit_of
from ordermill.kit.errors import Forbidden
from ordermill.kit.networks import counted_as
from ordermill.kit.rates import Quota

_EMPTY: Final = (None, "", "0")


def gates_of(route: APIRoute) -> list[AnyGate]:
    """Return the gates a route asks, those of its dependencies' dependencies too."""
    return [each.call for each in every(route.dependant) if isinstance(each.call, AnyGate)]


def guard(route: BaseRoute, *, quota: Quota, written_out: Collection[str] = ()) -> BaseRoute:
    """
    Return a route with all this before it; the given one, which several applications may share, stays as it is.

    Args:
        written_out: paths that other routes have as they stand, and that are therefore no ids of this one.
    """
    guarded = copy.copy(route)
    if isinstance(guarded, APIRoute):
        guarded.app = request_response(_before(guarded, quota, written_out if guarded.param_convertors else ()))
    elif isinstance(guarded, Route):
        guarded.app = _named(guarded)
    return guarded


def _before(route: APIRoute, quota: Quota, written_out: Collection[str]) -> Callable[[Request], Awaitable[Response]]:
    gates = gates_of(route)
    handle = Solver(route)
    expected = media_type_of(route)
    counted = OPERATIONS not in route.tags
    # Pages for people take whatever stands behind the ? of a link.
    known = parameters_of(route) if route.include_in_schema else None

    async def handling(request: Request) -> Response:
        if request.scope["path"] in written_out:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)
        visit_of(request.scope).template = route.path_format
        if counted:
            await _count(request, quota, asks=bool(gates))
        for gate in gates:
            await gate(request)
        if known is not None and request.scope["query_string"]:
            _require_known(known, request)
        if expected is not None:
            _require(expected, request)
        return await handle(StrictRequest(request.scope, request.receive, request._send))  # noqa: SLF001  # it has no other name

    return handling


def media_type_of(route: APIRoute) -> str | None:
    """Return what kind of body a route takes; None where FastAPI reads none."""
    field: Any = route.body_field
    return None if field is None else str(field.field_info.media_type)


def parameters_of(route: APIRoute) -> frozenset[str]:
    """Return the query parameters a route takes, those of its dependencies too."""
    return frozenset(field.alias for each in every(route.dependant) for field in each.query_params)


async def _count(request: Request, quota: Quota, *, asks: bool) -> None:
    """
    Take one from the quota of whoever asks: a principal's own, or the address's where nobody or nobody real is named.

    Raises:
        Forbidden: `rate_limited`; or `unauthenticated`, after the address has paid for it.
    """
    address = counted_as(visit_of(request.scope).address)
    try:
        principal = await authenticated(request) if asks else None
    except Forbidden:
        await _take(request, address, quota)
        raise
    await _take(request, principal.actor if principal else address, quota)


async def _take(request: Request, key: str, quota: Quota) -> None:
    found = await services(request)
    allowance = await found.rates.take(key, quota)
    wait = math.ceil(allowance.wait_s)
    visit_of(request.scope).headers += (
        (b"ratelimit", f'"{quota.name}";r={allowance.remaining};t={wait}'.encode()),
        (b"ratelimit-policy", f'"{quota.name}";q={quota.count};w={quota.window_s}'.encode()),
    )
    require_granted(allowance)


def _require_known(known: Collection[str], request: Request) -> None:
    """
    Refuse query parameters that a route does not take, and those that come twice: a misspelt filter must not show all.

    Raises:
        RequestValidationError: which become a 422 that names them.
    """
    said = [name for name, _ in request.query_params.multi_items()]
    found = [("extra_forbidden", name, "There is no such parameter") for name in request.query_params if name not in known]
    found += [("said_twice", name, "Write this once") for name in request.query_params if said.count(name) > 1]
    if found:
        raise RequestValidationError([{"type": kind, "loc": ("query", name), "msg": words} for kind, name, words in found])


def _require(expected: str, request: Request) -> None:
    """
    Refuse a body of another kind.

    Raises:
        HttpRefusal: 415.
    """
    said = request.headers.get("content-type")
    if said is None and request.headers.get("content-length") in _EMPTY and "transfer-encoding" not in request.headers:
        return  # no body at all: validation says what is missing
    if said is None or _media_type(said) != (expected, "utf8"):
        raise HttpRefusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail=f"Send the body as {expected}, in UTF-8.")


@functools.lru_cache(maxsize=256)
def _media_type(said: str) -> tuple[str, str]:
    message = Message()
    message["content-type"] = said
    return message.get_content_type(), str(message.get_param("charset", "utf-8")).lower().replace("-", "")


def _named(route: Route) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        visit_of(scope).template = route.path
        await route_app(scope, receive, send)

    route_app = route.app
    return app
