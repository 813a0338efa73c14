"""Placing orders, and what they would cost. Orders that are there: orders."""

from typing import Any, Final

from fastapi import APIRouter, Response

from ordermill.api.deps import Buyer, ServicesDep
from ordermill.api.etags import etag
from ordermill.api.idempotency import REPLAYED, IdempotencyKey, answer_of
from ordermill.api.problems import refusals
from ordermill.api.rates import counting_guesses
from ordermill.api.schemas.orders import OrderResponse
from ordermill.api.schemas.placing import BasketSent, OrderSent, QuoteResponse
from ordermill.orders.idempotency import Answer, Once

router = APIRouter(tags=["orders"])

_ROUTE: Final = "POST /orders"
_PRICING: Final = (
    "account_inactive", "field_not_allowed", "product_not_found", "too_many_items", "quantity_too_large",
    "currency_mismatch", "price_changed", "discount_not_applicable", "too_many_decimals", "amount_too_large",
)  # fmt: skip
_HEADERS: Final[dict[str, Any]] = {
    "Location": {"description": "The order.", "schema": {"type": "string"}},
    "ETag": {"description": "The order's version, for If-Match.", "schema": {"type": "string"}},
    **REPLAYED,
}


@router.post(
    "/orders",
    status_code=201,
    response_model=OrderResponse,
    responses={
        201: {"headers": _HEADERS},
        **refusals(
            *_PRICING, "out_of_stock", "idempotency_key_missing", "idempotency_key_malformed", "idempotency_key_reused",
            "idempotency_in_flight",
        ),
    },
    summary="Place an order",
)  # fmt: skip
async def place_order(draft: OrderSent, services: ServicesDep, principal: Buyer, *, key: IdempotencyKey) -> Response:
    """
    Place an order: stock is taken and the discount used in the same moment.

    Send an Idempotency-Key, a new one for each order, and send the same request again whenever you did not get the answer: one
    order comes of it. Storefront keys must send one.
    """
    once = None if key is None else Once.of(principal, _ROUTE, key, content=draft.model_dump_json())
    async with counting_guesses(draft, services, principal):
        placed = await services.placing.place(draft, by=principal, once=once)
    headers = {"Location": f"/orders/{placed.id}", "ETag": etag(1)}
    return answer_of(Answer(placed.body, replayed=placed.replayed), status=201, headers=headers)


@router.post("/orders/quote", response_model=QuoteResponse, responses=refusals(*_PRICING), summary="Price a basket")
async def quote_order(basket: BasketSent, services: ServicesDep, principal: Buyer) -> Any:
    """Say what an order would cost, and whether everything is there. Nothing changes, and nothing is reserved."""
    async with counting_guesses(basket, services, principal):
        return await services.placing.quote(basket, by=principal)
