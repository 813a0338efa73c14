"""API keys: how a shop's own programs come in."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from ordermill.accounts.api_keys import ApiKeyCreate
from ordermill.api.deps import EntityId, ServicesDep, Staff
from ordermill.api.paging import NEXT_LINK, PagingDep
from ordermill.api.problems import refusals
from ordermill.api.schemas.api_keys import ApiKeyCreated, ApiKeyList, ApiKeyResponse

router = APIRouter(tags=["api-keys"])


@router.post("/api-keys", status_code=HTTPStatus.CREATED, summary="Make an API key")
async def create_api_key(body: ApiKeyCreate, services: ServicesDep, principal: Staff, response: Response) -> ApiKeyCreated:
    """Make a key for a program. Its secret is in this answer and nowhere else: only a hash of it is kept."""
    key, secret = await services.api_keys.create(body, actor=principal.actor)
    response.headers["Cache-Control"] = "no-store"
    return ApiKeyCreated(id=key.id, name=key.name, scope=key.scope, created_at=key.created_at, secret=secret)


@router.get(
    "/api-keys",
    response_model=ApiKeyList,
    summary="List API keys",
    responses={200: {"headers": NEXT_LINK}, **refusals("cursor_invalid")},
)
async def list_api_keys(services: ServicesDep, principal: Staff, paging: PagingDep) -> dict[str, Any]:
    """List the keys that work, in the order of their making."""
    behind = paging.behind(UUID, principal=principal)
    page = await services.api_keys.page(limit=paging.limit, after=behind[0] if behind else None)
    return paging.listed(page, key=lambda key: (key.id,), shape=ApiKeyResponse.model_validate, principal=principal)


@router.delete(
    "/api-keys/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Revoke an API key",
    responses=refusals("api_key_not_found"),
)
async def revoke_api_key(id: EntityId, services: ServicesDep, principal: Staff) -> None:
    """Let a key work no more, from its next request on."""
    await services.api_keys.revoke(id, actor=principal.actor)
