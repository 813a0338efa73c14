"""One's own account over HTTP. Taking one's data along and leaving for good: privacy."""

from typing import Any

from fastapi import APIRouter, Request, Response

from ordermill.accounts.drafts import OwnChange
from ordermill.accounts.principal import Principal
from ordermill.api.deps import ServicesDep, SignedIn
from ordermill.api.etags import IfMatch, etag, expected_version
from ordermill.api.problems import refusals
from ordermill.api.routes.users import Currency
from ordermill.api.schemas.users import CustomerFigures, OwnAccount
from ordermill.api.visit import visit_of

router = APIRouter(tags=["users"])


@router.get("/users/me", response_model=OwnAccount, summary="Show my account")
async def get_me(services: ServicesDep, principal: SignedIn, response: Response) -> Any:
    """Show the account of whoever is signed in."""
    user = await services.own_accounts.get(own_id(principal))
    response.headers["ETag"] = etag(user.version)
    return user


@router.patch(
    "/users/me",
    response_model=OwnAccount,
    responses=refusals(
        "current_password_wrong",
        "password_too_short",
        "password_common",
        "password_personal",
        "stale_version",
        "too_many_attempts",
    ),
    summary="Change my account",
)
async def change_me(  # noqa: PLR0913  # each is a part of the request
    change: OwnChange,
    services: ServicesDep,
    principal: SignedIn,
    request: Request,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> Any:
    """
    Change name and password; what is left out stays.

    A new password needs `current_password` beside it, ends all sign-ins, this one too, and is told to the owner by mail.
    `If-Match` may be left out here. The e-mail address cannot be changed.
    """
    version = None if if_match is None else expected_version(if_match, what="Your account")
    address = visit_of(request.scope).address
    user = await services.own_accounts.change(own_id(principal), change, address=address, version=version)
    response.headers["ETag"] = etag(user.version)
    return user


@router.get(
    "/users/me/statistics",
    response_model=CustomerFigures,
    responses=refusals("unknown_currency"),
    summary="My orders in numbers",
)
async def my_statistics(services: ServicesDep, principal: SignedIn, *, currency: Currency = None) -> Any:
    """
    Add up the orders that `GET /orders` shows to whoever is signed in, in one currency; cancelled ones are left out.

    Before the address is verified these are the orders placed while signed in.
    """
    user = await services.own_accounts.get(own_id(principal))
    chosen = currency or services.settings.currency
    unverified = user.email_verified_at is None
    figures = await services.statistics.customer(own_id(principal), currency=chosen, placed_by_customer=unverified)
    return CustomerFigures.of(user, figures)


def own_id(principal: Principal) -> int:
    assert principal.user_id is not None  # noqa: S101  # for the type checker: the gate lets nobody else in
    return principal.user_id
