"""What exists is documented, and what is documented exists: commands and options, settings, codes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from typer.main import get_command

from checks.tree import Tree
from ordermill.cli import app
from ordermill.config import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
# Typer gives these to every program; they are not ours to explain.
_TYPERS_OWN: Final = {"--help", "--install-completion", "--show-completion"}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Go through the commands a person can type, as `imports list`, with their long options."""
    waiting = [("", get_command(app))]
    while waiting:
        path, command = waiting.pop(0)
        for name, child in getattr(command, "commands", {}).items():
            if not child.hidden:
                waiting.append((f"{path} {name}".strip(), child))
        if path:
            options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
            yield path, sorted(set(options) - _TYPERS_OWN)


def section(path: str) -> str:
    """Return what docs/cli.md says under the heading of one command; "" without one."""
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    found = re.search(rf"^#+ `ordermill {re.escape(path)}\b[^\n]*\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def codes() -> set[str]:
    """Return every code that a refusal or a reject can carry, read off the places where codes are given."""
    nodes = (node for file in Tree(ROOT).python("src") for node in ast.walk(file.syntax))
    return {code for node in nodes for given in _places(node) for code in _texts(given)}


def _places(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.keyword(arg="code", value=given):
            yield given
        case ast.AnnAssign(target=ast.Name(id="default_code" | "code"), value=ast.expr() as given):
            yield given
        case ast.Assign(targets=[ast.Name(id="default_code" | "code" | "CODE" | "Defect")], value=given):
            yield given
        case ast.AnnAssign(target=ast.Name(id="_ADVICE" | "_STRUCTURE"), value=ast.Dict(keys=keys)):  # a sentence by code
            yield from (key for key in keys if key is not None)
        case ast.Call(func=ast.Attribute(attr="in_rows" | "in_orders"), args=[given, *_]):
            yield given


def _texts(given: ast.expr) -> Iterator[str]:
    """Go through what an expression can be: a text, one of two, one of a table or one of a `Literal`."""
    match given:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one)
            yield from _texts(other)
        case (
            ast.Subscript(value=ast.Dict(values=values))
            | ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=values))
        ):
            for value in values:
                yield from _texts(value)


class TestCommands:
    @pytest.mark.parametrize(("path", "options"), list(commands()))
    def test_each_has_a_section_that_names_its_options(self, path: str, options: list[str]) -> None:
        text = section(path)
        assert text, f"docs/cli.md has no heading for `ordermill {path}`"
        assert [option for option in options if f"`{option}" not in text and f", {option}" not in text] == []

    def test_no_section_is_about_a_command_that_is_gone(self) -> None:
        headings = re.findall(r"^#+ `ordermill ([a-z -]+?)(?: [A-Z[…][^`]*)?`", (DOCS / "cli.md").read_text(), re.MULTILINE)
        assert set(headings) - {path for path, _ in commands()} == set()


class TestSettings:
    def test_each_variable_is_documented_and_each_documented_one_exists(self) -> None:
        documented = set(re.findall(r"^\|? ?`(ORDERMILL_[A-Z_]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE))
        assert documented == {f"ORDERMILL_{name.upper()}" for name in Settings.model_fields}


class TestCodes:
    def test_each_code_is_documented_and_each_documented_one_exists(self) -> None:
        documented = set(re.findall(r"^\| `([a-z_]+)`", (DOCS / "errors.md").read_text(), re.MULTILINE))
        assert documented == codes()
