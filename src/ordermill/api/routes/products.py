"""Products over HTTP: anyone sees what is for sale, staff see and change all of it."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from ordermill.accounts.principal import Principal
from ordermill.api.deps import Anyone, RowId, ServicesDep, Staff
from ordermill.api.etags import IfMatch, IfNoneMatch, matches, still_current
from ordermill.api.paging import NEXT_LINK, PagingDep
from ordermill.api.problems import refusals
from ordermill.api.schemas.catalogue import ProductChange, ProductCreate, ProductList, ProductResponse
from ordermill.catalogue.model import Product
from ordermill.catalogue.ports import ProductFilter
from ordermill.catalogue.shape import product_shape

router = APIRouter(tags=["products"])

WITH_ETAG: dict[str, Any] = {
    "ETag": {"description": "Changes with the product and its stock; for If-Match.", "schema": {"type": "string"}}
}
_FAULTS = ("price_missing", "too_many_decimals", "unknown_currency")


@router.get(
    "/products",
    response_model=ProductList,
    responses={200: {"headers": NEXT_LINK}, **refusals("cursor_invalid")},
    summary="List products",
)
async def list_products(  # noqa: PLR0913  # each is a part of the request
    services: ServicesDep,
    principal: Anyone,
    paging: PagingDep,
    *,
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=255, description="Each word begins a word of the name.", examples=["gre tea"]),
    ] = None,
    sku: Annotated[str | None, Query(min_length=1, max_length=64, description="Exactly this SKU.", examples=["TEA-1"])] = None,
    is_active: Annotated[bool | None, Query(description="For staff; everybody else sees what is for sale.")] = None,
) -> Any:
    """List products in the order of their ids: what is for sale, and for staff all of them. Every filter must hold."""
    staff = _staff(principal)
    asker = principal if staff else None
    behind = paging.behind(int, principal=asker)
    if not staff and is_active is False:
        return {"data": [], "has_more": False, "next_cursor": None}
    wanted = ProductFilter(is_active=is_active if staff else True, sku=sku, words=q)
    page = await services.products.page(wanted, limit=paging.limit, after=behind[0] if behind else None)
    return paging.listed(page, key=lambda product: (product.id or 0,), shape=product_shape, principal=asker)


@router.get(
    "/products/{id}",
    response_model=ProductResponse,
    responses={
        200: {"headers": WITH_ETAG},
        304: {"description": "What you have is current."},
        **refusals("product_not_found"),
    },
    summary="Show a product",
)
async def get_product(
    id: RowId, services: ServicesDep, principal: Anyone, response: Response, *, if_none_match: IfNoneMatch = None
) -> Any:
    """Show a product. One that is not for sale is there for staff only."""
    product = await services.products.get(id, hidden=_staff(principal))
    if still_current(if_none_match, _tag(product)):
        return Response(status_code=304, headers={"ETag": _tag(product)})
    return _shown(product, response)


@router.post(
    "/products",
    status_code=201,
    response_model=ProductResponse,
    responses={
        201: {"headers": {**WITH_ETAG, "Location": {"description": "Where it is.", "schema": {"type": "string"}}}},
        **refusals("sku_taken", *_FAULTS[1:]),
    },
    summary="Add a product",
)
async def create_product(draft: ProductCreate, services: ServicesDep, principal: Staff, response: Response) -> Any:
    """Put a product into the catalogue; the price is in the shop's currency where none is named."""
    product = await services.products.create(draft, actor=principal.actor)
    response.headers["Location"] = f"/products/{product.id}"
    return _shown(product, response)


@router.patch(
    "/products/{id}",
    response_model=ProductResponse,
    responses={
        200: {"headers": WITH_ETAG},
        **refusals(
            "product_not_found", "sku_taken", "stock_not_tracked", "stock_too_low", "stock_too_high", "stale_version", *_FAULTS
        ),
    },
    summary="Change a product",
)
async def change_product(  # noqa: PLR0913  # each is a part of the request
    id: RowId,
    draft: ProductChange,
    services: ServicesDep,
    principal: Staff,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> Any:
    """
    Change what is named, and leave the rest.

    `stock` says how much there is, `stock_change` how much came: orders that take stock at the same moment are counted either
    way. `If-Match` may be left out; with it, nothing happens unless product and stock still are as you have read them.
    """
    product = await services.products.change(id, draft, actor=principal.actor, expected=_expected(if_match))
    return _shown(product, response)


@router.delete(
    "/products/{id}",
    response_model=ProductResponse,
    responses={
        200: {"headers": WITH_ETAG, "description": "Orders speak of it: it stays, and is not for sale any more."},
        204: {"description": "Nothing was ever bought of it: it is gone."},
        **refusals("product_not_found", "stale_version"),
    },
    summary="Remove a product",
)
async def remove_product(
    id: RowId, services: ServicesDep, principal: Staff, response: Response, *, if_match: IfMatch = None
) -> Any:
    """Take a product out of the catalogue; 200 with the product where it stays because of its orders, 204 where it is gone."""
    left = await services.products.remove(id, actor=principal.actor, expected=_expected(if_match))
    return Response(status_code=204) if left is None else _shown(left, response)


def _staff(principal: Principal | None) -> bool:
    return principal is not None and principal.reads_as_staff


def _shown(product: Product, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = _tag(product)
    return product_shape(product)


def _tag(product: Product) -> str:
    # The stock too: buyers take it without a new version, and it is part of what is shown.
    stock = "" if product.stock is None else f".{product.stock}"
    return f'"{product.version}{stock}"'


def _expected(if_match: str | None) -> Callable[[Product], bool] | None:
    if if_match is None or if_match.strip() == "*":
        return None
    return lambda product: matches(if_match, _tag(product))
