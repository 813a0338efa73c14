"""
What can be done next with an answer, as OpenAPI links: by people who read the documentation, clients that follow, and
tests that walk through the API the way a shop does.
"""

from collections.abc import Mapping
from typing import Any, Final

_ID: Final = {"id": "$response.body#/id"}
_SAME_ID: Final = {"id": "$request.path.id"}
_TAG: Final = {"header.If-Match": "$response.header.ETag"}


def _to(operation: str, *, body: Any = None, **parameters: str) -> dict[str, Any]:
    link: dict[str, Any] = {"operationId": operation}
    if parameters:
        link["parameters"] = parameters
    if body is not None:
        link["requestBody"] = body
    return link


def _all(*operations: str, **parameters: str) -> dict[str, Any]:
    return {operation: _to(operation, **parameters) for operation in operations}


_ITEM: Final = {"product_id": "$response.body#/id", "quantity": 1}
_BOUGHT: Final = {
    "quote_order": _to("quote_order", body={"items": [_ITEM]}),
    "place_order": _to(
        "place_order",
        body={
            "items": [{**_ITEM, "unit_price": "$response.body#/price"}],
            "shipping_address": {"name": "Ada", "line1": "1 Mill Lane", "city": "York", "postal_code": "YO1", "country": "GB"},
        },
    ),
}
_RENEWED: Final = {
    operation: _to(operation, body={"refresh_token": "$response.body#/refresh_token"}) for operation in ("refresh", "sign_out")
}
_LISTS: Final = (
    "list_api_keys", "list_users", "list_products", "list_discounts", "list_orders", "list_order_events", "list_payments",
    "list_refunds", "list_imports",
)  # fmt: skip
_OF_AN_ORDER: Final = frozenset({"list_order_events", "list_payments", "list_refunds"})

# By the name of the operation and the status of its answer.
LINKS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("sign_in", "200"): _RENEWED,
    ("refresh", "200"): _RENEWED,
    ("create_api_key", "201"): _all("revoke_api_key", **_ID),
    ("register_user", "201"): _all("get_user", "change_user", "user_statistics", "export_user", "erase_user", **_ID),
    ("get_me", "200"): _all("change_me", **_TAG),
    ("get_user", "200"): _all("change_user", **_SAME_ID, **_TAG),
    ("create_product", "201"): _all("get_product", **_ID) | _all("change_product", "remove_product", **_ID, **_TAG) | _BOUGHT,
    ("get_product", "200"): _all("change_product", "remove_product", **_SAME_ID, **_TAG) | _BOUGHT,
    ("create_discount", "201"): _all("get_discount", "change_discount", **_ID),
    ("place_order", "201"): (
        _all("get_order", "list_order_events", "list_payments", "list_refunds", **_ID)
        | _all("change_order", "record_payment", **_ID, **_TAG)
    ),
    ("get_order", "200"): _all("change_order", **_SAME_ID, **_TAG),
    ("record_payment", "201"): _all("get_order", "list_payments", "record_refund", **_SAME_ID),
    ("record_refund", "201"): _all("get_order", "list_refunds", **_SAME_ID),
    ("create_import", "202"): _all("get_import", "download_import_rejects", "undo_import", **_ID),
    ("undo_import", "202"): _all("get_import", **_SAME_ID),
    **{
        (name, "200"): {"next": _to(name, cursor="$response.body#/next_cursor", **(_SAME_ID if name in _OF_AN_ORDER else {}))}
        for name in _LISTS
    },
}
