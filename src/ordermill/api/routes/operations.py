"""What machines ask that watch over the server: is it alive, is it ready, how does it do."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from ordermill.api import metrics
from ordermill.api.deps import OPERATIONS, OPERATOR, ServicesDep
from ordermill.api.problems import problem, refusals
from ordermill.api.readiness import Readiness

router = APIRouter(tags=[OPERATIONS])

_FIGURES = 'ordermill_http_request_duration_seconds_count{method="GET",route="/orders/{id}",status="200"} 3.0\n'


class Health(BaseModel):
    """One word."""

    status: str = Field(examples=["alive", "ready"])


@router.get("/livez", summary="Is the process alive")
async def livez() -> Health:
    """Answer; nothing else is asked, least of all the database. Whoever gets no answer may start the process anew."""
    return Health(status="alive")


@router.get("/readyz", summary="Can requests be answered", response_model=Health, responses=refusals(503))
async def readyz(request: Request, services: ServicesDep) -> Health | Response:
    """Ask the database, and whether its schema is this program's; 503 while it is not, and while the server is stopping."""
    readiness: Readiness = request.app.state.readiness
    if readiness.stopping:
        return problem(request.scope, "unavailable", detail="The server is stopping.")
    if not await readiness.ask(services.require_ready):
        return problem(request.scope, "database_unavailable")
    return Health(status="ready")


@router.get(
    "/metrics",
    summary="Show the figures that Prometheus collects",
    response_class=Response,
    responses={200: {"content": {metrics.MEDIA_TYPE: {"schema": {"type": "string"}, "example": _FIGURES}}}},
    dependencies=[Depends(OPERATOR)],
)
async def show_metrics(request: Request) -> Response:
    """Return the figures of this process; of all workers together where one `ordermill serve` has several."""
    kept: metrics.Metrics = request.app.state.metrics
    return Response(kept.text(), media_type=metrics.MEDIA_TYPE)
