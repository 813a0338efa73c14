"""What web pages of other origins may do: nothing, but for the origins of `ORDERMILL_CORS_ORIGINS`."""

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from ordermill.api.problems import problem

METHODS: Final = ("GET", "HEAD", "POST", "PATCH", "DELETE")
SENT: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID")
SHOWN: Final = (
    *("ETag", "Location", "Link", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID"),
    *("Idempotent-Replayed", "Content-Disposition"),
)
MINUTES_10: Final = 600


class Cors(CORSMiddleware):
    """Starlette's, whose refusals are problems like all others. No cookies: the API knows none."""

    def __init__(self, app: ASGIApp, *, origins: tuple[str, ...]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_methods=METHODS, allow_headers=SENT, expose_headers=SHOWN, max_age=MINUTES_10
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:  # noqa: PLR2004  # where refusals begin
            return answer
        refusal = problem(
            {"type": "http", "headers": []}, "bad_request", detail="Pages of this origin may not send this request."
        )
        refusal.headers["Vary"] = "Origin"
        return refusal
