"""What is known of the request that is being answered, beside what ASGI says; the log, the limits and problems share it."""

from dataclasses import dataclass, field
from typing import Final

from starlette.types import Scope

from ordermill.accounts.principal import Principal

_KEY: Final = "ordermill.visit"


@dataclass(slots=True)
class Visit:
    """
    One request on its way through.

    Args:
        address: the client's, as far as trusted proxies tell it; "" where there is none.
        on_this_machine: it came from here, and through no proxy.
        template: the route's path, as "/orders/{id}", once it is found.
        headers: go out with whatever is answered.
    """

    request_id: str
    address: str
    on_this_machine: bool = False
    template: str | None = None
    principal: Principal | None = None
    authenticated: bool = False
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def visit_of(scope: Scope) -> Visit:
    """Return the visit of a request; one that came in past the middleware has none and gets an empty one."""
    found: Visit | None = scope.get(_KEY)
    return begin(scope, Visit(request_id="", address="")) if found is None else found


def begin(scope: Scope, visit: Visit) -> Visit:
    scope[_KEY] = visit
    return visit
