"""
What a process that brings in an upload tells the server which started it: one JSON object a line.

    {"begun": "0192f1c4-…"}     its run is open; the file can be read, and loading goes on
    {"finished": {…} or null}   it is done; the report of a dry run
    {"refused": […]}            it is not done; kind, code, sentence and facts of the refusal

Nothing at all is said of an orderly stop: what was asked for is known to whoever asked.
"""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from ordermill.kit.errors import Conflict, Forbidden, Invalid, NotFound, ServiceError, Unavailable

_KINDS: Final = {kind.__name__: kind for kind in (NotFound, Conflict, Forbidden, Invalid, Unavailable)}


@dataclass(frozen=True, slots=True)
class Begun:
    """The run is open."""

    import_id: UUID


@dataclass(frozen=True, slots=True)
class Finished:
    """All is done; `report` is that of a dry run."""

    report: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It could not be done."""

    refusal: ServiceError


Message = Begun | Finished | Refused


def line_of(message: Message) -> bytes:
    """Return a message as it is sent."""
    match message:
        case Begun(import_id):
            said: dict[str, Any] = {"begun": str(import_id)}
        case Finished(report):
            said = {"finished": report}
        case Refused(refusal):
            kind = next(name for name, kind in _KINDS.items() if isinstance(refusal, kind))
            said = {"refused": [kind, refusal.code, refusal.message, refusal.details]}
    return json.dumps(said, default=str).encode() + b"\n"


def message_of(line: bytes) -> Message:
    """Read a message back."""
    match json.loads(line):
        case {"begun": id}:
            return Begun(UUID(id))
        case {"finished": report}:
            return Finished(report)
        case {"refused": [kind, code, message, details]}:
            return Refused(_KINDS[kind](message, code=code, details=details))
        case _:
            raise ValueError("This is no message of a process that brings in an upload.")
