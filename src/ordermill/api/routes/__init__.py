"""The routes, one module per noun; `ROUTERS` is all of them, in the order in which they are asked."""

from typing import Final

from fastapi import APIRouter

from ordermill.api.pages import router as pages
from ordermill.api.routes import (
    api_keys,
    auth,
    discounts,
    documentation,
    imports,
    links,
    me,
    money,
    operations,
    orders,
    placing,
    privacy,
    products,
    users,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    placing.router,  # the routes that are asked most come first: a request is held against one after the other
    orders.router,
    auth.router,
    api_keys.router,
    links.router,
    me.router,  # before `users`: /users/me is no id
    privacy.router,
    users.router,
    products.router,
    discounts.router,
    money.router,
    imports.router,
    operations.router,
    documentation.router,
    pages,
)

# Paths whose bodies are files: they have a limit of their own, and time as long as bytes keep coming.
UPLOADS: Final[frozenset[str]] = frozenset({"/imports"})
