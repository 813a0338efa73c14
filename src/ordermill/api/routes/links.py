"""Links that work once, over HTTP: verifying an address, choosing a new password, making the first staff user."""

from typing import Any

from fastapi import APIRouter, Request

from ordermill.accounts.drafts import StaffSetUp, UserResponse
from ordermill.api.deps import Anyone, ServicesDep
from ordermill.api.problems import refusals
from ordermill.api.routes.me import own_id
from ordermill.api.schemas.users import Accepted, LinkWanted, PasswordReset, Verification, VerificationWanted
from ordermill.api.visit import visit_of
from ordermill.kit.errors import Invalid

router = APIRouter(tags=["auth"])

ON_ITS_WAY = "If there is such an account, a mail is on its way."
_PASSWORDS = ("password_too_short", "password_too_long", "password_common", "password_personal")


@router.post(
    "/auth/verify-email/request",
    status_code=202,
    response_model=Accepted,
    responses=refusals("too_many_attempts", "email_missing"),
    summary="Ask for a link that verifies an address",
)
async def request_verification(wanted: VerificationWanted, services: ServicesDep, principal: Anyone, request: Request) -> Any:
    """
    Mail a link that verifies an e-mail address, to whoever is signed in or to the address that is named.

    The answer is the same whether or not there is such an account, or it is verified already.
    """
    email = wanted.email
    if email is None and principal is not None and principal.user_id is not None:
        email = (await services.own_accounts.get(own_id(principal))).email
    if email is None:
        raise Invalid.field("/email", "Name the address, or sign in.", code="email_missing")
    await services.throttles.admit("verify_email", email=email, address=visit_of(request.scope).address)
    services.links.send_verification(email)
    return Accepted(detail=ON_ITS_WAY)


@router.post("/auth/verify-email", status_code=204, responses=refusals("link_invalid"), summary="Verify an address")
async def verify_email(verification: Verification, services: ServicesDep) -> None:
    """Hold the address to be verified that the token was mailed to; it works once, within three days."""
    await services.links.verify(verification.token.get_secret_value())


@router.post(
    "/auth/password-reset/request",
    status_code=202,
    response_model=Accepted,
    responses=refusals("too_many_attempts"),
    summary="Ask for a link that resets a password",
)
async def request_password_reset(wanted: LinkWanted, services: ServicesDep, request: Request) -> Any:
    """
    Mail a link that lets a new password be chosen.

    The answer is the same whether or not there is such an account. A customer who is known from orders only gets a link too,
    and claims that account with it.
    """
    await services.throttles.admit("reset_password", email=wanted.email, address=visit_of(request.scope).address)
    services.links.send_password_reset(wanted.email)
    return Accepted(detail=ON_ITS_WAY)


@router.post(
    "/auth/password-reset",
    status_code=204,
    responses=refusals("link_invalid", *_PASSWORDS),
    summary="Choose a new password",
)
async def reset_password(reset: PasswordReset, services: ServicesDep, request: Request) -> None:
    """
    Give the account another password; the token works once, within an hour.

    All sign-ins end, and the address counts as verified: the mail was read there.
    """
    user = await services.links.reset(reset.token.get_secret_value(), reset.password.get_secret_value())
    await services.throttles.forgive(email=user.email, address=visit_of(request.scope).address)


@router.post(
    "/setup",
    status_code=201,
    response_model=UserResponse,
    responses=refusals("link_invalid", "email_taken", *_PASSWORDS),
    summary="Make the first staff user",
)
async def set_up(draft: StaffSetUp, services: ServicesDep) -> Any:
    """
    Make the first staff user, with the token of the link that `ordermill serve` prints while there is none.

    It works once, within an hour, and not any more once there is a staff user.
    """
    return await services.accounts.set_up(draft)
