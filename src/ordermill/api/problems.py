"""
Refusals become application/problem+json (RFC 9457), in this one place.

    ServiceError  by its code, where `codes` knows it, else by its kind
    FastAPI's and Starlette's own  404, 405, 413, 422, …
    anything else  500, without a word of what it was (middleware.requests logs it)

Nothing here repeats what was sent; only the names of fields are, for people must find them.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import Scope

from ordermill.api.allowed import methods_of
from ordermill.api.bodies import Malformed
from ordermill.api.codes import BY_STATUS, CODES
from ordermill.api.visit import visit_of
from ordermill.kit.errors import Conflict, Forbidden, Invalid, NotFound, ServiceError, Unavailable

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2

_BY_KIND: Final[dict[type[ServiceError], int]] = {
    NotFound: 404,
    Conflict: 409,
    Forbidden: 403,
    Invalid: 422,
    Unavailable: 503,
}
_RETRIED: Final = frozenset({429, 503})
_QUOTA_EXCEEDED: Final = "https://iana.org/assignments/http-problem-types#quota-exceeded"
# What refusals know for us and nobody else: names of constraints, and what goes out in other words.
_OURS: Final = frozenset({"errors", "constraint", "what", "retry_after_s"})
_MOST_ERRORS: Final = 50
_LONGEST_NAME: Final = 64


# What pydantic says about its own types is no sentence for people who send JSON.
_SENTENCES: Final = {
    "extra_forbidden": "There is no such field; look how it is spelt",
    "missing": "This is missing",
    "string_pattern_mismatch": "Write it in this form: {pattern}",
    "too_short": "Send at least {min_length}",
    "too_long": "Send at most {max_length}",
    "model_attributes_type": "Send a JSON object",
    "model_type": "Send a JSON object",
    "tuple_type": "Send a JSON list",
    "list_type": "Send a JSON list",
}


# RFC 9110's names, which Python has from 3.13 on.
_RENAMED: Final = {413: "Content Too Large", 422: "Unprocessable Content"}


def phrase(status: int) -> str:
    """Return what a status is called, whatever the version of Python."""
    return _RENAMED.get(status) or HTTPStatus(status).phrase


class HttpRefusal(HTTPException):
    """A refusal of the door's own, about HTTP and nothing else; its detail is a sentence for a person."""


class FieldProblem(BaseModel):
    """What is wrong with one field of the body (`pointer`) or with one parameter."""

    pointer: str | None = Field(
        default=None, description="RFC 6901 JSON pointer into the body.", examples=["/items/0/quantity"]
    )
    parameter: str | None = Field(default=None, description="The name of a query parameter or header.", examples=["limit"])
    detail: str = Field(examples=["Input should be greater than or equal to 1."])
    code: str = Field(examples=["greater_than_equal"])


class Problem(BaseModel):
    """RFC 9457: why a request was refused. `code` never changes its meaning, `detail` may change its words."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A URI that stands for the code.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="A sentence for a person.")
    instance: str = Field(description="A URI that stands for this one occurrence.")
    code: str = Field(description="What a program decides by.")
    request_id: str = Field(description="What the server's log has it under; also in the header `X-Request-ID`.")
    errors: list[FieldProblem] | None = None


def refusals(*what: int | str) -> dict[int | str, dict[str, Any]]:
    """
    Return what a route's `responses=` says about the problems it answers with.

    What every route may answer is added by `openapi`: 401 and 403 of its gate, 400, 413 and 415 of a body, 422, 429, 500, 503.

    Args:
        what: codes that `codes.CODES` knows; or a status, for its general code.
    """
    found: dict[int | str, dict[str, Any]] = {}
    for each in what:
        code = BY_STATUS[each] if isinstance(each, int) else each
        known = CODES[code]
        answer = found.setdefault(
            known.status,
            {
                "description": phrase(known.status),
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        answer["content"][MEDIA_TYPE]["examples"][code] = {"$ref": f"#/components/examples/{code}"}
    return found


def example_of(code: str) -> dict[str, Any]:
    """Return a problem as the documentation shows it."""
    known = CODES[code]
    return _body(code, known.status, known.sentence, "0192f1c4-7a1e-7000-8000-000000000009", {})


def problem(  # noqa: PLR0913  # the parts of an answer, each with its name
    scope: Scope,
    code: str,
    *,
    status: int | None = None,
    detail: str | None = None,
    facts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that refuses a request; `status` and `detail` are the code's own where nothing else is said."""
    known = CODES.get(code)
    status = status or (known.status if known else 500)
    detail = detail or (known.sentence if known else phrase(status))
    body = _body(code, status, detail, visit_of(scope).request_id, facts or {})
    answer = Response(orjson.dumps(body, default=str), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))
    answer.headers["Cache-Control"] = "no-store"
    if status in _RETRIED:
        answer.headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    if status == HTTPStatus.UNAUTHORIZED:
        sent = any(name == b"authorization" for name, _ in scope.get("headers", ()))
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if sent else "Bearer"
    return answer


def refused(scope: Scope, refusal: ServiceError) -> Response:
    """Return the answer for a refusal of the services."""
    known = CODES.get(refusal.code)
    status = known.status if known else next(status for kind, status in _BY_KIND.items() if isinstance(refusal, kind))
    facts = {name: fact for name, fact in refusal.details.items() if name not in _OURS}
    if errors := refusal.details.get("errors"):
        facts["errors"] = list(errors)[:_MOST_ERRORS]
    headers: dict[str, str] = {}
    if (wait := refusal.details.get("retry_after_s")) is not None:
        headers["Retry-After"] = str(max(1, int(wait)))
    elif refusal.code == "idempotency_in_flight":
        headers["Retry-After"] = "1"
    # What a database or driver says names hosts, files and statements.
    detail = None if isinstance(refusal, Unavailable) else refusal.message
    return problem(scope, refusal.code, status=status, detail=detail, facts=facts, headers=headers)


def install(app: FastAPI) -> None:
    """Let the application answer every refusal this way; bugs are caught further out, where the log is written."""
    app.add_exception_handler(ServiceError, _of_service)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _of_validation)


async def _of_service(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)  # noqa: S101  # for the type checker: it is installed for nothing else
    return refused(request.scope, error)


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # for the type checker: it is installed for nothing else
    code = BY_STATUS.get(
        error.status_code, "bad_request" if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else "unavailable"
    )
    headers = dict(error.headers or {})
    detail = error.detail if isinstance(error, HttpRefusal) else None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(methods_of(request.app, request.scope["path"]))
    return problem(request.scope, code, status=error.status_code, detail=detail, headers=headers)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # for the type checker: it is installed for nothing else
    if isinstance(error.body, Malformed):
        return problem(request.scope, "body_malformed", detail=error.body.sentence)
    found = error.errors()
    if any(each["loc"] and each["loc"][0] == "path" for each in found):
        # An id that cannot be one stands for nothing: like any other that is not there.
        return problem(request.scope, "not_found")
    errors = [_field(each) for each in found if not _is_echo(each, found)][:_MOST_ERRORS]
    return problem(request.scope, "invalid", facts={"errors": errors})


def _is_echo(error: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> bool:
    # Pydantic counts the items of a tuple that are right: a basket of one wrong item would be an empty one as well.
    place = error["loc"]
    return error["type"] == "too_short" and any(each["loc"][: len(place)] == place != each["loc"] for each in found)


def _field(error: Mapping[str, Any]) -> dict[str, str]:
    """Return what pydantic says of one field, without what was sent and without pydantic's address."""
    place, *path = error["loc"] or ("body",)
    where = {"pointer": _pointer(path)} if place == "body" else {"parameter": _short(path[0] if path else place)}
    return {**where, "detail": f"{_said(error)}.", "code": error["type"]}


def _said(error: Mapping[str, Any]) -> str:
    try:
        return _SENTENCES[error["type"]].format_map(error.get("ctx", {}))
    except KeyError:  # of another type; or of this one, but our own, which is worded for people already
        return str(error["msg"].removeprefix("Value error, ").rstrip("."))


def _pointer(path: Sequence[int | str]) -> str:
    return "".join(f"/{_short(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _short(part: int | str) -> str:
    text = str(part)
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def _body(code: str, status: int, detail: str, request_id: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **facts,  # first, so that none of them takes the place of what every problem has
        "type": _QUOTA_EXCEEDED if code == "rate_limited" else f"urn:ordermill:problem:{code}",
        "title": phrase(status),
        "status": status,
        "detail": detail,
        "instance": f"urn:ordermill:request:{request_id}",
        "code": code,
        "request_id": request_id,
    }
