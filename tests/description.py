"""The API's description as it is kept in the repository, in the pieces that tests ask for."""

import json
from typing import Any, Final

from checks.openapi import DOCUMENT

KEPT: Final[dict[str, Any]] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
SCHEMAS: Final[dict[str, Any]] = KEPT["components"]["schemas"]
OPERATIONS: Final[dict[str, dict[str, Any]]] = {
    operation["operationId"]: operation for methods in KEPT["paths"].values() for operation in methods.values()
}
# Method and path by operation.
PLACES: Final = {
    operation["operationId"]: (method.upper(), path)
    for path, methods in KEPT["paths"].items()
    for method, operation in methods.items()
}


def examples_of(content: dict[str, Any]) -> list[Any]:
    """Return the examples of a body: its own, else those of its schema."""
    schema = content["schema"]
    known = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return [content["example"]] if "example" in content else list(known.get("examples", ()))
