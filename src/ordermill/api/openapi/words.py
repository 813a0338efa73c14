"""What the description says in words: about the whole, each noun, headers that many answers have, and who may do what."""

from collections.abc import Mapping
from typing import Any, Final

DESCRIPTION: Final = """\
Everything a shop needs around accounts and orders.

- **Amounts** are strings with the currency's decimals, such as `"4.50"`; moments are RFC 3339 in UTC.
- **Refusals** are `application/problem+json` (RFC 9457). A program decides by `code`, which never changes its meaning.
- **Lists** answer `data`, `has_more` and `next_cursor`; the next page begins at
  `cursor=next_cursor`, with the same filters.
- **`Idempotency-Key`** lets you send a request again when you did not get the answer: what it asks for is done once.
- **`ETag` and `If-Match`** keep two people from overwriting each other's changes.
- Fields that a route does not know are refused.
"""

SERVERS: Final = ({"url": "/", "description": "The server that this description comes from."},)

TAGS: Final[Mapping[str, str]] = {
    "auth": "Signing in, staying signed in, signing out; links that verify an address or reset a password.",
    "api-keys": "How a shop's own programs come in: keys with a scope.",
    "users": "Accounts: one's own, and all of them for staff.",
    "products": "What is for sale, and how much of it is there.",
    "discounts": "Codes that make an order cheaper, with limits that hold however many use them at once.",
    "orders": "Priced, placed, read and changed.",
    "payments": "Money of orders that was received and given back elsewhere; no money is moved by recording it.",
    "imports": "Order files of other shops, brought in once and only once, and taken back.",
    "operations": "What machines ask that watch over the server.",
}

# By the name of a route's gate.
WHO: Final[Mapping[str, str]] = {
    "signed_in": "For people who sign in, about their own account.",
    "buyer": "For people who sign in, and API keys of the scopes storefront and staff.",
    "staff": "For staff, and API keys of the scope staff.",
    "reader": "For staff, and API keys of the scopes read and staff.",
    "viewer": "For people who sign in, about their own; for staff and keys of the scopes read and staff, about everybody's.",
    "changer": "For people who sign in, about their own; for staff and keys of the scope staff, about everybody's.",
    "any_principal": "For all who sign in, and every API key.",
    "anyone": "For anyone; staff may see more.",
    "operator": "For whoever is on the server's own machine; for others as ORDERMILL_DOCS says.",
}

SCHEMES: Final[Mapping[str, Any]] = {
    "user": {
        "type": "oauth2",
        "description": "A person: sign in at `/auth/token`. Tokens last 15 minutes and are renewed at `/auth/refresh`.",
        "flows": {"password": {"tokenUrl": "/auth/token", "refreshUrl": "/auth/refresh", "scopes": {}}},
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "om_…",
        "description": "A program: an API key, made at `/api-keys` or by `ordermill keys create`.",
    },
}

# The program's word for a schema, and the one it goes by outside.
NAMES: Final[Mapping[str, str]] = {"Status": "OrderStatus", "Scope": "ApiKeyScope"}


def _header(description: str, *, required: bool = True, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": required, "schema": {"type": "string", **schema}}


HEADERS: Final[Mapping[str, Any]] = {
    "X-Request-ID": _header("What the server's log has this request under.", examples=["0192f1c4-7a1e-7000-8000-000000000009"]),
    "RateLimit": _header(
        "What is left of the quota, and after how many seconds there is more.", examples=['"default";r=599;t=0']
    ),
    "RateLimit-Policy": _header("The quota: how many requests in how many seconds.", examples=['"default";q=600;w=60']),
    "Retry-After": _header("Seconds to wait before the next try.", type="integer", minimum=1, examples=[2]),
    "WWW-Authenticate": _header("How to say who is asking (RFC 6750).", examples=["Bearer"]),
}
