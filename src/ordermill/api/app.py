"""
The application: its routes, what stands before them, and its life.

    middleware   request ids, log, metrics, bugs → CORS → HEAD and OPTIONS → time and size of requests
    guard        who is asking, how often, what kind of body
    routes       one module per noun
    problems     every refusal

Not here: how it is served (`ordermill serve`, `asgi`).
"""

import os
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute

from ordermill import __version__
from ordermill.api import problems
from ordermill.api.guard import guard
from ordermill.api.metrics import Metrics
from ordermill.api.middleware.cors import Cors
from ordermill.api.middleware.limits import Limits
from ordermill.api.middleware.methods import Methods
from ordermill.api.middleware.requests import Requests
from ordermill.api.readiness import Readiness
from ordermill.api.routes import ROUTERS
from ordermill.bootstrap import open_services
from ordermill.config import DatabaseUrl, Settings, make_room
from ordermill.kit.clock import Clock, SystemClock
from ordermill.kit.locks import alone
from ordermill.kit.rates import Quota

_MINUTE_S = 60


def create_app(settings: Settings, *, create: bool = False, clock: Clock | None = None) -> FastAPI:
    """
    Put the API together; nothing is opened before its lifespan begins.

    Args:
        create: make a new embedded book when there is none.
        clock: tells the time to all services; the system's by default.
    """
    clock = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with _only_server(settings.database):
            async with open_services(settings, create=create, clock=clock) as services:
                _ = services.keyring  # a book without the secret that tokens need is refused now, not at the first sign-in
                services.start()
                app.state.services = services
                metrics.watch(services.load)
                yield

    app = FastAPI(
        title="Ordermill",
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_name,
    )
    app.state.metrics = metrics = Metrics()
    app.state.readiness = Readiness()
    problems.install(app)
    # Each is put around those before it.
    app.add_middleware(Limits, settings=settings)
    app.add_middleware(Methods)
    if settings.cors_origins:
        app.add_middleware(Cors, origins=settings.cors_origins)
    app.add_middleware(Requests, settings=settings, metrics=metrics, clock=clock)
    quota = Quota("default", count=settings.rate_limit, window_s=_MINUTE_S)
    routes = [route for router in ROUTERS for route in router.routes]
    written_out = {path for route in routes if "{" not in (path := getattr(route, "path", ""))}
    app.router.routes.extend(guard(route, quota=quota, written_out=written_out) for route in routes)
    return app


def _name(route: APIRoute) -> str:
    return route.name


def _only_server(url: DatabaseUrl) -> AbstractContextManager[None]:
    """Be the one server of an embedded book: a second would keep limits and the queue of writers apart from ours."""
    if not url.embedded:
        return nullcontext()
    make_room(Path(url.path))
    return alone(Path(f"{os.path.realpath(url.path)}.lock"))
