"""
What routes ask for: services, and who is asking.

    async def show(id: RowId, services: ServicesDep, principal: Reader) -> …

Who is asking is found out, and refused with 401 or 403, before the body is read or anything else is looked at: `guard`
asks a route's gates first, and FastAPI then finds the answer here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Path
from pydantic import BeforeValidator
from starlette.requests import Request

from ordermill.accounts.principal import Principal, Scope
from ordermill.api.visit import visit_of
from ordermill.bootstrap import Services
from ordermill.kit.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from starlette.types import Scope as AsgiScope


async def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]


async def authenticated(request: Request) -> Principal | None:
    """
    Return who sent the request; None when it says nothing about that. Asked once a request, however often it is called.

    Raises:
        Forbidden: `unauthenticated`; what it says about that is not valid.
    """
    visit = visit_of(request.scope)
    if not visit.authenticated:
        credentials = _bearer(request.scope)
        if credentials is not None:
            found = await services(request)
            visit.principal = await found.access.authenticate(credentials)
        visit.authenticated = True
    return visit.principal


@dataclass(frozen=True)
class Gate:
    """
    A dependency that lets some through: `SignedIn` and its like, below.

    Args:
        name: stands in the matrix of roles and routes, and in the documentation.
        sentence: what the others are told.
        schemes: how one who may come in can show it, for the documentation.
    """

    name: str
    admits: Callable[[Principal], bool]
    sentence: str
    schemes: tuple[str, ...] = ("user", "key")

    async def __call__(self, request: Request) -> Principal:
        principal = await authenticated(request)
        if principal is None:
            raise Forbidden(
                "Sign in first: send the header Authorization with an access token or API key.", code="unauthenticated"
            )
        if not self.admits(principal):
            raise Forbidden(self.sentence)
        return principal


@dataclass(frozen=True)
class OpenGate:
    """Lets everybody through, and says who they are when they say so; credentials that are not valid are refused."""

    name: str = "anyone"
    schemes: tuple[str, ...] = ("user", "key")

    async def __call__(self, request: Request) -> Principal | None:
        return await authenticated(request)


@dataclass(frozen=True)
class OperatorGate:
    """
    Lets through who may see documentation and metrics: whoever is on this machine, else as `ORDERMILL_DOCS` says.

    Raises:
        NotFound: nobody from elsewhere may.
    """

    name: str = "operator"
    schemes: tuple[str, ...] = ("user", "key")

    async def __call__(self, request: Request) -> None:
        found = await services(request)
        if visit_of(request.scope).on_this_machine or found.settings.docs == "public":
            return
        if found.settings.docs == "off":
            raise NotFound("There is no such thing.")
        await READER(request)


SIGNED_IN: Final = Gate(
    "signed_in", lambda one: one.user_id is not None, "This is for people who sign in, not for API keys.", ("user",)
)
BUYER: Final = Gate("buyer", lambda one: one.scope is not Scope.READ, "This is not for API keys that only read.")
STAFF: Final = Gate("staff", lambda one: one.acts_as_staff, "This is for staff.")
READER: Final = Gate("reader", lambda one: one.reads_as_staff, "This is for staff, and for API keys that read.")
VIEWER: Final = Gate(
    "viewer", lambda one: one.user_id is not None or one.reads_as_staff, "This is not for API keys that only place orders."
)
CHANGER: Final = Gate(
    "changer",
    lambda one: one.user_id is not None or one.acts_as_staff,
    "This is for customers, about their own, and for staff.",
)
ANYONE: Final = OpenGate()
OPERATOR: Final = OperatorGate()

# Routes with this tag are asked by machines all the time, and count against nobody's quota.
OPERATIONS: Final = "operations"

SignedIn = Annotated[Principal, Depends(SIGNED_IN)]
Buyer = Annotated[Principal, Depends(BUYER)]
Staff = Annotated[Principal, Depends(STAFF)]
Reader = Annotated[Principal, Depends(READER)]
Viewer = Annotated[Principal, Depends(VIEWER)]
Changer = Annotated[Principal, Depends(CHANGER)]
Anyone = Annotated[Principal | None, Depends(ANYONE)]


def _digits(value: Any) -> Any:
    # One id, one address: "+7", "7.0", "0007" and digits of other scripts are no other spellings of 7.
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and (value[0] != "0")):
        raise ValueError("Write a number.")
    return value


# Whatever cannot be an id stands for nothing and is a 404, as `problems` decides for all path parameters.
RowId = Annotated[int, BeforeValidator(_digits), Path(ge=1, lt=2**63, examples=[7])]
EntityId = Annotated[UUID, Path(examples=["0192f1c4-7a1e-7000-8000-000000000001"])]


def _bearer(scope: "AsgiScope") -> str | None:
    """
    Return what stands behind "Bearer "; None without the header.

    Raises:
        Forbidden: `unauthenticated`; the header says something else.
    """
    sent: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if not sent:
        return None
    scheme, _, credentials = sent[0].decode("latin-1").partition(" ")
    if len(sent) > 1 or scheme.lower() != "bearer" or not credentials.strip():
        raise Forbidden("Write the header as `Authorization: Bearer CREDENTIALS`.", code="unauthenticated")
    return credentials.strip()
