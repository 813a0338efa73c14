"""
The order backend that starts with one command.

The names below are the Python interface. Each is imported when it is first asked for, so that
`import ordermill` itself stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ordermill.accounts.drafts import UserCreate, UserResponse
    from ordermill.accounts.passwords import hash_password, verify_password
    from ordermill.accounts.tokens import create_access_token, decode_access_token
    from ordermill.kit.concurrency import (
        Page,
        gather_with_concurrency,
        iterate_pages,
        map_as_completed,
        map_concurrently,
    )
    from ordermill.kit.errors import Conflict, Forbidden, Invalid, NotFound, ServiceError, Unavailable
    from ordermill.kit.ports import CacheProtocol, Repository, UnitOfWork
    from ordermill.kit.results import ServiceResult
    from ordermill.orders.draft import OrderCreate, OrderItem

__version__ = "0.1.0"

__all__ = [
    "CacheProtocol",
    "Conflict",
    "Forbidden",
    "Invalid",
    "NotFound",
    "OrderCreate",
    "OrderItem",
    "Page",
    "Repository",
    "ServiceError",
    "ServiceResult",
    "Unavailable",
    "UnitOfWork",
    "UserCreate",
    "UserResponse",
    "create_access_token",
    "decode_access_token",
    "gather_with_concurrency",
    "hash_password",
    "iterate_pages",
    "map_as_completed",
    "map_concurrently",
    "verify_password",
]

_PLACES = {
    "accounts.drafts": ("UserCreate", "UserResponse"),
    "accounts.passwords": ("hash_password", "verify_password"),
    "accounts.tokens": ("create_access_token", "decode_access_token"),
    "kit.concurrency": ("Page", "gather_with_concurrency", "iterate_pages", "map_as_completed", "map_concurrently"),
    "kit.errors": ("Conflict", "Forbidden", "Invalid", "NotFound", "ServiceError", "Unavailable"),
    "kit.ports": ("CacheProtocol", "Repository", "UnitOfWork"),
    "kit.results": ("ServiceResult",),
    "orders.draft": ("OrderCreate", "OrderItem"),
}
_MODULES = {name: f"ordermill.{module}" for module, names in _PLACES.items() for name in names}


if not TYPE_CHECKING:  # which would take any name to exist

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module 'ordermill' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
