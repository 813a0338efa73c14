"""Files of at most 400 lines, functions of at most 60; migrations are as long as the schema makes them."""

import ast
from collections.abc import Iterator
from typing import Final

from checks.tree import Finding, Tree

FILE_LINES: Final = 400
FUNCTION_LINES: Final = 60
PLACES: Final = ("src", "tests", "checks", "benchmarks", "examples")


def find(tree: Tree) -> Iterator[Finding]:
    for file in tree.python(*PLACES):
        if "/migrations/" in file.path:
            continue
        if len(file.lines) > FILE_LINES:
            yield Finding(
                file.path,
                FILE_LINES + 1,
                f"{len(file.lines)} lines; split files over {FILE_LINES} by what a person would ask for.",
            )
        for node in ast.walk(file.syntax):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield file.finding(node, f"`{node.name}` has {length} lines; the limit is {FUNCTION_LINES}.")
