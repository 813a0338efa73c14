"""
Schemathesis over a real server: every operation of the description, as a given caller, and what it found.

All of its checks are on. What it is told beyond the description stands here, each with its reason:

    _EXCUSED    rules that no schema can say, in which a valid request may break
    _CHECKS     statuses that its checks do not know
    _fresh      one documented Idempotency-Key is one request, and the fuzzer makes thousands
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Literal

import httpx
import schemathesis
from schemathesis import engine
from schemathesis.core.failures import Failure
from schemathesis.engine import events
from schemathesis.openapi.checks import RejectedPositiveData
from serving import Served

from ordermill.api.codes import CODES

Caller = Literal["staff", "user", "storefront"]

SEED: Final = 20261124
PASSWORD: Final = "a mill by the river"
_EXAMPLE_PRODUCT: Final = 7  # as in the examples of the description, so that they can be bought

# A schema says what a field may hold; a code of its own says why a request that is well formed cannot be done. These four
# are the words for what a schema does say, so there is no excuse for them…
_WORDS_OF_THE_SCHEMA: Final = frozenset({"invalid", "body_malformed", "bad_request", "unsupported_media_type"})
_EXCUSED: Final = frozenset(CODES) - _WORDS_OF_THE_SCHEMA
# … but for what two fields say together.
_TOGETHER: Final = frozenset(
    {
        "stock_said_twice",  # how much there is, and how much came
        "password_missing",  # the current password without a new one
        "repeated_product",  # two lines of one product
    }
)
_CHECKS: Final = {
    # RFC 6585, 3: a change without If-Match.
    "missing_required_header": {"expected-statuses": ["400", "401", "403", "404", "422", "428"]},
}


@dataclass
class Findings:
    """What a run came to."""

    failures: list[str] = field(default_factory=list)
    cases: Counter[str] = field(default_factory=Counter)
    answered: Counter[int] = field(default_factory=Counter)
    followed: int = 0
    checks: set[str] = field(default_factory=set)


def prepare(server: Served) -> Mapping[Caller, Mapping[str, str]]:
    """Put into an empty book what the description's examples speak of, and return the header of each caller."""
    with httpx.Client(base_url=server.url, timeout=60) as client:

        def made(path: str, said: Mapping[str, Any], **headers: str) -> dict[str, Any]:
            answer = client.post(path, json=said, headers=headers)
            assert answer.status_code == 201, answer.text
            return dict(answer.json())

        def signed_in(email: str) -> dict[str, str]:
            answer = client.post("/auth/token", data={"username": email, "password": PASSWORD})
            return {"Authorization": f"Bearer {answer.json()['access_token']}"}

        grace = {"email": "grace@example.com", "name": "Grace", "password": PASSWORD}
        made("/setup", {**grace, "token": server.setup_link.partition("#")[2]})
        made("/users", {**grace, "email": "alan@example.com"})
        staff = signed_in("grace@example.com")
        for number in count(1):
            product = made("/products", {"sku": f"SHELF-{number}", "name": "Tea", "price": "4.50", "currency": "EUR"}, **staff)
            if product["id"] >= _EXAMPLE_PRODUCT:
                break
        key = made("/api-keys", {"name": "Storefront", "scope": "storefront"}, **staff)
        return {
            "staff": staff,
            "user": signed_in("alan@example.com"),
            "storefront": {"Authorization": f"Bearer {key['secret']}"},
        }


def fuzz(server: Served, headers: Mapping[str, str], *, examples: int, seconds: int | None = None) -> Findings:
    """
    Run every phase and every check.

    Args:
        examples: as many for each operation when it makes requests up, and as many walks along the links.
        seconds: go on with new ones until they are over; without it each run makes the same requests.
    """
    found = Findings()
    for event in engine.from_schema(_schema(server, headers, examples=examples, seconds=seconds)).execute():
        if isinstance(event, events.ScenarioFinished):
            _take_over(event, found)
        elif isinstance(event, events.NonFatalError):
            found.failures.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    found.failures += [f"The server failed: {json.dumps(bug)}" for bug in server.log("bug")]
    return found


def _schema(server: Served, headers: Mapping[str, str], *, examples: int, seconds: int | None) -> Any:
    chosen: dict[str, Any] = {
        "seed": SEED,
        "base-url": server.url,
        "headers": dict(headers),
        "checks": _CHECKS,
        "auth": {"auto-signup": False},  # the callers are made here
        "cache": {"enabled": False},
        "request-timeout": 60,
        "continue-on-failure": True,
        "generation": {
            "deterministic": seconds is None,
            "max-examples": examples,
            "no-shrink": True,  # the first request that fails tells enough, and time is short
            "database": "none",
        },
    }
    if seconds is not None:
        chosen["max-time"] = seconds
    config = schemathesis.Config.from_dict(chosen)
    schema = schemathesis.openapi.from_dict(httpx.get(f"{server.url}/openapi.json").json(), config=config)
    schema.hook("before_call")(_fresh)
    schema.hook("filter_failure")(_is_failure)
    return schema


_NUMBERS: Final = count(1)


def _fresh(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    if case.headers and len(key := case.headers.get("Idempotency-Key") or "") == len("8e03978e-40d5-43dd-bc93-6894a57f9324"):
        case.headers["Idempotency-Key"] = f"{next(_NUMBERS):08}{key[8:]}"


def _is_failure(_context: Any, failure: Failure, _case: Any, response: Any) -> bool:
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    together = {error["code"] for error in problem.get("errors", ())}
    return problem["code"] not in _EXCUSED and not (together and together <= _TOGETHER)


def _take_over(event: events.ScenarioFinished, found: Findings) -> None:
    recorder = event.recorder
    found.cases[event.phase.value] += len(recorder.cases)
    found.followed += sum(node.is_transition_applied for node in recorder.cases.values())
    for interaction in recorder.interactions.values():
        if interaction.response is not None:
            found.answered[interaction.response.status_code] += 1
    for case, checks in recorder.checks.items():
        for check in checks:
            found.checks.add(check.name)
            if check.failure_info is not None:
                answer = recorder.interactions[case].response
                said = "" if answer is None else answer.text[:1000]
                found.failures.append(f"{check.failure_info.failure}\n{check.failure_info.code_sample}\n{said}")
