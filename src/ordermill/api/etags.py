"""
Entity tags (RFC 9110, 8.8.3 and 13.1): the version of a thing, as HTTP says it.

    ETag: "3"      If-None-Match: "3"  → 304      If-Match: "3"  → change it only if it still is that
"""

import re
from typing import Annotated, Final

from fastapi import Header

from ordermill.kit.errors import Invalid, StaleVersion

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The `ETag` that your change is based on. Missing: 428. The thing has changed since: 412.",
        examples=['"3"'],
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", description="An `ETag` you have already: 304 when it still is current.", examples=['"3"']),
]

_TAG: Final = re.compile(r'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
_VERSION: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class PreconditionRequired(Invalid):
    """A change must say what it is based on."""

    default_code = "precondition_required"

    def __init__(self) -> None:
        super().__init__("Send If-Match with the ETag of what you have read, so that nobody's change is overwritten unseen.")


def etag(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def still_current(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller has what `tag` stands for already; compared weakly, as RFC 9110 wants it for If-None-Match."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag.strip('"') in {found["opaque"] for found in _TAG.finditer(if_none_match)}


def matches(if_match: str, tag: str) -> bool:
    """Whether `If-Match` names a tag: a weak one never does, `*` always."""
    named = {found["opaque"] for found in _TAG.finditer(if_match) if found["weak"] is None}
    return if_match.strip() == "*" or tag.strip('"') in named


def expected_version(if_match: str | None, *, what: str) -> int | None:
    """
    Return the version that a change is based on; None for `*`, which is any.

    Of several tags the one with the greatest version counts: versions only grow, so no other can still be current.

    Args:
        what: names the thing in the refusal, such as "The order".

    Raises:
        PreconditionRequired: nothing was said.
        StaleVersion: no strong tag of ours is in it; a weak one never matches.
    """
    if if_match is None:
        raise PreconditionRequired
    if if_match.strip() == "*":
        return None
    strong = [found["opaque"] for found in _TAG.finditer(if_match) if found["weak"] is None]
    versions = [int(opaque) for opaque in strong if _VERSION.fullmatch(opaque)]
    if not versions:
        raise StaleVersion(what)
    return max(versions)
