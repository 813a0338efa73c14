"""Calls that have one place or none: the system's clock, tables made behind the migrations, SQL echoed, imports of the kit."""

import ast
import sys
from collections.abc import Iterator
from typing import Final

from checks.tree import File, Finding, Tree

CLOCK: Final = "src/ordermill/kit/clock.py"
_CLOCKS: Final = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("timezone", "now"),
}  # fmt: skip
_KIT_MAY_IMPORT: Final = {*sys.stdlib_module_names, "pydantic", "pydantic_core"}


def find(tree: Tree) -> Iterator[Finding]:
    for file in tree.python("src"):
        for node in ast.walk(file.syntax):
            for rule, sentence in _broken(file, node):
                if not file.allows(rule, node):
                    yield file.finding(node, sentence)


def _broken(file: File, node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the name of each rule that the node breaks, and what is wrong."""
    if file.path != CLOCK and _asks_the_time(node):
        yield "clock", "Only kit/clock.py asks the system for the time; take a Clock, or a moment."
    if isinstance(node, ast.Attribute) and node.attr == "create_all":
        yield "create_all", "Tables are made by the migrations alone (docs/decisions/0001-one-schema-two-readers.md)."
    if (
        isinstance(node, ast.keyword)
        and node.arg == "echo"
        and isinstance(node.value, ast.Constant)
        and node.value.value is True
    ):
        yield "echo", "Echoed SQL puts e-mail addresses and hashes into the log."
    if file.path.startswith("src/ordermill/kit/"):
        for module in _imported(node):
            if module.split(".")[0] not in _KIT_MAY_IMPORT and not module.startswith("ordermill.kit"):
                yield "import", f"The kit leans on the standard library and pydantic only, not on {module}."


def _asks_the_time(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=attr):
            return (owner, attr) in _CLOCKS
        case ast.ImportFrom(module="time", names=names):
            return any(alias.name in {"time", "time_ns"} for alias in names)
    return False


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module)):
            return [module]
    return []
