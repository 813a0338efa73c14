"""
Lists over HTTP: `limit` and `cursor` in, `{"data", "has_more", "next_cursor"}` and `Link: <…>; rel="next"` out.

    @router.get("/products")
    async def list_products(services: ServicesDep, paging: PagingDep) -> ProductList:
        behind = paging.behind(int, principal=None)
        page = await services.products.page(wanted, limit=paging.limit, after=behind and behind[0])
        return ProductList.model_validate(paging.listed(page, key=lambda product: (product.id,), shape=…, principal=None))

A cursor is bound to the principal, the path and every other query parameter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from ordermill.accounts.principal import Principal
from ordermill.api.cursors import Value, seal, unseal
from ordermill.bootstrap import Services
from ordermill.kit.pages import Page

T = TypeVar("T")

PURPOSE: Final = "cursors"
DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="As many rows as a page has at most.")]
Cursor = Annotated[
    str | None,
    Query(description="`next_cursor` of the page before, with the same filters. None begins at the top.", examples=[None]),
]
NEXT_LINK: Final = {
    "Link": {
        "description": 'Where the next page is, `<…>; rel="next"` (RFC 8288); absent on the last one.',
        "schema": {"type": "string"},
    }
}


class Listed(BaseModel, Generic[T]):
    """A page of a list; give a subclass of it the list's own name."""

    data: list[T]
    has_more: bool = Field(description="Whether another page follows.")
    next_cursor: str | None = Field(description="What to send as `cursor` to get it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where in a list the request is."""

    limit: int
    cursor: str | None
    request: Request
    response: Response
    services: Services

    def behind(self, *kinds: type[Value], principal: Principal | None) -> tuple[Any, ...] | None:
        """
        Return the values behind which this page begins; None for the first page.

        Args:
            kinds: the types that the list is sorted by.
            principal: who asks; None where anyone may.

        Raises:
            CursorInvalid: the cursor is not of this list.
        """
        if self.cursor is None:
            return None
        keys, now = self.services.keyring.derive(PURPOSE), self.services.clock.now()
        return unseal(self.cursor, keys=keys, bound_to=self._binding(principal), kinds=kinds, now=now)

    def next_cursor(self, last: Sequence[Value] | None, *, principal: Principal | None) -> str | None:
        """Return the cursor behind the row with the values `last`; None where there is no next page."""
        if last is None:
            return None
        return seal(last, keys=self.services.keyring.derive(PURPOSE), bound_to=self._binding(principal))

    def link(self, cursor: str | None) -> dict[str, str]:
        """Return the `Link` header that leads to the next page; relative, since a proxy may serve us under another name."""
        if cursor is None:
            return {}
        query = urlencode([*self._filters(), ("limit", str(self.limit)), ("cursor", cursor)])
        return {"Link": f'<{self.request.url.path}?{query}>; rel="next"'}

    def listed(
        self,
        page: Page[T],
        *,
        key: Callable[[T], Sequence[Value]],
        shape: Callable[[T], Any],
        principal: Principal | None,
    ) -> dict[str, Any]:
        """
        Return the answer's three fields and set its `Link`.

        Args:
            key: the values that the list is sorted by, of a row.
            shape: what is shown of a row.
        """
        last = page.last
        cursor = self.next_cursor(None if last is None else key(last), principal=principal)
        self.response.headers.update(self.link(cursor))
        return {"data": [shape(row) for row in page.rows], "has_more": page.more, "next_cursor": cursor}

    def _binding(self, principal: Principal | None) -> list[str]:
        asker = "anyone" if principal is None else principal.actor
        return [asker, self.request.url.path, urlencode(sorted(self._filters()))]

    def _filters(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.request.query_params.multi_items() if name not in {"cursor", "limit"}]


async def paging(request: Request, response: Response, *, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Paging:
    return Paging(limit=limit, cursor=cursor, request=request, response=response, services=request.app.state.services)


PagingDep = Annotated[Paging, Depends(paging)]
