"""What `products` and `discounts` share: drafts of typed words, files taken in, and what became of their lines."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ordermill.cli.console import complain, narrate, print_json, say
from ordermill.cli.program import Code

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ordermill.catalogue.intake import Intake

    M = TypeVar("M", bound=BaseModel)

# As many refused lines as are told one by one; a file whose every line is wrong is wrong in one way.
SHOWN = 100


FromFile = Annotated[Path, typer.Argument(metavar="FILE", help="Ends with .csv or .jsonl.")]
ToFile = Annotated[Path, typer.Argument(metavar="FILE", help="Ends with .csv or .jsonl; a file there is replaced.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would become of it, and write nothing.")]


def drafted(model: "type[M]", **said: Any) -> "M":
    """
    Return the draft of what was typed; what is None was left out.

    Raises:
        Invalid: `invalid`, with the options that are wrong.
    """
    from pydantic import ValidationError

    from ordermill.kit.errors import Invalid

    try:
        return model.model_validate({name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = [f"{'/'.join(map(str, each['loc'])) or 'options'}: {each['msg'].removesuffix('.')}." for each in problems]
        raise Invalid(" ".join(told)) from None


def progress(taken: "Intake") -> None:
    """Tell people how far a file is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{taken.read:,} lines")
        sys.stderr.flush()


def outcome(taken: "Intake", *, noun: str, dry_run: bool, as_json: bool) -> Code:
    """Print what became of a file's lines, the refused ones to stderr; return the exit code."""
    if sys.stderr.isatty():
        narrate("")
    if as_json:
        refused = [
            {"line": each.line, "field": each.field, "code": each.code, "message": each.message} for each in taken.refused
        ]
        counts = {"read": taken.read, "new": taken.new, "changed": taken.changed, "unchanged": taken.unchanged}
        print_json({**counts, "rejected": taken.refused_lines, "dry_run": dry_run, "errors": refused})
    else:
        for each in taken.refused[:SHOWN]:
            complain(f"line {each.line}, {each.field or 'all of it'}: {each.message}")
        if len(taken.refused) > SHOWN:
            complain(f"… and {len(taken.refused) - SHOWN:,} more; --json tells them all.")
        say(
            f"{taken.read:,} {noun} read: {taken.new:,} new, {taken.changed:,} changed, {taken.unchanged:,} unchanged, "
            f"{taken.refused_lines:,} rejected."
        )
        if dry_run:
            say("Dry run: nothing was written.")
    return Code.DIFFERENCES if taken.refused else Code.DONE
