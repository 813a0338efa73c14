"""
What comes before every route: who is asking, how often, and whether the body is of the right kind; in this order.

FastAPI reads the body first and asks dependencies then. Here a route's gates are asked before a byte of the body is
taken, and whoever may not come in learns nothing about what the route thinks of it.
"""

import copy
import math
from collections.abc import Awaitable, Callable, Collection, Iterator
from email.message import Message
from http import HTTPStatus
from typing import Any, Final

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, request_response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ordermill.api.addresses import counted_as
from ordermill.api.bodies import StrictRequest
from ordermill.api.deps import OPERATIONS, Gate, OpenGate, OperatorGate, authenticated, services
from ordermill.api.problems import HttpRefusal
from ordermill.api.visit import visit_of
from ordermill.kit.errors import Forbidden
from ordermill.kit.rates import Quota

AnyGate = Gate | OpenGate | OperatorGate

_EMPTY: Final = (None, "", "0")


def gates_of(route: APIRoute) -> list[AnyGate]:
    """Return the gates a route asks, those of its dependencies' dependencies too."""
    return [call for call in _calls(route.dependant) if isinstance(call, AnyGate)]


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
    handle = route.get_route_handler()
    gates = gates_of(route)
    expected = media_type_of(route)
    counted = OPERATIONS not in route.tags

    async def handling(request: Request) -> Response:
        if request.scope["path"] in written_out:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)
        visit_of(request.scope).template = route.path_format
        if counted:
            await _count(request, quota, asks=bool(gates))
        for gate in gates:
            await gate(request)
        if expected is not None:
            _require(expected, request)
        return await handle(StrictRequest(request.scope, request.receive, request._send))  # noqa: SLF001  # it has no other name

    return handling


def media_type_of(route: APIRoute) -> str | None:
    """Return what kind of body a route takes; None where FastAPI reads none."""
    field: Any = route.body_field
    return None if field is None else str(field.field_info.media_type)


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
    if not allowance.granted:
        wait = max(wait, 1)
        raise Forbidden(f"That were too many requests; wait {wait} s.", code="rate_limited", details={"retry_after_s": wait})


def _require(expected: str, request: Request) -> None:
    """
    Refuse a body of another kind.

    Raises:
        HttpRefusal: 415.
    """
    said = request.headers.get("content-type")
    if said is None and request.headers.get("content-length") in _EMPTY and "transfer-encoding" not in request.headers:
        return  # no body at all: validation says what is missing
    message = Message()
    message["content-type"] = said or ""
    charset = message.get_param("charset", "utf-8")
    if said is None or message.get_content_type() != expected or str(charset).lower().replace("-", "") != "utf8":
        raise HttpRefusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail=f"Send the body as {expected}, in UTF-8.")


def _named(route: Route) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        visit_of(scope).template = route.path
        await route_app(scope, receive, send)

    route_app = route.app
    return app


def _calls(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)
