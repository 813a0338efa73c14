"""
A request that carries a key is carried out once: the first answer is kept in the transaction of what it did, and given again.

    key_of       what the header `Idempotency-Key` says
    Once         such a request: who, where, under which key, and what it says
    answered     a use case in a unit, carried out once
    Answers      what is asked of storage

A refusal is never kept: it did nothing, so the same request may succeed later. Not here: who may ask at all, which the
door and the use case ask again before an answer is given a second time.

Source: draft-ietf-httpapi-idempotency-key-header; RFC 8941, section 3.3.3 (strings).
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar

from ordermill.accounts.principal import Principal
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Conflict, Invalid
from ordermill.kit.ports import UnitOfWork

HEADER: Final = "Idempotency-Key"
# What a unit's commit says (`kit.errors.Taken`) when another request with this key was answered meanwhile.
CONSTRAINT: Final = "idempotency_keys_pkey"
RETRY_AFTER_S: Final = 1
# A bare key does not begin like a string; a string's inner quotation marks and backslashes follow a backslash.
_BARE: Final = re.compile(r"[!#-~][ -~]{0,254}")
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_ESCAPED: Final = re.compile(r'\\(["\\])')
_LONGEST: Final = 255


class KeyReused(Invalid):
    """The key stands for another request of the same caller."""

    default_code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request; take a new key for each thing that is to be done.")


class KeyMissing(Invalid):
    """A program must be able to ask again without doing a thing twice."""

    default_code = "idempotency_key_missing"

    def __init__(self) -> None:
        super().__init__(
            "Send an Idempotency-Key, a new one for each order, so that the same request can be sent again safely."
        )


class InFlight(Conflict):
    """The first request with this key is still being carried out."""

    default_code = "idempotency_in_flight"

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is still being carried out; ask again in a moment.",
            details={"retry_after_s": RETRY_AFTER_S},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """
    One request with a key. Keys are each caller's own, and each route's.

    `principal` is the ledger's actor, `route` the method and path ("POST /orders"), `fingerprint` the SHA-256 of method,
    path and the validated body.
    """

    principal: str
    route: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, principal: Principal, route: str, key: str, *, content: str) -> "Once":
        """Build it; `content` is the validated body as `model_dump_json` writes it, alike however it was spelt, amounts too."""
        said = hashlib.sha256(f"{route}\n{content}".encode()).hexdigest()
        return cls(principal=principal.actor, route=route, key=key, fingerprint=said)

    def recall(self, fingerprint: str, answer: str) -> "Answer":
        """
        Return the kept answer if it was given to this very request.

        Raises:
            KeyReused: it was given to another one.
        """
        if fingerprint != self.fingerprint:
            raise KeyReused
        return Answer(answer, replayed=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response's exact body; `replayed` when it was given before."""

    body: str
    replayed: bool = False


class Answers(Protocol):
    """The answers given to requests that carried a key."""

    async def find(self, once: Once) -> Answer | None:
        """
        Return what was answered to this request before.

        Raises:
            KeyReused: the key stands for another request.
        """
        ...

    async def keep(self, once: Once, body: Callable[[], str], *, at: datetime) -> None:
        """
        Remember the answer with the unit's changes; `body` is asked at commit, behind everything told before it.

        Raises, at `commit`: `Taken(CONSTRAINT)`, when another request with the key was answered meanwhile.
        """
        ...


class AnsweringUnit(UnitOfWork, Protocol):
    """An open unit that keeps answers."""

    @property
    def answers(self) -> Answers: ...


Unit = TypeVar("Unit", bound=AnsweringUnit)


def key_of(sent: Sequence[str]) -> str | None:
    """
    Return the key that a request's headers of that name say: a bare text, or the same as a quoted string.

    Raises:
        Invalid: `idempotency_key_malformed`: there are two, or it is not 1 to 255 printable ASCII characters.
    """
    if not sent:
        return None
    text = sent[0].strip(" \t")
    quoted = _QUOTED.fullmatch(text)
    key = _ESCAPED.sub(r"\1", quoted[1]) if quoted else text
    if len(sent) > 1 or not 1 <= len(key) <= _LONGEST or not (quoted or _BARE.fullmatch(text)):
        raise Invalid(
            'Write one Idempotency-Key of 1 to 255 printable ASCII characters, bare or as a string in "…".',
            code="idempotency_key_malformed",
        )
    return key


async def answered(
    units: Callable[[], Unit],
    once: Once | None,
    do: Callable[[Unit], Awaitable[Callable[[], str]]],
    *,
    clock: Clock,
) -> Answer:
    """
    Carry out a use case in a unit and commit it, or give the answer that was given before.

    Args:
        do: tells the unit what is to be done and returns how the answer is built once that has been written. It is not called
            where an answer is there, so whether the caller may must have been asked before.

    Raises:
        KeyReused: the key stands for another request.
    """
    async with units() as unit:
        if once is not None and (given := await unit.answers.find(once)) is not None:
            return given
        try:
            body = await do(unit)
            if once is not None:
                await unit.answers.keep(once, body, at=clock.now())
            await unit.commit()
        except Conflict:
            # Whatever stood in the way may be what the same request did a moment before.
            await unit.rollback()
            given = None if once is None else await unit.answers.find(once)
            if given is None:
                raise
            return given
    return Answer(body())
