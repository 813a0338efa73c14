"""`Idempotency-Key` in, `Idempotent-Replayed` out; what a key does is `orders.idempotency`."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response

from ordermill.orders.idempotency import HEADER, Answer, key_of

REPLAYED: Final[dict[str, Any]] = {
    "Idempotent-Replayed": {
        "description": "`true` when this is the answer that was given to the same request before.",
        "schema": {"type": "string"},
    }
}


async def idempotency_key(
    request: Request,
    *,
    _: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="A new one for each thing that is to be done: the same request with the same key is done once.",
            examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
            json_schema_extra={"pattern": "^[!#-~][ -~]{0,254}$"},
        ),
    ] = None,
) -> str | None:
    # Read here and not by FastAPI, which would take one of two for the only one.
    return key_of(request.headers.getlist(HEADER))


IdempotencyKey = Annotated[str | None, Depends(idempotency_key)]


def answer_of(answer: Answer, *, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response that an answer is, whether given now or before."""
    replayed = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, status_code=status, media_type="application/json", headers={**(headers or {}), **replayed})
