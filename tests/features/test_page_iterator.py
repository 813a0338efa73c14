"""The page iterator: one client for its whole life, pages when asked for, and an end."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from ordermill.kit.concurrency import Page, iterate_pages, map_concurrently
from ordermill.kit.errors import Unavailable

pytestmark = pytest.mark.anyio


class Shop:
    """A paged source that remembers how it was used."""

    def __init__(self, pages: dict[str | None, Page[str]]) -> None:
        self.pages = pages
        self.opened = 0
        self.closed = 0
        self.asked: list[str | None] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Shop"]:
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1

    async def fetch(self, client: "Shop", cursor: str | None) -> Page[str]:
        assert client is self
        assert self.closed == 0
        self.asked.append(cursor)
        return self.pages[cursor]


class TestIteratePages:
    async def test_walks_all_pages_with_one_client(self) -> None:
        shop = Shop({None: Page(["a", "b"], "p2"), "p2": Page([], "p3"), "p3": Page(["c"], None)})

        pages = [list(page.items) async for page in iterate_pages(shop.open, shop.fetch)]

        assert pages == [["a", "b"], [], ["c"]]
        assert shop.asked == [None, "p2", "p3"]
        assert (shop.opened, shop.closed) == (1, 1)

    async def test_resumes_from_a_cursor(self) -> None:
        shop = Shop({"p3": Page(["c"], None)})

        assert [page.items async for page in iterate_pages(shop.open, shop.fetch, start="p3")] == [["c"]]

    async def test_fetches_no_page_that_nobody_asked_for_and_closes_the_client_early(self) -> None:
        shop = Shop({None: Page(["a"], "p2"), "p2": Page(["b"], None)})

        async with aclosing(iterate_pages(shop.open, shop.fetch)) as pages:
            async for _ in pages:
                break

        assert shop.asked == [None]
        assert (shop.opened, shop.closed) == (1, 1)

    @pytest.mark.parametrize("start", [None, "p1"])
    async def test_refuses_to_walk_in_a_circle(self, start: str | None) -> None:
        shop = Shop({None: Page(["a"], "p1"), "p1": Page(["b"], "p2"), "p2": Page(["c"], "p1")})

        with pytest.raises(Unavailable) as refused:
            async for _ in iterate_pages(shop.open, shop.fetch, start=start):
                pass

        assert refused.value.code == "page_cycle"
        assert shop.asked == ([None, "p1", "p2"] if start is None else ["p1", "p2"])
        assert (shop.opened, shop.closed) == (1, 1)

    async def test_refuses_more_pages_than_allowed(self) -> None:
        shop = Shop({None: Page(["a"], "p2"), "p2": Page(["b"], "p3")})

        with pytest.raises(Unavailable) as refused:
            async for _ in iterate_pages(shop.open, shop.fetch, max_pages=2):
                pass

        assert refused.value.code == "too_many_pages"
        assert shop.asked == [None, "p2"]

    async def test_takes_exactly_as_many_pages_as_allowed(self) -> None:
        shop = Shop({None: Page(["a"], "p2"), "p2": Page(["b"], None)})

        assert len([page async for page in iterate_pages(shop.open, shop.fetch, max_pages=2)]) == 2

    async def test_a_failing_page_closes_the_client(self) -> None:
        shop = Shop({None: Page(["a"], "gone")})

        with pytest.raises(KeyError, match="gone"):
            async for _ in iterate_pages(shop.open, shop.fetch):
                pass

        assert shop.closed == 1

    async def test_feeds_a_map_page_by_page(self) -> None:
        shop = Shop({None: Page(["a"], "p2"), "p2": Page(["b"], None)})

        async def first(page: Page[str]) -> str:
            return page.items[0]

        assert await map_concurrently(first, iterate_pages(shop.open, shop.fetch), limit=2) == ["a", "b"]
