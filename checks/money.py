"""No float near money: no annotation, literal, conversion or column type, unless the line says what it measures."""

import ast
from collections.abc import Iterator
from typing import Final

from checks.tree import Finding, Tree

PLACES: Final = tuple(f"src/ordermill/{part}" for part in ("kit/money.py", "orders", "statistics", "imports", "catalogue"))
_COLUMN_TYPES: Final = {"Float32", "Float64", "Float", "REAL", "Double"}


def find(tree: Tree) -> Iterator[Finding]:
    for file in tree.python(*PLACES):
        annotations = {id(part) for node in ast.walk(file.syntax) for part in _annotation(node)}
        for node in ast.walk(file.syntax):
            what = _float(node, annotated=id(node) in annotations)
            if what and not file.allows("float", node):
                yield file.finding(
                    node, f"{what} where money is computed; use Decimal or minor units, or say `# allow float: why`."
                )
    for file in tree.python("src"):
        for node in ast.walk(file.syntax):
            if isinstance(node, ast.Attribute) and node.attr == "FloatField" and not file.allows("float", node):
                yield file.finding(node, "A floating-point column; amounts are BIGINT minor units.")


def _annotation(node: ast.AST) -> Iterator[ast.AST]:
    for name in ("annotation", "returns"):
        if (given := getattr(node, name, None)) is not None:
            yield from ast.walk(given)


def _float(node: ast.AST, *, annotated: bool) -> str | None:
    match node:
        case ast.Constant(value=float()):
            return f"The float {node.value!r}"
        case ast.Call(func=ast.Name(id="float")):
            return "A conversion to float"
        case ast.Name(id="float") if annotated:
            return "An annotation `float`"
        case ast.Attribute(attr=attr) if attr in _COLUMN_TYPES:
            return f"The column type {attr}"
    return None
