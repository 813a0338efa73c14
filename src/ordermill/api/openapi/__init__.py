"""
The description of the API, OpenAPI 3.1: FastAPI's, completed by what it cannot know.

    words      what is said about the whole, the nouns, the headers, and who may do what
    links      what can be done next with an answer
    examples   one for each body, put together from those of its fields

Every operation says which problems it may answer with, with an example each, and how one who may do it can show it;
FastAPI's own shape of a 422 is taken out, for nothing here answers in it.

`docs/openapi.json` is this, kept in the repository: `python -m checks.openapi`.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from ordermill import __version__
from ordermill.api.codes import CODES
from ordermill.api.deps import OPERATIONS, Gate, OpenGate, OperatorGate
from ordermill.api.guard import gates_of
from ordermill.api.openapi.examples import exemplify, restore_nulls
from ordermill.api.openapi.links import LINKS
from ordermill.api.openapi.words import DESCRIPTION, HEADERS, NAMES, SCHEMES, SERVERS, TAGS, WHO
from ordermill.api.problems import Problem, example_of, refusals
from ordermill.api.solving import AnyGate

_REFERENCE: Final = "#/components/schemas/"
_FASTAPIS_OWN: Final = ("HTTPValidationError", "ValidationError")
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# Refused before the rates are asked, or because they cannot be.
_BEFORE_RATES: Final = frozenset({"500", "503"})


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description; made once and then kept."""
    if app.openapi_schema is None:
        app.openapi_schema = _described(app)
    return app.openapi_schema


def _described(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title="Ordermill",
        version=__version__,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.router.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        servers=[dict(server) for server in SERVERS],
    )
    found["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template=f"{_REFERENCE}{{model}}")
    schemas.update(problem.pop("$defs", {}), Problem=problem)
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    found["paths"]["/setup"]["get"] = _setup_page()
    for operation, route in _operations(found, app):
        _complete(operation, route)
        _name_form(operation, schemas)
    components["examples"] = {code: {"summary": each.sentence, "value": example_of(code)} for code, each in CODES.items()}
    components["headers"] = HEADERS
    components["securitySchemes"] = SCHEMES
    # By nouns: routes stand in the order in which they are asked.
    found["paths"] = dict(sorted(found["paths"].items(), key=lambda path: min(map(_place, path[1].values()))))
    restore_nulls(schemas)
    exemplify(found["paths"], schemas)
    return _named(_with_whole_numbers(found))


def _place(operation: dict[str, Any]) -> int:
    return min(list(TAGS).index(tag) for tag in operation["tags"])


def _operations(found: dict[str, Any], app: FastAPI) -> Iterable[tuple[dict[str, Any], APIRoute]]:
    for route in app.router.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                yield found["paths"][route.path_format][method.lower()], route


def _setup_page() -> dict[str, Any]:
    """Return what is said of the one page whose path is a route's as well; other pages are no part of the API."""
    answers: dict[str, Any] = {"200": {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}}
    answers.update({str(status): answer for status, answer in refusals(500, 503).items()})
    for status, answer in answers.items():
        _head(answer, status, counted=False)
    summary = "Open the page on which the first staff user is made"
    return {
        "tags": ["auth"],
        "summary": summary,
        "operationId": "show_setup_page",
        "description": f"{summary}.",
        "responses": answers,
    }


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    gates = gates_of(route)
    operation["operationId"] = route.name
    for parameter in operation.get("parameters", ()):
        _simplify(parameter)
        # Without one the answer is a 428, which only a version that was read prevents.
        parameter["required"] |= parameter["name"] == "If-Match" and "428" in operation["responses"]
    operation["description"] = "\n\n".join([operation["description"], *(f"*{WHO[gate.name]}*" for gate in gates[:1])])
    _secure(operation, gates)
    answers: dict[str, Any] = operation["responses"]
    if "application/json" in answers.get("422", {}).get("content", {}):
        del answers["422"]  # FastAPI's own
    for status, answer in refusals(*_everywhere(operation, route)).items():
        _merge(answers.setdefault(str(status), {}), answer)
    for status, answer in answers.items():
        _head(answer, status, counted=OPERATIONS not in route.tags)
        if links := LINKS.get((route.name, status)):
            answer["links"] = links
    operation["responses"] = dict(sorted(answers.items()))


def _simplify(parameter: dict[str, Any]) -> None:
    """Say of a parameter what can be sent, and say it once: FastAPI repeats it in the schema."""
    schema = parameter["schema"]
    _without_null(schema)
    for name in ("title", "description"):
        schema.pop(name, None)


def _name_form(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Put the schema of a form among the others, so that clients know it by its name."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        if media_type in _FORMS:
            form = content["schema"]
            for field in form["properties"].values():
                _without_null(field)
            schemas[form["title"]] = form
            content["schema"] = {"$ref": f"{_REFERENCE}{form['title']}"}


def _without_null(schema: dict[str, Any]) -> None:
    """Leave null out of what is sent in an address, a header or a form, where there is no word for it."""
    said = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    if len(said) == 1:
        schema.update(said[0])
    elif said:
        schema["anyOf"] = said


def _secure(operation: dict[str, Any], gates: list[AnyGate]) -> None:
    schemes = list(dict.fromkeys(scheme for gate in gates for scheme in gate.schemes))
    if schemes:
        open_too = any(isinstance(gate, OpenGate | OperatorGate) for gate in gates)
        operation["security"] = [*([{}] if open_too else []), *({scheme: []} for scheme in schemes)]


def _everywhere(operation: dict[str, Any], route: APIRoute) -> list[int | str]:
    """Return the problems that come from what a route is made of, and not from what it does."""
    gates = gates_of(route)
    found: list[int | str] = [500, 503] if OPERATIONS in route.tags else [429, 500, 503, "timed_out"]
    if gates:
        found += [401]
    if any(isinstance(gate, Gate | OperatorGate) for gate in gates):
        found += [403]
    if "requestBody" in operation:
        found += ["body_malformed", 413, 415, 422]
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    if places & {"query", "header"}:
        found += [422]
    if "path" in places:
        found += [404]
    return found


def _merge(answer: dict[str, Any], other: dict[str, Any]) -> None:
    answer.setdefault("description", other["description"])
    for media_type, content in other["content"].items():
        known = answer.setdefault("content", {}).setdefault(media_type, content)
        known.setdefault("examples", {}).update({**content["examples"], **known.get("examples", {})})


def _head(answer: dict[str, Any], status: str, *, counted: bool) -> None:
    """Name the headers of an answer."""
    headers = answer.setdefault("headers", {})
    names = ["X-Request-ID"]
    names += ["RateLimit", "RateLimit-Policy"] if counted and status not in _BEFORE_RATES else []
    names += ["Retry-After"] if status in {"429", "503"} else []
    names += ["WWW-Authenticate"] if status == "401" else []
    headers.update({name: {"$ref": f"#/components/headers/{name}"} for name in names})


def _named(found: dict[str, Any]) -> dict[str, Any]:
    """Give schemas the names that a client should know them by, where the program has another word."""
    text = json.dumps(found)
    for ours, theirs in NAMES.items():
        text = text.replace(f'"{_REFERENCE}{ours}"', f'"{_REFERENCE}{theirs}"')
    named: dict[str, Any] = json.loads(text)
    schemas = named["components"]["schemas"]
    for ours, theirs in NAMES.items():
        schemas[theirs] = {**schemas.pop(ours), "title": theirs}
    named["components"]["schemas"] = dict(sorted(schemas.items()))
    return named


def _with_whole_numbers(value: Any) -> Any:
    """Write 50.0 as 50: FastAPI makes floats of all limits, and a client's generator takes an integer's limit for a float."""
    if isinstance(value, dict):
        return {name: _with_whole_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
