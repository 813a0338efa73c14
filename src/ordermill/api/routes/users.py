"""Accounts over HTTP: registering, and what staff see and change. One's own account: me."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from ordermill.accounts.drafts import UserCreate, UserResponse
from ordermill.accounts.ports import UserFilter
from ordermill.api.deps import Reader, RowId, ServicesDep, Staff
from ordermill.api.etags import IfMatch, etag, expected_version
from ordermill.api.paging import NEXT_LINK, PagingDep
from ordermill.api.problems import refusals
from ordermill.api.schemas.users import Accepted, CustomerFigures, SearchText, UserChange, UserDetails, UserList, details
from ordermill.api.visit import visit_of

router = APIRouter(tags=["users"])

QUIETLY = "Thank you. What comes next is in a mail to this address."
_PASSWORDS = ("password_too_short", "password_too_long", "password_common", "password_personal")
Currency = Annotated[
    str | None, Query(min_length=3, max_length=3, description="An ISO 4217 code; by default the shop's own.", examples=["EUR"])
]


@router.post(
    "/users",
    status_code=201,
    response_model=UserResponse,
    responses={
        202: {"model": Accepted, "description": "With `ORDERMILL_REGISTRATION=neutral`, whether or not the address is known."},
        **refusals("email_taken", "too_many_attempts", *_PASSWORDS),
    },
    summary="Register",
)
async def register_user(draft: UserCreate, services: ServicesDep, request: Request) -> Any:
    """
    Make an account. A link that verifies the address is mailed.

    An address that is known from orders gets that customer's account; its older orders show once the address is verified.
    """
    await services.throttles.admit("register", email=draft.email, address=visit_of(request.scope).address)
    if services.settings.registration == "neutral":
        await services.accounts.register_quietly(draft)
        return Response(Accepted(detail=QUIETLY).model_dump_json(), status_code=202, media_type="application/json")
    return await services.accounts.register(draft)


@router.get(
    "/users",
    response_model=UserList,
    responses={200: {"headers": NEXT_LINK}, **refusals("cursor_invalid")},
    summary="Search accounts",
)
async def list_users(  # noqa: PLR0913  # each is a part of the request
    services: ServicesDep,
    principal: Reader,
    paging: PagingDep,
    *,
    email: Annotated[SearchText | None, Query(description="The beginning of the address.", examples=["ada@"])] = None,
    name: Annotated[SearchText | None, Query(description="A part of the name.", examples=["lovelace"])] = None,
    is_staff: bool | None = None,
    is_active: bool | None = None,
    claimed: Annotated[bool | None, Query(description="Whether somebody can sign in with it.")] = None,
) -> Any:
    """Search accounts; in the order of their ids, erased ones left out."""
    wanted = UserFilter(email=email, name=name, is_staff=is_staff, is_active=is_active, claimed=claimed)
    behind = paging.behind(int, principal=principal)
    page = await services.accounts.search(wanted, limit=paging.limit, after=behind[0] if behind else None)
    return paging.listed(page, key=lambda user: (user.id or 0,), shape=details, principal=principal)


@router.get("/users/{id}", response_model=UserDetails, responses=refusals("user_not_found"), summary="Show a user")
async def get_user(id: RowId, services: ServicesDep, _: Reader, response: Response) -> Any:
    """Show one account."""
    user = await services.accounts.get(id)
    response.headers["ETag"] = etag(user.version)
    return user


@router.patch(
    "/users/{id}",
    response_model=UserDetails,
    responses=refusals("user_not_found", "own_account", "last_staff", "stale_version"),
    summary="Activate or deactivate a user",
)
async def change_user(  # noqa: PLR0913  # each is a part of the request
    id: RowId,
    change: UserChange,
    services: ServicesDep,
    principal: Staff,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> Any:
    """
    Close an account, or open it again.

    Whoever is closed out is signed out everywhere, and their access token shows them nothing. `If-Match` may be left out
    here: closed is closed, whatever else was changed. Who is staff is set by `ordermill users set-staff`.
    """
    version = None if if_match is None else expected_version(if_match, what="The user")
    user = await services.accounts.set_active(id, active=change.is_active, actor=principal.actor, version=version)
    response.headers["ETag"] = etag(user.version)
    return user


@router.get(
    "/users/{id}/statistics",
    response_model=CustomerFigures,
    responses=refusals("user_not_found", "unknown_currency"),
    summary="A customer in numbers",
)
async def user_statistics(id: RowId, services: ServicesDep, _: Reader, *, currency: Currency = None) -> Any:
    """Add up a customer's orders in one currency; cancelled ones are left out."""
    user = await services.accounts.get(id)
    chosen = currency or services.settings.currency
    return CustomerFigures.of(user, await services.statistics.customer(id, currency=chosen))
