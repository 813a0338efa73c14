"""Money of orders: payments and refunds that happened elsewhere, recorded and listed. No money is moved by it."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from ordermill.accounts.principal import Principal
from ordermill.api.deps import EntityId, Reader, ServicesDep, Staff
from ordermill.api.etags import IfMatch, expected_version
from ordermill.api.idempotency import REPLAYED, IdempotencyKey, answer_of
from ordermill.api.paging import NEXT_LINK, PagingDep
from ordermill.api.problems import refusals
from ordermill.api.schemas.orders import MovementList, RecordedMovement
from ordermill.orders.amendment import MovementCreate
from ordermill.orders.idempotency import Once
from ordermill.orders.shape import movement_shape

router = APIRouter(tags=["payments"])

_REFUSALS = (
    "order_not_found", "stale_version", "amount_not_positive", "too_many_decimals", "amount_too_large", "time_out_of_range",
    "idempotency_key_malformed", "idempotency_key_reused", "idempotency_in_flight",
)  # fmt: skip


@router.post(
    "/orders/{id}/payments",
    status_code=201,
    response_model=RecordedMovement,
    responses={201: {"headers": REPLAYED}, **refusals(*_REFUSALS)},
    summary="Record a payment",
)
async def record_payment(  # noqa: PLR0913  # each is a part of the request
    id: EntityId,
    payment: MovementCreate,
    services: ServicesDep,
    principal: Staff,
    *,
    key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """
    Record money that was received; what was paid and the state of payment follow.

    Send an Idempotency-Key, and it is recorded once however often you ask. With If-Match, only if the order is as you know it.
    """
    answer = await services.desk.record_payment(
        id,
        payment.draft(),
        by=principal,
        version=_version(if_match),
        once=_once(f"/orders/{id}/payments", principal, key, payment),
    )
    return answer_of(answer, status=201)


@router.post(
    "/orders/{id}/refunds",
    status_code=201,
    response_model=RecordedMovement,
    responses={201: {"headers": REPLAYED}, **refusals(*_REFUSALS, "refund_too_large")},
    summary="Record a refund",
)
async def record_refund(  # noqa: PLR0913  # each is a part of the request
    id: EntityId,
    refund: MovementCreate,
    services: ServicesDep,
    principal: Staff,
    *,
    key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """
    Record money that was given back, never more than was received; it counts in the month in which it happened.

    Idempotency-Key and If-Match are as for payments.
    """
    answer = await services.desk.record_refund(
        id,
        refund.draft(),
        by=principal,
        version=_version(if_match),
        once=_once(f"/orders/{id}/refunds", principal, key, refund),
    )
    return answer_of(answer, status=201)


@router.get(
    "/orders/{id}/payments",
    response_model=MovementList,
    responses={200: {"headers": NEXT_LINK}, **refusals("order_not_found", "cursor_invalid")},
    summary="List payments of an order",
)
async def list_payments(id: EntityId, services: ServicesDep, principal: Reader, paging: PagingDep) -> Any:
    """List what was received for an order, first things first."""
    behind = paging.behind(UUID, principal=principal)
    page = await services.reading.payments(id, by=principal, limit=paging.limit, after=behind[0] if behind else None)
    return paging.listed(page, key=lambda movement: (movement.id,), shape=movement_shape, principal=principal)


@router.get(
    "/orders/{id}/refunds",
    response_model=MovementList,
    responses={200: {"headers": NEXT_LINK}, **refusals("order_not_found", "cursor_invalid")},
    summary="List refunds of an order",
)
async def list_refunds(id: EntityId, services: ServicesDep, principal: Reader, paging: PagingDep) -> Any:
    """List what was given back of an order, first things first."""
    behind = paging.behind(UUID, principal=principal)
    page = await services.reading.refunds(id, by=principal, limit=paging.limit, after=behind[0] if behind else None)
    return paging.listed(page, key=lambda movement: (movement.id,), shape=movement_shape, principal=principal)


def _version(if_match: str | None) -> int | None:
    return None if if_match is None else expected_version(if_match, what="The order")


def _once(route: str, principal: Principal, key: str | None, said: MovementCreate) -> Once | None:
    return None if key is None else Once.of(principal, f"POST {route}", key, content=said.model_dump_json())
