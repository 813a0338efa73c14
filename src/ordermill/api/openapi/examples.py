"""
An example for each body that is sent or answered: the schema's own, or one put together from those of its fields.

Not here: examples of problems, which come from `codes`.
"""

from collections.abc import Mapping
from typing import Any, Final

_MISSING: Final = object()
_BY_FORMAT: Final = {
    "date-time": "2026-11-22T10:00:00Z",
    "uuid": "0192f1c4-7a1e-7000-8000-000000000001",
    "password": "correct horse battery",
}
_BY_TYPE: Final = {"boolean": True, "integer": 1, "number": 0.4, "object": {}, "null": None}
_JSON: Final = "application/json"


def restore_nulls(schemas: Mapping[str, Any]) -> None:
    """Put back the nulls of examples, which FastAPI leaves out of a description wherever they stand."""
    for schema in schemas.values():
        for example in schema.get("examples", ()):
            _restore(example, schema, schemas)


def exemplify(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
    """Give each JSON body an example that its schema has not as a whole."""
    for operation in (operation for methods in paths.values() for operation in methods.values()):
        for bearer in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media_type, content in bearer.get("content", {}).items():
                if media_type == _JSON and "examples" not in _resolved(content.get("schema", {}), schemas):
                    example = _composed(content.get("schema", {}), schemas)
                    if example is not _MISSING:
                        content["example"] = example


def _restore(example: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
    schema = _resolved(schema.get("anyOf", (schema,))[0], schemas)
    if isinstance(example, list) and "items" in schema:
        for each in example:
            _restore(each, schema["items"], schemas)
    elif isinstance(example, dict):
        for name, part in schema.get("properties", {}).items():
            if name in example:
                _restore(example[name], part, schemas)
            elif name in schema.get("required", ()):
                example[name] = None


def _composed(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Return an example of a schema; `_MISSING` where a text says nothing of itself."""
    options = schema.get("anyOf", ()) if "examples" not in schema else ()
    if options:
        example = _composed(options[0], schemas)
        return None if example is _MISSING and {"type": "null"} in options else example
    schema = _resolved(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "properties" in schema:
        return _composed_object(schema, schemas)
    if schema.get("type") == "array":
        item = _composed(schema.get("items", {}), schemas)
        return [] if item is _MISSING else [item]
    return _plain(schema)


def _composed_object(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    needed = schema.get("required", ())
    parts = {name: _composed(part, schemas) for name, part in schema["properties"].items()}
    if any(parts[name] is _MISSING for name in needed):
        return _MISSING
    return {name: part for name, part in parts.items() if part is not _MISSING and (part is not None or name in needed)}


def _plain(schema: Mapping[str, Any]) -> Any:
    for said in ("const", "default"):
        if said in schema:
            return schema[said]
    if "enum" in schema:
        return schema["enum"][0]
    return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(schema.get("type", ""), _MISSING))


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found
