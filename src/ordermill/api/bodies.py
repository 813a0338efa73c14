"""
Reading a JSON body so that nothing is guessed: one text has one meaning, or it is refused (RELIABILITY.md 1.2).

Python's own reader takes NaN and Infinity, makes infinity of 1e400, lets the last of two equal names win, guesses UTF-16
and passes on halves of surrogate pairs, which no database stores and no answer can repeat.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from starlette.requests import Request

# Above anything that is meant: the largest order has 500 items of 3 fields, and texts that may hold 9,000 commas.
# Half a million values in one body took 12 s to be found wrong, one by one, with everybody else waiting.
_MOST_COMMAS: Final = 20_000
_HALF_PAIR: Final = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Malformed:
    """
    Stands for a body that is no JSON.

    It is handed on as if it were one, for FastAPI reads the body before it asks who is there; as no model takes it, it
    comes back in the error that validation raises.
    """

    sentence: str

    def __getattr__(self, name: str) -> NoReturn:
        # FastAPI lets models read attributes too: one whose fields may all be left out would take this for an empty body.
        raise TypeError(name)


class StrictRequest(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        return parse(await self.body())


def parse(body: bytes) -> Any:
    """Return the value of a JSON text, or `Malformed`."""
    if body.count(b",") > _MOST_COMMAS:
        return Malformed("The body holds too many values.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
        if _HALF_PAIR.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except _Refused as refusal:
        return Malformed(str(refusal))
    except UnicodeError:
        return Malformed("The body is not UTF-8, or holds half of a surrogate pair.")
    except RecursionError:
        return Malformed("The body is nested too deeply.")
    except ValueError as error:  # a number of more digits than Python reads is one too
        place = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        return Malformed(f"The body is not JSON{place}.")
    return value


class _Refused(ValueError):
    """What JSON allows, or Python does, and we do not."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused("The body has a name twice in one object.")
    return value


def _constant(_text: str) -> float:
    raise _Refused("The body holds NaN or Infinity, which JSON does not have.")


def _float(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise _Refused("The body holds a number beyond all bounds.")
    return value
