"""
Writes the part of docs/cli.md that follows from the commands themselves: `python -m checks.cli_reference`.

tests/doors/cli/test_help.py fails when it was forgotten.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from ordermill.cli import app

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs/cli.md"
MARK: Final = "<!-- What follows is written by `python -m checks.cli_reference`. -->\n"


def document(text: str) -> str:
    """Return the document with its generated part as it must be now."""
    kept, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError(f"{DOCUMENT.name} has lost its mark: {MARK}")
    return kept + mark + "".join(_section(path, command) for path, command in _commands(get_command(app)))


def _commands(command: Any, path: str = "ordermill") -> Iterator[tuple[str, Any]]:
    for name, child in command.commands.items():
        yield f"{path} {name}", child
        if hasattr(child, "commands"):
            yield from _commands(child, f"{path} {name}")


def _section(path: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    title = " ".join([path, *(each.metavar for each in arguments)])
    parts = [f"\n## `{title}`\n", _paragraphs(command.help)]
    rows = [*(_row(f"`{each.metavar}`", each) for each in arguments), *(_row(_spelt(each), each) for each in options)]
    if rows:
        parts.append("\n".join(["| | |", "| --- | --- |", *rows]) + "\n")
    if command.epilog:
        parts.append(f"```sh\n{command.epilog.removeprefix('Example: ')}\n```\n")
    return "\n".join(parts)


def _paragraphs(help: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in help.split("\n\n")) + "\n"


def _row(name: str, parameter: Any) -> str:
    return f"| {name} | {parameter.help.replace('|', chr(92) + '|')} |"


def _spelt(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar}"
    return ", ".join(f"`{word}{value}`" for word in reversed(option.opts))


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
