"""
Nobody writes or sees more of a row than a route is for (RELIABILITY.md D2): every column of the tables behind a route,
as the Django models have them, that is not in the route's documented shape.
"""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from crowd import BODIES, Crowd
from django.db.models import Field, Model
from shop import PASSWORD

from ordermill.api.openapi import describe
from ordermill.schema import models

pytestmark = pytest.mark.anyio

ADDRESS: Final = "name company line1 line2 city region postal_code country phone"
# What each route takes (PRODUCT.md section 4), and the tables behind it.
TAKES: Final[dict[str, tuple[str, str]]] = {
    "POST /auth/token": ("grant_type username password", "User Session"),
    "POST /auth/refresh": ("refresh_token", "Session User"),
    "POST /auth/logout": ("refresh_token", "Session User"),
    "POST /auth/verify-email/request": ("email", "User OneTimeToken"),
    "POST /auth/verify-email": ("token", "User OneTimeToken"),
    "POST /auth/password-reset/request": ("email", "User OneTimeToken"),
    "POST /auth/password-reset": ("token password", "User OneTimeToken"),
    "POST /setup": ("email name password token", "User OneTimeToken"),
    "POST /api-keys": ("name scope", "ApiKey"),
    "POST /users": ("email name password", "User"),
    "PATCH /users/me": ("name password current_password", "User"),
    "DELETE /users/me": ("current_password", "User ErasedEmail"),
    "PATCH /users/{id}": ("is_active", "User"),
    "POST /products": ("sku name price currency stock is_active", "Product StockMovement"),
    "PATCH /products/{id}": ("sku name price currency stock stock_change is_active", "Product StockMovement"),
    "POST /discounts": (
        "code kind value currency starts_at ends_at minimum max_uses max_uses_per_customer is_active", "Discount DiscountUse"
    ),
    "PATCH /discounts/{id}": (
        "code kind value currency starts_at ends_at minimum max_uses max_uses_per_customer is_active", "Discount DiscountUse"
    ),
    "POST /orders": (
        "customer_email items shipping_address billing_address discount_code note shipping tax",
        "Order OrderVersion Payment Refund IdempotencyKey",
    ),
    "POST /orders/quote": (
        "customer_email items shipping_address billing_address discount_code note shipping tax", "Order Payment"
    ),
    "PATCH /orders/{id}": ("status shipping_address billing_address note carrier tracking_number", "Order Item Payment"),
    "POST /orders/{id}/payments": ("amount method reference at", "Payment Order"),
    "POST /orders/{id}/refunds": ("amount method reference at", "Refund Order"),
    "POST /imports": (
        "file format map channel currency timezone encoding delimiter no_guests no_merge dry_run", "Import ImportReject"
    ),
}  # fmt: skip
# Objects inside of bodies.
INSIDE: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("POST /orders", "items"): ("product_id quantity unit_price", "Item Product StockMovement"),
    ("POST /orders", "shipping_address"): (ADDRESS, "Order User"),
    ("POST /orders", "billing_address"): (ADDRESS, "Order User"),
    ("POST /orders/quote", "items"): ("product_id quantity unit_price", "Item Product StockMovement"),
    ("POST /orders/quote", "shipping_address"): (ADDRESS, "Order User"),
    ("POST /orders/quote", "billing_address"): (ADDRESS, "Order User"),
    ("PATCH /orders/{id}", "shipping_address"): (ADDRESS, "Order User"),
    ("PATCH /orders/{id}", "billing_address"): (ADDRESS, "Order User"),
}

ITEM: Final = "product_id sku name quantity unit_price discount total"
USER: Final = "id email name is_active created_at"
OWN: Final = f"{USER} is_staff email_verified_at"
FIGURES: Final = "customer_id email currency total_orders total_spent avg_order_value first_order_at last_order_at"
PRODUCT: Final = "id sku name price currency stock is_active"
DISCOUNT: Final = (
    "id code kind value currency starts_at ends_at minimum max_uses max_uses_per_customer uses is_active"
)  # fmt: skip
KEY: Final = "id name scope created_at"
MOVEMENT: Final = "id order_id amount currency method reference at"
EVENT: Final = "id type at actor order_id sequence data"


def within(name: str, fields: str) -> str:
    return " ".join([name, *(f"{name}.{field}" for field in fields.split())])


def listed(fields: str) -> str:
    return f"{within('data', fields)} has_more next_cursor"


ORDER: Final = " ".join(
    [
        "id number channel external_id status payment currency customer_id customer_email",
        within("items", ITEM),
        "subtotal discount discount_code shipping tax tax_included total paid refunded source_total",
        within("shipping_address", ADDRESS),
        within("billing_address", ADDRESS),
        "carrier tracking_number note placed_at updated_at version",
    ]
)
REPORT: Final = " ".join(
    [
        within("orders", "read new updated unchanged kept rejected merged"),
        within("lines", "read accepted rejected"),
        within("customers", "new known guests"),
        within("money", within("EUR", "total source_total difference")),
        within("reasons", f"code count {within('example', 'file line number field value message')}"),
        "adjustments seconds",
    ]
)
IMPORT: Final = (
    f"id file sha256 size records format mapping channel state started_at finished_at {REPORT} "
    f"{within('undo', 'removed restored users_removed left')}"
)
PERSON: Final = " ".join(
    [
        "exported_at",
        within("account", f"{OWN} has_password"),
        within("sessions", "id created_at refreshed_at expires_at revoked_at"),
        within("discount_uses", "order_id code at"),
        within("events", EVENT),
        within("orders", f"{ORDER} {within('payments', MOVEMENT)} {within('refunds', MOVEMENT)} {within('events', EVENT)}"),
    ]
)
# What is shown by each route that shows something of a row; objects of lists and inside of others behind a point.
SHOWS: Final[dict[str, str]] = {
    "POST /auth/token": "access_token token_type expires_in refresh_token",
    "POST /users": USER,
    "GET /users/me": OWN,
    "PATCH /users/me": OWN,
    "GET /users/me/statistics": FIGURES,
    "GET /users/me/export": PERSON,
    "GET /users/{id}/export": PERSON,
    "GET /users": listed(f"{OWN} claimed"),
    "GET /users/{id}": f"{OWN} claimed",
    "PATCH /users/{id}": f"{OWN} claimed",
    "GET /users/{id}/statistics": FIGURES,
    "POST /api-keys": f"{KEY} secret",
    "GET /api-keys": listed(KEY),
    "GET /products": listed(PRODUCT),
    "GET /products/{id}": PRODUCT,
    "POST /products": PRODUCT,
    "PATCH /products/{id}": PRODUCT,
    "GET /discounts": listed(DISCOUNT),
    "GET /discounts/{id}": DISCOUNT,
    "POST /discounts": DISCOUNT,
    "PATCH /discounts/{id}": DISCOUNT,
    "POST /orders/quote": (
        f"currency {within('items', f'{ITEM} available')} subtotal discount discount_code shipping tax total available"
    ),
    "POST /orders": ORDER,
    "GET /orders": listed(ORDER),
    "GET /orders/{id}": ORDER,
    "PATCH /orders/{id}": ORDER,
    "GET /orders/{id}/events": listed(EVENT),
    "POST /orders/{id}/payments": f"{MOVEMENT} {within('order', 'payment paid refunded version')}",
    "GET /orders/{id}/payments": listed(MOVEMENT),
    "POST /orders/{id}/refunds": f"{MOVEMENT} {within('order', 'payment paid refunded version')}",
    "GET /orders/{id}/refunds": listed(MOVEMENT),
    "POST /imports": (
        f"{REPORT} dry_run refused {within('files', 'import_id file format mapping channel rejects_file')} "
        f"{within('files', within('orders', 'read new updated unchanged kept rejected merged'))}"
    ),
    "GET /imports": listed(IMPORT),
    "GET /imports/{id}": f"{IMPORT} {within('left', 'order_id number was reason message')}",
    "POST /imports/{id}/undo": IMPORT,
}
# Names that are no fields: what an event says of what happened, and the kinds of what an import left out.
FREE: Final[dict[str, tuple[str, ...]]] = {
    "GET /orders/{id}/events": ("data.data",),
    "GET /users/me/export": ("events.data", "orders.events.data"),
    "GET /users/{id}/export": ("events.data", "orders.events.data"),
    "POST /imports": ("adjustments",),
}


def columns(tables: str) -> dict[str, Any]:
    """Return every name that a column goes by, with a value that it could hold."""
    found: dict[str, Any] = {}
    for table in tables.split():
        model: type[Model] = getattr(models, table)
        for column in model._meta.concrete_fields:
            found |= dict.fromkeys((column.name, column.attname, str(column.column)), value_for(column))
    return found


def value_for(column: "Field[Any, Any]") -> Any:
    kind = column.get_internal_type()
    if kind == "BooleanField":
        return True
    if kind == "DateTimeField":
        return "2026-11-22T10:00:00Z"
    return 1 if "Integer" in kind or kind in {"BigAutoField", "ForeignKey"} else "canary"


def paths(value: Any, inside: str = "") -> Iterator[str]:
    """Yield the path of every name in an answer."""
    for each in value if isinstance(value, list) else [value]:
        for name, inner in each.items() if isinstance(each, dict) else ():
            yield f"{inside}{name}"
            yield from paths(inner, f"{inside}{name}.")


async def everything(crowd: Crowd) -> dict[str, list[Any]]:
    rows = await crowd.storage.everything()
    return {table: rows[table] for table in rows if table != "sign_in_throttles"}


async def sent(crowd: Crowd, route: str, extra: dict[str, Any], *, inside: str | None = None) -> httpx.Response:
    """Send what is right, and something beside it."""
    said = BODIES[route](crowd)
    if inside is None and "json" not in said:
        return await crowd.ask(route, "staff", **{**said, "data": {**said["data"], **extra}})
    body = said["json"]
    place = body if inside is None else body[inside][0] if isinstance(body[inside], list) else body[inside]
    changed = {**place, **extra}
    if inside is not None:
        body = {**body, inside: [changed] if isinstance(body[inside], list) else changed}
    return await crowd.ask(route, "staff", json=changed if inside is None else body)


class TestWhatIsTaken:
    def test_every_route_that_takes_a_body_has_a_row(self) -> None:
        assert set(TAKES) == set(BODIES)

    async def test_is_what_the_documentation_says(self, crowd: Crowd) -> None:
        described = await asyncio.to_thread(describe, crowd.shop.app)
        schemas = described["components"]["schemas"]

        def fields(schema: dict[str, Any]) -> dict[str, Any]:
            if "$ref" in schema:
                return fields(schemas[schema["$ref"].rpartition("/")[2]])
            if "anyOf" in schema:
                return fields(schema["anyOf"][0])
            if "items" in schema:
                return fields(schema["items"])
            return dict(schema["properties"])

        for route, (names, _) in TAKES.items():
            method, _, path = route.partition(" ")
            (body,) = described["paths"][path][method.lower()]["requestBody"]["content"].values()
            assert set(fields(body["schema"])) == set(names.split()), route
            for (owner, inside), (inner, _) in INSIDE.items():
                if owner == route:
                    assert set(fields(fields(body["schema"])[inside])) == set(inner.split()), (route, inside)

    async def test_is_nothing_else_that_a_table_has(self, crowd: Crowd) -> None:
        before = await everything(crowd)
        tried: list[tuple[str, str | None, str, str]]
        tried = [(route, None, names, tables) for route, (names, tables) in TAKES.items() if route != "POST /auth/token"]
        tried += [(route, inside, names, tables) for (route, inside), (names, tables) in INSIDE.items()]
        for route, inside, names, tables in tried:
            for column, value in columns(tables).items():
                if column in names.split():
                    continue
                answer = await sent(crowd, route, {column: value}, inside=inside)
                assert answer.status_code == 422, (route, inside, column, answer.text)
                place = {"items": "/items/0"}.get(inside or "", f"/{inside}" if inside else "")
                errors = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
                assert errors == [(f"{place}/{column}", "extra_forbidden")], (route, inside, column)
        assert await everything(crowd) == before

    async def test_a_sign_in_passes_over_what_it_does_not_know(self, crowd: Crowd) -> None:
        """As RFC 6749, 3.2, wants it; nothing comes of it."""
        before = (await everything(crowd))["users"]
        extra = {name: str(value) for name, value in columns("User Session").items() if name != "password"}
        for some in (dict(list(extra.items())[:15]), dict(list(extra.items())[15:])):
            assert (await sent(crowd, "POST /auth/token", some)).status_code == 200
        assert (await everything(crowd))["users"] == before

    async def test_a_user_does_not_say_what_staff_may(self, crowd: Crowd) -> None:
        """PRODUCT.md: a user who sends `shipping`, `tax` or another's e-mail is refused with 403."""
        before = await everything(crowd)
        for said in ({"shipping": "0.00"}, {"tax": "0.00"}, {"customer_email": "buyer@example.com"}):
            for route in ("POST /orders", "POST /orders/quote"):
                answer = await crowd.ask(route, "owner", json={**BODIES[route](crowd)["json"], **said})
                assert (answer.status_code, answer.json()["code"]) == (403, "field_not_allowed"), (route, said)
        for said in (
            {"note": "x"},
            {"carrier": "x"},
            {"tracking_number": "x"},
            {"status": "processing"},
            {"status": "shipped"},
        ):
            answer = await crowd.ask("PATCH /orders/{id}", "owner", json=said, headers={"If-Match": "*"})
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), said
        assert await everything(crowd) == before


class TestWhatIsShown:
    async def test_is_what_is_listed_and_nothing_else(self, crowd: Crowd) -> None:
        own = {"POST /imports/{id}/undo": await crowd.extra_import()}
        await crowd.ask("POST /orders/{id}/refunds", "staff")
        for route, fields in SHOWS.items():
            allowed = set(fields.split())
            for role in ("owner", "staff"):
                answer = await crowd.ask(route, role, id=own.get(route))
                if role == "owner" and answer.status_code == 403:
                    continue
                assert answer.status_code < 300, (route, answer.text)
                shown = {path for path in paths(answer.json()) if path.rpartition(".")[0] not in FREE.get(route, ())}
                assert shown <= allowed, (route, role, shown - allowed)
                top = {path for path in allowed if "." not in path}
                assert {path for path in shown if "." not in path} == top, (route, role)

    async def test_of_what_is_known_of_a_person_no_secret(self, crowd: Crowd) -> None:
        answer = await crowd.ask("GET /users/me/export", "owner")
        secrets = [crowd.headers["owner"]["Authorization"].split()[1], PASSWORD, "argon2", "_hash"]
        assert not [secret for secret in secrets if secret in answer.text]
