"""
A request's outermost layer: it gets an id and an address, is logged and measured, and a bug becomes a 500.

The log holds no query, no body, no header and nobody's name or address of mail; of a bug it holds where it was and not
what it said, for messages quote data.
"""

import re
import time
import traceback
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordermill.api.addresses import client_address, is_on_this_machine
from ordermill.api.metrics import Metrics
from ordermill.api.problems import problem
from ordermill.api.visit import Visit, begin
from ordermill.config import Settings
from ordermill.kit.clock import Clock
from ordermill.kit.ids import new_id

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,128}")
# Paths of ours are words and ids; anything else may be somebody's address of mail, or a secret in the wrong place.
_PART: Final = r"[a-z.-]{0,20}|[0-9]{1,19}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_HARMLESS: Final = re.compile(rf"(?:/(?:{_PART})){{1,8}}", re.ASCII)
# Asked every few seconds by machines; they would be most of the log.
_NOT_LOGGED: Final = frozenset({"/livez", "/readyz", "/metrics"})
# An API answers no page, so nothing in its answers may run, be framed or be kept; pages say otherwise for themselves.
_HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")

_log = structlog.get_logger("ordermill.api")


class Requests:
    def __init__(self, app: ASGIApp, *, settings: Settings, metrics: Metrics, clock: Clock) -> None:
        self._app = app
        self._trusted = settings.trusted_proxies
        self._metrics = metrics
        self._clock = clock
        secure = (settings.public_url or "").startswith("https://")
        self._headers = (*_HEADERS, _HSTS) if secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = begin(scope, self._visit(scope))
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(message, visit)
            await send(message)

        began = time.perf_counter()
        self._metrics.begin()
        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            _log_bug(error, visit)
            if status:
                raise  # the answer is half sent: the server must cut it off, so that nobody takes it for whole
            await problem(scope, "internal_error")(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.end(scope["method"], visit.template, status, seconds)
            if scope["path"] not in _NOT_LOGGED:
                _log_request(scope, visit, status, seconds)

    def _visit(self, scope: Scope) -> Visit:
        return Visit(
            request_id=_given_id(scope) or str(new_id(self._clock.now())),
            address=client_address(scope, trusted=self._trusted),
            on_this_machine=is_on_this_machine(scope),
        )

    def _complete(self, message: Message, visit: Visit) -> None:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
        said = {name for name, _ in headers}
        headers += [header for header in self._headers if header[0] not in said]
        headers += [(b"x-request-id", visit.request_id.encode()), *visit.headers]
        message["headers"] = headers


def _given_id(scope: Scope) -> str | None:
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return given[0].decode() if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]) else None


def _log_request(scope: Scope, visit: Visit, status: int, seconds: float) -> None:
    path = scope["path"]
    facts: dict[str, Any] = {
        "method": scope["method"] if scope["method"].isalpha() else "?",
        "path": path if _HARMLESS.fullmatch(path) else visit.template or "?",
        "status": status or None,
        "ms": round(seconds * 1000, 1),
        "address": visit.address or None,
        "actor": visit.principal.actor if visit.principal else None,
        "request_id": visit.request_id,
    }
    _log.info("request", **facts)


def _log_bug(error: Exception, visit: Visit) -> None:
    frames = traceback.extract_tb(error.__traceback__)
    _log.error(
        "bug",
        request_id=visit.request_id,
        error=" < ".join(type(each).__name__ for each in _causes(error)),
        at=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    )


def _causes(error: BaseException) -> list[BaseException]:
    found = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) is not None and cause not in found:
        found.append(cause)
    return found
