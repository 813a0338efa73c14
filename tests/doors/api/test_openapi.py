"""The description of the API: whole, valid, kept in the repository, and compatible with what clients were made from."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

import jsonschema_rs
import pytest
from description import KEPT, OPERATIONS, SCHEMAS, examples_of
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from checks.openapi import DOCUMENT, breaks, document
from ordermill.api.codes import CODES

PROBLEM: Final = "application/problem+json"


def bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Go through everything that is sent or answered, but for problems."""
    for name, operation in OPERATIONS.items():
        for where, bearer in [("request", operation.get("requestBody", {})), *operation["responses"].items()]:
            for media_type, content in bearer.get("content", {}).items():
                if media_type not in {PROBLEM, "text/html"}:
                    yield f"{name} {where}", media_type, content


class TestDocument:
    def test_is_what_the_application_says(self) -> None:
        """Else: `python -m checks.openapi`."""
        assert document() == DOCUMENT.read_text(encoding="utf-8")

    def test_is_valid_openapi_3_1(self) -> None:
        """The addresses of the token's routes may be relative; the validator's schema came too early for that."""
        described = deepcopy(KEPT)
        flow = described["components"]["securitySchemes"]["user"]["flows"]["password"]
        flow.update({name: f"https://shop.example.com{flow[name]}" for name in ("tokenUrl", "refreshUrl")})
        assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(described)] == []

    def test_operations_go_by_the_names_of_what_they_do(self) -> None:
        assert OPERATIONS["place_order"]["summary"] == "Place an order"
        assert [name for name in OPERATIONS if not name.replace("_", "").isalpha() or len(name) > 25] == []

    def test_each_operation_is_explained_under_a_noun_that_is(self) -> None:
        described = {tag["name"] for tag in KEPT["tags"] if tag["description"]}
        assert {tag for operation in OPERATIONS.values() for tag in operation["tags"]} == described
        assert [name for name, each in OPERATIONS.items() if not each["summary"] or not each["description"]] == []

    def test_schemas_go_by_names_of_one_word(self) -> None:
        assert [name for name in SCHEMAS if not name.isalnum()] == []


class TestExamples:
    def test_each_body_has_one(self) -> None:
        assert [(place, media_type) for place, media_type, content in bodies() if not examples_of(content)] == []

    def test_each_is_what_its_schema_says(self) -> None:
        for place, media_type, content in bodies():
            validator = jsonschema_rs.validator_for(
                content["schema"] | {"components": KEPT["components"]}, validate_formats=True
            )
            for example in examples_of(content):
                assert [error.message for error in validator.iter_errors(example)] == [], (place, media_type)

    def test_each_problem_is_shown_with_its_code_and_status(self) -> None:
        shown = KEPT["components"]["examples"]
        assert set(shown) == set(CODES)
        for name, operation in OPERATIONS.items():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    codes = [example["$ref"].rpartition("/")[2] for example in answer["content"][PROBLEM]["examples"].values()]
                    assert codes, (name, status)
                    assert {shown[code]["value"]["status"] for code in codes} == {int(status)}, (name, status)


class TestLinks:
    def test_an_order_that_was_placed_leads_on(self) -> None:
        links = OPERATIONS["place_order"]["responses"]["201"]["links"]
        assert links["get_order"] == {"operationId": "get_order", "parameters": {"id": "$response.body#/id"}}
        assert links["change_order"]["parameters"]["header.If-Match"] == "$response.header.ETag"

    def test_each_leads_to_an_operation_and_names_parameters_that_it_has(self) -> None:
        for name, operation in OPERATIONS.items():
            for answer in operation["responses"].values():
                for link in answer.get("links", {}).values():
                    wanted = OPERATIONS[link["operationId"]]
                    known = {parameter["name"] for parameter in wanted.get("parameters", ())}
                    assert {each.removeprefix("header.") for each in link.get("parameters", ())} <= known, name
                    assert "requestBody" not in link or "requestBody" in wanted, name


def _without_route(new: dict[str, Any]) -> None:
    del new["paths"]["/orders/{id}"]["get"]


def _without_answered_field(new: dict[str, Any]) -> None:
    del new["components"]["schemas"]["OrderResponse"]["properties"]["total"]


def _with_needed_field(new: dict[str, Any]) -> None:
    draft = new["components"]["schemas"]["OrderSent"]
    draft["properties"]["vat_id"] = {"type": "string"}
    draft["required"].append("vat_id")


def _without_sent_field(new: dict[str, Any]) -> None:
    del new["components"]["schemas"]["OrderSent"]["properties"]["note"]


def _with_needed_parameter(new: dict[str, Any]) -> None:
    limit = next(each for each in new["paths"]["/orders"]["get"]["parameters"] if each["name"] == "limit")
    limit["required"] = True


def _without_parameter(new: dict[str, Any]) -> None:
    listed = new["paths"]["/orders"]["get"]
    listed["parameters"] = [each for each in listed["parameters"] if each["name"] != "status"]


def _with_null(new: dict[str, Any]) -> None:
    total = new["components"]["schemas"]["OrderResponse"]["properties"]
    total["total"] = {"anyOf": [total["total"], {"type": "null"}]}


def _of_another_kind(new: dict[str, Any]) -> None:
    new["components"]["schemas"]["OrderResponse"]["properties"]["total"] = {"type": "number"}


def _without_word(new: dict[str, Any]) -> None:
    new["components"]["schemas"]["OrderStatus"]["enum"].remove("cancelled")


class TestCompatibility:
    """`breaks` compares a release's description with the one before it."""

    def test_the_present_one_breaks_no_client_of_the_kept_one(self) -> None:
        assert list(breaks(KEPT, json.loads(document()))) == []

    def test_new_routes_and_fields_that_may_be_left_out_break_nobody(self) -> None:
        new = deepcopy(KEPT)
        new["paths"]["/gifts"] = {"get": deepcopy(OPERATIONS["livez"])}
        new["components"]["schemas"]["OrderSent"]["properties"]["vat_id"] = {"type": "string"}
        new["components"]["schemas"]["OrderResponse"]["properties"]["vat_id"] = {"type": "string"}
        new["components"]["schemas"]["OrderResponse"]["required"].append("vat_id")
        new["paths"]["/orders"]["get"]["parameters"].append({"name": "vat_id", "in": "query", "schema": {"type": "string"}})
        assert list(breaks(KEPT, new)) == []

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (_without_route, "GET /orders/{id} is gone."),
            (_without_answered_field, "GET /orders/{id}: 200/total is gone."),
            (_with_needed_field, "POST /orders: body/vat_id is now needed."),
            (_without_sent_field, "POST /orders: body/note is gone."),
            (_with_needed_parameter, "GET /orders now needs limit."),
            (_without_parameter, "GET /orders has no status any more."),
            (_with_null, "GET /orders: 200/data/…/total may now be null."),
            (_of_another_kind, "POST /orders: 201/total may now be number."),
            (_without_word, "PATCH /orders/{id}: body/status may not be 'cancelled' any more."),
        ],
    )
    def test_what_breaks_a_client_is_named(self, change: Callable[[dict[str, Any]], None], sentence: str) -> None:
        new = deepcopy(KEPT)
        change(new)
        assert sentence in set(breaks(KEPT, new))
