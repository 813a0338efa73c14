"""
How a command ends: the five kinds of refusal become a sentence on stderr and an exit code, and so does a bug.

No other module of the terminal knows an exit code by its number.
"""

import contextlib
import errno
import os
import tempfile
import traceback
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from ordermill import __version__
from ordermill.cli.console import complain
from ordermill.kit.errors import Conflict, Forbidden, Invalid, NotFound, ServiceError, Unavailable


class Code(IntEnum):
    """What the shell is told; 130 and 143 stand for SIGINT and SIGTERM."""

    DONE = 0
    DIFFERENCES = 1
    USAGE = 2
    ENVIRONMENT = 3
    BUG = 70


_CODES: Final[dict[type[ServiceError], Code]] = {
    NotFound: Code.DIFFERENCES,
    Conflict: Code.DIFFERENCES,
    Forbidden: Code.DIFFERENCES,
    Invalid: Code.USAGE,
    Unavailable: Code.ENVIRONMENT,
}


def code_of(refusal: ServiceError) -> Code:
    """Return the exit code of a refusal, by its kind."""
    return next(code for kind, code in _CODES.items() if isinstance(refusal, kind))


class Program(TyperGroup):
    """The whole of `ordermill`: commands return an exit code, or raise."""

    def invoke(self, ctx: Any) -> Any:
        try:
            code = super().invoke(ctx)
        except ServiceError as refusal:
            complain(refusal.message)
            raise typer.Exit(code_of(refusal)) from refusal
        except (TyperException, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # whoever read our output has gone; Typer knows what to do
            _confess(error, debug=bool((ctx.obj or {}).get("debug")))
            raise typer.Exit(Code.BUG) from error
        raise typer.Exit(code or Code.DONE)


def _confess(error: Exception, *, debug: bool) -> None:
    text = f"ordermill {__version__}\n{''.join(traceback.format_exception(error))}"
    place = "shown above" if debug else _kept(text)
    if debug:
        complain(text)
    complain(
        f"This is a bug in Ordermill, not in your data: {type(error).__name__}. Its traceback is {place}; please report it."
    )


def _kept(text: str) -> str:
    """Keep a traceback for a report and say where; it may speak of people's data, so it is for its owner's eyes only."""
    with contextlib.suppress(OSError):
        handle, name = tempfile.mkstemp(prefix="ordermill-bug-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return f"in {Path(name)}"
    return "shown by --debug: ordermill --debug …"
