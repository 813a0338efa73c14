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
_OK: Final = 200
_NO_METHOD: Final = 405
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
# … for what a schema would have to repeat in every field: control characters are nowhere taken, moments have bounds …
_EVERYWHERE: Final = frozenset({"text_not_storable", "time_out_of_range"})
# … and for 2.0, which is an integer to JSON Schema: a number with a point is refused here, since readers round some of them.
_POINTED: Final = frozenset({"int_type", "amount_not_exact"})
# The first request that fails tells enough, and time is short; nothing is remembered from run to run.
_GENERATION: Final = {"no-shrink": True, "database": "none"}
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
    followed: Counter[str] = field(default_factory=Counter)
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


def fuzz(  # noqa: PLR0913  # how long and how thoroughly
    server: Served, headers: Mapping[str, str], *, examples: int, walks: int, coverage: bool = True, seconds: int | None = None
) -> Findings:
    """
    Run every check over requests as the description shows them, at the bounds of what it allows, and made up; then over walks
    along its links, as a shop's programs go.

    Args:
        examples: how many are made up for each operation.
        walks: how many there are.
        coverage: try the bounds of each field as well, which takes longest.
        seconds: go on with new ones until they are over; without it each run makes the same requests.
    """
    chosen: dict[str, Any] = {
        "generation": {"deterministic": seconds is None, "max-examples": examples, **_GENERATION},
        "phases": {"coverage": {"enabled": coverage}, "stateful": {"generation": {"max-examples": walks}}},
    }
    if seconds is not None:
        chosen["max-time"] = seconds
    found = Findings()
    for event in engine.from_schema(_schema(server, headers, chosen)).execute():
        if isinstance(event, events.ScenarioFinished):
            _take_over(event, found)
        elif isinstance(event, events.NonFatalError):
            found.failures.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    # Whoever loses what they came in with finds nothing, and would be content.
    if httpx.get(f"{server.url}/products", headers=dict(headers)).status_code != _OK:
        found.failures.append("The caller was shut out while the run was under way.")
    found.failures += [f"The server failed: {json.dumps(bug)}" for bug in server.log("bug")]
    return found


def _schema(server: Served, headers: Mapping[str, str], chosen: dict[str, Any]) -> Any:
    everything = {
        **chosen,
        "seed": SEED,
        "base-url": server.url,
        "headers": dict(headers),
        "checks": _CHECKS,
        "auth": {"auto-signup": False},  # the callers are made here
        "cache": {"enabled": False},
        "request-timeout": 60,
        "continue-on-failure": True,
    }
    config = schemathesis.Config.from_dict(everything)
    schema = schemathesis.openapi.from_dict(httpx.get(f"{server.url}/openapi.json").json(), config=config)
    schema.hook("filter_failure")(_is_failure)
    return schema


_NUMBERS: Final = count(1)


@schemathesis.hook("before_call")
def _fresh(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    if case.headers and len(key := case.headers.get("Idempotency-Key") or "") == len("8e03978e-40d5-43dd-bc93-6894a57f9324"):
        case.headers["Idempotency-Key"] = f"{next(_NUMBERS):08}{key[8:]}"


def _is_failure(context: Any, failure: Failure, case: Any, response: Any) -> bool:
    if not isinstance(failure, RejectedPositiveData):
        return True
    problem = response.json()
    faults = {error["code"] for error in problem.get("errors", ())}
    return problem["code"] not in _EXCUSED and not (faults and faults <= _TOGETHER | _EVERYWHERE | _POINTED)


class UndocumentedCode(Failure):
    """A problem whose code the description does not name for this operation and status."""


@schemathesis.check
def documented_code(context: Any, response: Any, case: Any) -> None:
    """Hold each problem to what its operation says may go wrong; a method that there is not has no operation."""
    if response.headers.get("content-type", [""])[0] != "application/problem+json" or response.status_code == _NO_METHOD:
        return
    code = response.json()["code"]
    answers = case.operation.definition.raw["responses"]
    content = answers.get(str(response.status_code), {}).get("content", {}).get("application/problem+json", {})
    if code not in content.get("examples", {}):
        raise UndocumentedCode(
            operation=case.operation.label, title=f"Undocumented code {response.status_code} {code}", message=response.text
        )


def _take_over(event: events.ScenarioFinished, found: Findings) -> None:
    recorder = event.recorder
    found.cases[event.phase.value] += len(recorder.cases)
    for node in recorder.cases.values():
        if node.is_transition_applied and node.transition is not None:
            found.followed[node.transition.id] += 1
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
