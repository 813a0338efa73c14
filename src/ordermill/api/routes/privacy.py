"""A person's data over HTTP: handed out, and forgotten for good."""

from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from ordermill.api.deps import Reader, RowId, ServicesDep, SignedIn, Staff
from ordermill.api.problems import refusals
from ordermill.api.routes.me import own_id
from ordermill.api.schemas.privacy import Leaving, PersonalData
from ordermill.api.visit import visit_of

router = APIRouter(tags=["users"])

_DOCUMENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": PersonalData, "description": "One JSON document, sent as it is read."}
}


@router.get(
    "/users/me/export", response_class=StreamingResponse, responses=_DOCUMENT, summary="Take out everything known of you"
)
async def export_me(services: ServicesDep, principal: SignedIn) -> StreamingResponse:
    """
    Return account, orders with payments and events, sign-ins and discounts of whoever asks.

    Until the address is verified, of the orders only those that were placed with this account.
    """
    return _attached(await services.privacy.export_own(own_id(principal)))


@router.delete(
    "/users/me",
    status_code=204,
    responses=refusals("current_password_wrong", "too_many_attempts", "last_staff"),
    summary="Be forgotten",
)
async def erase_me(body: Leaving, services: ServicesDep, principal: SignedIn, request: Request) -> Response:
    """
    Erase your account for good: name, address, notes and sign-in; what was sold and paid stays in the shop's figures.

    The password is needed once more: a token that was left lying about must not be enough. Nothing brings the data back.
    """
    password = body.current_password.get_secret_value()
    await services.privacy.erase_own(own_id(principal), password, address=visit_of(request.scope).address)
    return Response(status_code=204)


@router.get(
    "/users/{id}/export",
    response_class=StreamingResponse,
    responses={**_DOCUMENT, **refusals("user_not_found")},
    summary="Take out everything known of a user",
)
async def export_user(id: RowId, services: ServicesDep, _: Reader) -> StreamingResponse:
    """Return what `/users/me/export` does, of any user and with all orders."""
    return _attached(await services.privacy.export(id))


@router.delete(
    "/users/{id}", status_code=204, responses=refusals("user_not_found", "own_account", "last_staff"), summary="Forget a user"
)
async def erase_user(id: RowId, services: ServicesDep, principal: Staff) -> Response:
    """
    Erase an account for good, as its owner could. One that was erased already is a 404.

    Your own you can erase by `DELETE /users/me` only, which asks for the password.
    """
    await services.privacy.erase(id, actor=principal.actor)
    return Response(status_code=204)


def _attached(document: AsyncIterator[str]) -> StreamingResponse:
    headers = {"Content-Disposition": 'attachment; filename="personal-data.json"', "Cache-Control": "no-store"}
    return StreamingResponse(document, media_type="application/json", headers=headers)
