"""What the description says can be done next with an answer can be done: its links are followed from answer to answer."""

from typing import Any, Final

import httpx
import pytest
from description import OPERATIONS, PLACES, examples_of
from shop import PASSWORD, Headers, Shop

pytestmark = pytest.mark.anyio

BOUGHT: Final = ("create_product", "place_order")


def meant(said: Any, answer: httpx.Response, path_id: str | None) -> Any:
    """Return what the expressions of a link mean for an answer (OpenAPI 3.1, "Runtime Expressions")."""
    if isinstance(said, dict):
        return {name: meant(each, answer, path_id) for name, each in said.items()}
    if isinstance(said, list):
        return [meant(each, answer, path_id) for each in said]
    if said == "$request.path.id":
        return path_id
    if isinstance(said, str) and said.startswith("$response.header."):
        return answer.headers[said.removeprefix("$response.header.")]
    if isinstance(said, str) and said.startswith("$response.body#/"):
        return answer.json()[said.removeprefix("$response.body#/")]
    return said


async def ask(shop: Shop, name: str, link: dict[str, Any], headers: Headers) -> tuple[httpx.Response, str | None]:
    """Do an operation with what a link hands on, and else as its example shows."""
    method, path = PLACES[name]
    given = link.get("parameters", {})
    sent = {**headers, **{each.removeprefix("header."): text for each, text in given.items() if each.startswith("header.")}}
    query = {each: text for each, text in given.items() if not each.startswith("header.") and each != "id"}
    body = link.get("requestBody")
    content = OPERATIONS[name].get("requestBody", {}).get("content", {}).get("application/json")
    if body is None and content is not None:
        body = examples_of(content)[0]
    address = path.format(id=given.get("id", ""))
    return await shop.client.request(method, address, params=query, json=body, headers=sent), given.get("id")


class TestWalk:
    @pytest.mark.parametrize(
        "walk",
        [
            ("create_product", "get_product", "change_product"),
            ("create_product", "change_product"),
            ("create_product", "remove_product"),
            ("create_product", "quote_order"),
            (*BOUGHT, "get_order", "change_order"),
            (*BOUGHT, "change_order"),
            (*BOUGHT, "list_order_events"),
            (*BOUGHT, "record_payment", "get_order"),
            (*BOUGHT, "record_payment", "list_payments"),
            (*BOUGHT, "record_payment", "record_refund", "list_refunds"),
            ("create_discount", "get_discount"),
            ("create_discount", "change_discount"),
            ("create_api_key", "revoke_api_key"),
            ("register_user", "get_user", "change_user"),
            ("register_user", "user_statistics"),
            ("register_user", "export_user"),
            ("register_user", "erase_user"),
            ("get_me", "change_me"),
        ],
        ids="-".join,
    )
    async def test_arrives(self, shop: Shop, walk: tuple[str, ...]) -> None:
        headers = await shop.staff()
        link: dict[str, Any] = {}
        for step, name in enumerate(walk):
            answer, path_id = await ask(shop, name, link, headers)
            assert answer.is_success, (name, answer.text)
            if step + 1 < len(walk):
                links = OPERATIONS[name]["responses"][str(answer.status_code)]["links"]
                link = meant(links[walk[step + 1]], answer, path_id)

    async def test_a_session_is_renewed_and_ended(self, shop: Shop) -> None:
        await shop.signed_in(email="ada@example.com")
        answer = await shop.client.post("/auth/token", data={"username": "ada@example.com", "password": PASSWORD})
        for name in ("refresh", "sign_out"):
            operation = "sign_in" if name == "refresh" else "refresh"
            link = meant(OPERATIONS[operation]["responses"]["200"]["links"][name], answer, None)
            answer, _ = await ask(shop, name, link, {})
            assert answer.is_success, (name, answer.text)

    async def test_the_next_page_of_a_list_is_a_link_away(self, shop: Shop) -> None:
        first, second = await shop.product(), await shop.product()
        page = await shop.client.get("/products", params={"limit": 1})
        link = meant(OPERATIONS["list_products"]["responses"]["200"]["links"]["next"], page, None)
        following, _ = await ask(shop, "list_products", link, {})
        assert [each["id"] for each in page.json()["data"] + following.json()["data"]] == [first["id"], second["id"]]
