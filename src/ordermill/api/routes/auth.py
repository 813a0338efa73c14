"""Signing in, staying signed in, signing out. Not here: registering (users), forgotten passwords and verification."""

from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from ordermill.accounts.access import Grant, InvalidCredentials
from ordermill.api.deps import ServicesDep
from ordermill.api.problems import HttpRefusal, problem, refusals
from ordermill.api.schemas.auth import RefreshToken, SignIn, Tokens
from ordermill.api.visit import visit_of

router = APIRouter(tags=["auth"])

_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 20
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class _Unreadable(Exception):
    """A form that is none, with RFC 6749's word for what is wrong."""

    def __init__(self, error: str, sentence: str) -> None:
        super().__init__(sentence)
        self.error = error
        self.sentence = sentence


@router.post(
    "/auth/token",
    response_model=Tokens,
    summary="Sign in",
    responses=refusals(
        "invalid_credentials", "token_request_invalid", "body_too_large", "unsupported_media_type", "too_many_attempts"
    ),
    openapi_extra={"requestBody": {"required": True, "content": {_FORM: {"schema": SignIn.model_json_schema()}}}},
)
async def sign_in(request: Request, services: ServicesDep, response: Response) -> Any:
    """
    Sign in with e-mail address and password, by the form of OAuth 2's password grant.

    Unknown address, wrong password, inactive and unclaimed account are refused alike. Failures are counted for the account
    and for the address they come from, and waited for longer and longer.
    """
    _require_form(request)
    try:
        form = _read(await request.body())
    except _Unreadable as refusal:
        return _oauth(request, refusal.error, refusal.sentence, code="token_request_invalid")
    try:
        grant = await services.access.sign_in(form["username"], form["password"], address=visit_of(request.scope).address)
    except InvalidCredentials as refusal:
        return _oauth(request, "invalid_grant", refusal.message, code=refusal.code)
    return _tokens(grant, response)


@router.post("/auth/refresh", summary="Stay signed in", responses=refusals("refresh_refused"))
async def refresh(body: RefreshToken, services: ServicesDep, response: Response) -> Tokens:
    """
    Use up a refresh token, and get its successor and a new access token.

    When the answer was lost, the same token may be sent again within ten seconds and gets the same successor. Any other use
    of an old token ends the session.
    """
    return _tokens(await services.access.refresh(body.refresh_token.get_secret_value()), response)


@router.post("/auth/logout", status_code=HTTPStatus.NO_CONTENT, summary="Sign out")
async def sign_out(body: RefreshToken, services: ServicesDep) -> None:
    """End the session of a refresh token; whether there was one is not told. Access tokens that are out last their minutes."""
    await services.access.sign_out(body.refresh_token.get_secret_value())


def _tokens(grant: Grant, response: Response) -> Tokens:
    response.headers.update(_NO_STORE)
    return Tokens(access_token=grant.access_token, expires_in=grant.expires_in, refresh_token=grant.refresh_token)


def _oauth(request: Request, error: str, sentence: str, *, code: str) -> Response:
    """Answer as a problem that an OAuth 2 client can read as well: `error` and `error_description` (RFC 6749, 5.2)."""
    return problem(
        request.scope, code, detail=sentence, facts={"error": error, "error_description": sentence}, headers=_NO_STORE
    )


def _require_form(request: Request) -> None:
    """
    Raises:
        HttpRefusal: 415.
    """
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    charset = str(message.get_param("charset", "utf-8")).lower().replace("-", "")
    if message.get_content_type() != _FORM or charset != "utf8":
        raise HttpRefusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail=f"Send the form as {_FORM}, in UTF-8.")


def _read(body: bytes) -> Mapping[str, str]:
    """
    Return the fields of a form, each once.

    Raises:
        _Unreadable: it is none, a field is missing or stands twice, or it asks for another kind of grant.
    """
    try:
        found = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise _Unreadable("invalid_request", "The body is no form in UTF-8.") from None
    form = dict(found)
    if len(form) != len(found):
        raise _Unreadable("invalid_request", "A field stands twice.")
    if form.get("grant_type", "password") != "password":
        raise _Unreadable("unsupported_grant_type", "Only the grant type password is taken here.")
    if not (form.get("username") and form.get("password")):
        raise _Unreadable("invalid_request", "Send username and password.")
    return form
