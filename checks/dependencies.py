"""
What the product imports is declared, and what is declared has its reason in docs/dependencies.md.

An import that only works because another package happens to bring it breaks with that package's next release.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from typing import Final

from checks.tree import File, Finding, Tree

REASONS: Final = "docs/dependencies.md"
_PART_OF: Final = {"pydantic-core": "pydantic"}  # released and pinned together; its documentation names both


def find(tree: Tree) -> Iterator[Finding]:
    project = tomllib.loads((tree.root / "pyproject.toml").read_text())["project"]
    needed = {name_of(requirement) for requirement in project["dependencies"]}
    development = {name_of(requirement) for requirement in project["optional-dependencies"]["dev"]}
    reasons = next((file.text for file in tree.files if file.path == REASONS), "")
    for name in sorted(needed | development):
        if f"`{name}`" not in reasons:
            yield Finding("pyproject.toml", 1, f"{name} has no reason in {REASONS}; say what for, and why this one.")
    known = packages_distributions()
    for file in tree.python("src"):
        for module, node in _imports(file):
            distributions = {name_of(distribution) for distribution in known.get(module, [module])}
            if not needed & {_PART_OF.get(name, name) for name in distributions}:
                yield file.finding(node, f"{module} is imported but not among the dependencies in pyproject.toml.")


def name_of(requirement: str) -> str:
    """Return the normalised name (PEP 503) that a requirement begins with."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def _imports(file: File) -> Iterator[tuple[str, ast.AST]]:
    """Go through the foreign packages that a file imports."""
    for node in ast.walk(file.syntax):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case _:
                continue
        for top in (module.split(".")[0] for module in modules):
            if top not in sys.stdlib_module_names and top != "ordermill":
                yield top, node
