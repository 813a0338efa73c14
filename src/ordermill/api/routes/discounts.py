"""Discounts over HTTP, for staff. Using one: placing."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from ordermill.api.deps import Reader, RowId, ServicesDep, Staff
from ordermill.api.paging import NEXT_LINK, PagingDep
from ordermill.api.problems import refusals
from ordermill.api.schemas.catalogue import DiscountChange, DiscountCreate, DiscountList, DiscountResponse
from ordermill.catalogue.ports import DiscountFilter
from ordermill.catalogue.shape import discount_shape

router = APIRouter(tags=["discounts"])

_FAULTS = (
    "amount_not_positive", "currency_missing", "ends_before_start", "percent_too_large", "too_many_decimals", "unknown_currency"
)  # fmt: skip


@router.get(
    "/discounts",
    response_model=DiscountList,
    responses={200: {"headers": NEXT_LINK}, **refusals("cursor_invalid")},
    summary="List discounts",
)
async def list_discounts(
    services: ServicesDep,
    principal: Reader,
    paging: PagingDep,
    *,
    code: Annotated[
        str | None, Query(min_length=1, max_length=10, description="Exactly this code.", examples=["SPRING10"])
    ] = None,
    is_active: bool | None = None,
) -> Any:
    """List discounts in the order of their ids. Every filter that is given must hold."""
    behind = paging.behind(int, principal=principal)
    wanted = DiscountFilter(is_active=is_active, code=code)
    page = await services.discounts.page(wanted, limit=paging.limit, after=behind[0] if behind else None)
    return paging.listed(page, key=lambda discount: (discount.id or 0,), shape=discount_shape, principal=principal)


@router.get(
    "/discounts/{id}", response_model=DiscountResponse, responses=refusals("discount_not_found"), summary="Show a discount"
)
async def get_discount(id: RowId, services: ServicesDep, _: Reader) -> Any:
    """Show a discount; `uses` counts the orders placed with it and not cancelled."""
    return discount_shape(await services.discounts.get(id))


@router.post(
    "/discounts",
    status_code=201,
    response_model=DiscountResponse,
    responses={
        201: {"headers": {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}},
        **refusals("discount_code_taken", *_FAULTS),
    },
    summary="Add a discount",
)
async def create_discount(draft: DiscountCreate, services: ServicesDep, principal: Staff, response: Response) -> Any:
    """Make a discount. It holds from `starts_at`, and before `ends_at`."""
    discount = await services.discounts.create(draft, actor=principal.actor)
    response.headers["Location"] = f"/discounts/{discount.id}"
    return discount_shape(discount)


@router.patch(
    "/discounts/{id}",
    response_model=DiscountResponse,
    responses=refusals("discount_not_found", "discount_code_taken", "value_missing", "minimum_missing", *_FAULTS),
    summary="Change a discount",
)
async def change_discount(id: RowId, draft: DiscountChange, services: ServicesDep, principal: Staff) -> Any:
    """
    Change what is named, and leave the rest; null takes a limit off.

    Orders that were placed keep what they got. Limits below what was used already only stop further use.
    """
    return discount_shape(await services.discounts.change(id, draft, actor=principal.actor))
