"""
Keeps the API's description in the repository, `docs/openapi.json`: `python -m checks.openapi` writes it anew.

tests/doors/api/test_openapi.py fails when it was forgotten, and when a client of the kept one would break: `breaks` says by
what. A change that breaks clients on purpose is written down in CHANGELOG.md before this is run.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ordermill.api.app import create_app
from ordermill.api.openapi import describe
from ordermill.config import load

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs/openapi.json"

Json = Mapping[str, Any]


def document() -> str:
    """Return the description as it must be kept now. No book is opened for it."""
    app = create_app(load(database_url="sqlite:///:memory:"))
    return json.dumps(describe(app), indent=1, ensure_ascii=False) + "\n"


def breaks(old: Json, new: Json) -> Iterator[str]:
    """
    Go through what a client that was made from `old` cannot do any more with `new`, a sentence each.

    A client breaks when a route, an answer or a field of an answer is gone or may be null, when a field, parameter or
    option of a request is gone, is newly needed or became narrower in kind. New routes, new fields that may be left out and
    new fields of answers break nobody.
    """
    for path, method, was in _operations(old):
        place = f"{method.upper()} {path}"
        now = new["paths"].get(path, {}).get(method)
        if now is None:
            yield f"{place} is gone."
            continue
        yield from _parameters(place, was, now, old, new)
        for media_type, content in was.get("requestBody", {}).get("content", {}).items():
            sent = now.get("requestBody", {}).get("content", {}).get(media_type)
            if sent is None:
                yield f"{place} takes no {media_type} any more."
            else:
                yield from _request(f"{place}: body", content["schema"], sent["schema"], old, new)
        for status, answer in was["responses"].items():
            if status < "400":
                yield from _answer(f"{place}: {status}", answer, now["responses"].get(status), old, new)


def _operations(found: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _parameters(place: str, was: Json, now: Json, old: Json, new: Json) -> Iterator[str]:
    known = {(each["in"], each["name"]): each for each in was.get("parameters", ())}
    given = {(each["in"], each["name"]): each for each in now.get("parameters", ())}
    for key, each in known.items():
        if key in given:
            yield from _request(f"{place}: {each['name']}", each["schema"], given[key]["schema"], old, new)
        else:
            yield f"{place} has no {each['name']} any more."
    for key, each in given.items():
        if each.get("required") and not known.get(key, {}).get("required"):
            yield f"{place} now needs {each['name']}."


def _answer(place: str, was: Json, now: Json | None, old: Json, new: Json) -> Iterator[str]:
    if now is None:
        yield f"{place} is answered no more."
        return
    for media_type, content in was.get("content", {}).items():
        if media_type not in now.get("content", {}):
            yield f"{place} is no {media_type} any more."
        elif "schema" in content:
            yield from _answered(place, content["schema"], now["content"][media_type]["schema"], old, new)


def _request(place: str, was: Json, now: Json, old: Json, new: Json) -> Iterator[str]:
    """Compare what may be sent: all that was taken must be taken still."""
    was, now = _resolved(was, old), _resolved(now, new)
    if missing := sorted(_kinds(was, old) - _kinds(now, new)):
        yield f"{place} may not be {' or '.join(missing)} any more."
    known, given = was.get("properties", {}), now.get("properties", {})
    for name in known:
        if name in given:
            yield from _request(f"{place}/{name}", known[name], given[name], old, new)
        elif now.get("additionalProperties") is False:
            yield f"{place}/{name} is gone."
    for name in now.get("required", ()):
        if name not in was.get("required", ()):
            yield f"{place}/{name} is now needed."
    if "items" in was and "items" in now:
        yield from _request(f"{place}/…", was["items"], now["items"], old, new)


def _answered(place: str, was: Json, now: Json, old: Json, new: Json) -> Iterator[str]:
    """Compare what is answered: nothing may come that could not come before, and all that came must come still."""
    was, now = _resolved(was, old), _resolved(now, new)
    if added := sorted(_kinds(now, new) - _kinds(was, old)):
        yield f"{place} may now be {' or '.join(added)}."
    known, given = was.get("properties", {}), now.get("properties", {})
    for name in known:
        if name in given:
            yield from _answered(f"{place}/{name}", known[name], given[name], old, new)
        else:
            yield f"{place}/{name} is gone."
    for name in was.get("required", ()):
        if name in given and name not in now.get("required", ()):
            yield f"{place}/{name} may now be left out."
    if "items" in was and "items" in now:
        yield from _answered(f"{place}/…", was["items"], now["items"], old, new)


def _resolved(schema: Json, found: Json) -> Json:
    """Follow a reference, and pass through to what an optional value is when it is there."""
    while True:
        if "$ref" in schema:
            schema = found["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif len(real := [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]) == 1:
            schema = {**real[0], "nullable": len(schema["anyOf"]) > 1}
            if "$ref" in schema:
                name = schema["$ref"].rpartition("/")[2]
                return {**found["components"]["schemas"][name], "nullable": schema["nullable"]}
        else:
            return schema


def _kinds(schema: Json, found: Json) -> set[str]:
    """Return what kinds of value a schema allows; of an enumeration its members."""
    if "anyOf" in schema:
        return {kind for each in schema["anyOf"] for kind in _kinds(_resolved(each, found), found)}
    null = {"null"} if schema.get("nullable") else set()
    if "enum" in schema:
        return null | {repr(each) for each in schema["enum"]}
    if "const" in schema:
        return null | {repr(schema["const"])}
    return null | ({str(schema["type"])} if "type" in schema else set())


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
