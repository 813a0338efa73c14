"""Orders that are there: listed, shown, changed, and what happened to them. Placing one: placing; its money: money."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Response

from ordermill.api.deps import Changer, EntityId, ServicesDep, Viewer
from ordermill.api.etags import IfMatch, IfNoneMatch, etag, expected_version, still_current
from ordermill.api.paging import NEXT_LINK, PagingDep
from ordermill.api.problems import refusals
from ordermill.api.schemas.orders import EventList, OrderList, OrderResponse
from ordermill.kit.fields import Moment
from ordermill.orders.amendment import OrderChange
from ordermill.orders.model import PaymentState, Status
from ordermill.orders.ports import OrderFilter, Place
from ordermill.orders.shape import event_shape, order_shape

router = APIRouter(tags=["orders"])

JSON = "application/json"
WITH_ETAG: dict[str, Any] = {"ETag": {"description": "The order's version, for If-Match.", "schema": {"type": "string"}}}
Text = Annotated[str | None, Query(min_length=1, max_length=254)]


@router.get(
    "/orders",
    response_model=OrderList,
    responses={200: {"headers": NEXT_LINK}, **refusals("cursor_invalid", "text_not_storable")},
    summary="List orders",
)
async def list_orders(  # noqa: PLR0913  # each is a filter
    services: ServicesDep,
    principal: Viewer,
    paging: PagingDep,
    *,
    status: Status | None = None,
    payment: PaymentState | None = None,
    channel: Text = None,
    customer: Annotated[Text, Query(description="The buyer's e-mail address; for staff.", examples=["ada@example.com"])] = None,
    number: Text = None,
    placed_from: Annotated[Moment | None, Query(description="Placed then or later.")] = None,
    placed_to: Annotated[Moment | None, Query(description="Placed before then.")] = None,
) -> Response:
    """List orders, latest placed first: a user's own, or all of them for staff. Every filter that is given must hold."""
    wanted = OrderFilter(
        status=status, payment=payment, channel=channel, customer=customer, number=number,
        placed_from=placed_from, placed_to=placed_to,
    )  # fmt: skip
    from_place = paging.behind(datetime, UUID, principal=principal)
    page = await services.reading.page(
        wanted, by=principal, limit=paging.limit, behind=None if from_place is None else Place(*from_place)
    )
    cursor = paging.next_cursor(None if page.last is None else page.last.place, principal=principal)
    # The orders are JSON already; only what stands around them is written here.
    rows = b",".join(seen.body for seen in page.rows)
    rest = b'"has_more":%b,"next_cursor":%b' % (orjson.dumps(page.more), orjson.dumps(cursor))
    return Response(b'{"data":[%b],%b}' % (rows, rest), media_type=JSON, headers=paging.link(cursor))


@router.get(
    "/orders/{id}",
    response_model=OrderResponse,
    responses={
        200: {"headers": WITH_ETAG},
        304: {"description": "The ETag sent in If-None-Match is still the order's."},
        **refusals("order_not_found"),
    },
    summary="Show an order",
)
async def get_order(id: EntityId, services: ServicesDep, principal: Viewer, *, if_none_match: IfNoneMatch = None) -> Response:
    """Show one order. One that is not yours is not there."""
    seen = await services.reading.one(id, by=principal)
    tag = etag(seen.version)
    if still_current(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(seen.body, media_type=JSON, headers={"ETag": tag})


@router.patch(
    "/orders/{id}",
    response_model=OrderResponse,
    responses={
        200: {"headers": WITH_ETAG},
        **refusals(
            "order_not_found", "stale_version", "precondition_required", "status_not_allowed", "addresses_settled", "forbidden"
        ),
    },
    summary="Change an order",
)
async def change_order(
    id: EntityId, change: OrderChange, services: ServicesDep, principal: Changer, *, if_match: IfMatch = None
) -> Response:
    """
    Change an order, based on the version that you have read.

    Customers: while it is pending, the addresses, or `status` cancelled. Staff: `status` from where it is, addresses until it
    is shipped, `note`, `carrier`, `tracking_number`. Nobody: items and amounts. What is said to be as it is changes nothing,
    not even the version.
    """
    version = expected_version(if_match, what="The order")
    order = await services.desk.amend(id, change, by=principal, version=version)
    return Response(orjson.dumps(order_shape(order)), media_type=JSON, headers={"ETag": etag(order.version)})


@router.get(
    "/orders/{id}/events",
    response_model=EventList,
    responses={200: {"headers": NEXT_LINK}, **refusals("order_not_found", "cursor_invalid")},
    summary="List what happened to an order",
)
async def list_order_events(id: EntityId, services: ServicesDep, principal: Viewer, paging: PagingDep) -> Any:
    """List what happened to an order, first things first."""
    behind = paging.behind(int, principal=principal)
    page = await services.reading.events(id, by=principal, limit=paging.limit, after=behind[0] if behind else 0)
    return paging.listed(page, key=lambda event: (event.sequence or 0,), shape=event_shape, principal=principal)
