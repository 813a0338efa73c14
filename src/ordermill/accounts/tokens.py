"""
Access tokens: signed claims that say who somebody is for at most 15 minutes, and the strict reading of them.

    header   alg=HS256, typ=at+jwt, kid (the key that signed, by a name that only the settings resolve)
    claims   iss, aud, sub, jti, iat, nbf, exp, and what else the caller puts in

Not here: whom a token stands for (access), and refresh tokens, which are no JWTs (sessions).

Source of the rules: RFC 8725 (best practices), RFC 9068 (`at+jwt`), RFC 7518, section 3.2 (length of keys).
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import jwt

from ordermill.accounts.keyring import DerivedKey
from ordermill.kit.clock import Clock, SystemClock
from ordermill.kit.errors import Forbidden, Invalid
from ordermill.kit.ids import new_id

# The longest life of a token, and so the time within which a lost one is worth nothing.
LASTS: Final = timedelta(minutes=15)
# For clocks of other hosts that are ahead; an end is never put off, so that `LASTS` stays the longest life.
LEEWAY_S: Final = 60
# Ours have some 400 letters; whoever sends more wants us to work.
LIMIT: Final = 4096

ISSUER: Final = "ordermill"
AUDIENCE: Final = "ordermill-api"
_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_LEAST_BYTES: Final = 32
_OURS: Final = frozenset({"iss", "aud", "jti", "iat", "nbf", "exp"})
_REQUIRED: Final = (*sorted(_OURS), "sub")
_SEGMENTS: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})", re.ASCII)
_LAST_MOMENT: Final = 253_402_300_799  # of the year 9999: no later one is a moment to Python


class Unauthenticated(Forbidden):
    """Nobody we know; why is not told, for whoever forged a token would learn from it."""

    default_code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("Sign in, or send a valid API key; what was sent is not valid, or not any more.")


def create_access_token(
    data: Mapping[str, Any],
    expires_delta: timedelta = LASTS,
    *,
    key: str | bytes | DerivedKey,
    clock: Clock | None = None,
) -> str:
    """
    Return a signed access token that says `data`, and for how long.

        >>> from ordermill import create_access_token, decode_access_token
        >>> token = create_access_token({"sub": "12"}, key="an example of a key, 32 bytes or more")
        >>> decode_access_token(token, key="an example of a key, 32 bytes or more")["sub"]
        '12'

    Args:
        data: the claims; `sub`, a text, is needed. `iss`, `aud`, `jti`, `iat`, `nbf` and `exp` are set here.
        expires_delta: whole seconds, from 1 to the 15 minutes after which no token is read.
        key: of 32 bytes or more. A key that is derived from the book's secret brings its own name.

    Raises:
        Invalid: `token_claims`, `token_life`, `token_key`.
    """
    subject = data.get("sub")
    if not isinstance(subject, str) or not subject or _OURS & data.keys():
        raise Invalid(f"Give a text as sub, and leave {', '.join(sorted(_OURS))} out: they are set here.", code="token_claims")
    if not timedelta(seconds=1) <= expires_delta <= LASTS:
        raise Invalid("An access token lasts from a second to 15 minutes.", code="token_life")
    return issue(data, expires_delta, _derived(key), now=(clock or SystemClock()).now())


def decode_access_token(token: str, *, key: str | bytes | DerivedKey, clock: Clock | None = None) -> dict[str, Any]:
    """
    Return the claims of an access token.

        >>> from ordermill import Forbidden, create_access_token, decode_access_token
        >>> token = create_access_token({"sub": "12"}, key="an example of a key, 32 bytes or more")
        >>> try:
        ...     decode_access_token(token, key="another key, as long as the first one")
        ... except Forbidden as refusal:
        ...     print(refusal.code)
        unauthenticated

    Raises:
        Unauthenticated: it is forged, damaged, of another kind, from elsewhere, too old or not valid yet; a
            `Forbidden` with the code `unauthenticated`.
        Invalid: `token_key`.
    """
    return read(token, [_derived(key)], now=(clock or SystemClock()).now())


def issue(data: Mapping[str, Any], life: timedelta, key: DerivedKey, *, now: datetime) -> str:
    """Return a signed access token, as `create_access_token` does, of what is known to be right."""
    issued = int(now.timestamp())
    claims = {
        **data,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "jti": str(new_id(now)),
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(life.total_seconds()),
    }
    return jwt.encode(claims, key.secret, algorithm=_ALGORITHM, headers={"typ": _TYPE, "kid": key.id})


def read(token: str, keys: Sequence[DerivedKey], *, now: datetime) -> dict[str, Any]:
    """
    Return the claims of an access token that one of `keys` signed.

    Raises:
        Unauthenticated: as `decode_access_token` does.
    """
    parts = _SEGMENTS.fullmatch(token) if len(token) <= LIMIT else None
    if parts is None or not all(map(_canonical, parts.groups())):
        raise Unauthenticated
    secret = _signer(parts[1], keys)
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            # Moments are judged below, by the moment that is handed in.
            options={
                "require": list(_REQUIRED), "strict_aud": True, "verify_exp": False, "verify_iat": False, "verify_nbf": False,
            },
        )  # fmt: skip
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise Unauthenticated from None
    if not _in_time(claims, int(now.timestamp())) or not _is_id(claims["jti"]) or not claims["sub"]:
        raise Unauthenticated
    return claims


def _derived(key: str | bytes | DerivedKey) -> DerivedKey:
    if isinstance(key, DerivedKey):
        return key
    secret = key.encode() if isinstance(key, str) else key
    if len(secret) < _LEAST_BYTES:
        raise Invalid("A key has at least 32 bytes; `openssl rand -hex 32` prints one.", code="token_key")
    return DerivedKey(id=sha256(b"kid" + secret).hexdigest()[:12], secret=secret)


def _signer(header: str, keys: Sequence[DerivedKey]) -> bytes:
    """Return the secret of the key that a header names, which must say what ours say and nothing else."""
    try:
        said = json.loads(_bytes(header))
    except (ValueError, RecursionError):
        raise Unauthenticated from None
    for key in keys:
        if said == {"alg": _ALGORITHM, "typ": _TYPE, "kid": key.id}:
            return key.secret
    raise Unauthenticated


def _in_time(claims: Mapping[str, Any], now: int) -> bool:
    moments = [claims[name] for name in ("iat", "nbf", "exp")]
    # `True` is an int to Python, and no moment.
    if not all(type(moment) is int and 0 <= moment <= _LAST_MOMENT for moment in moments):
        return False
    issued, start, end = moments
    begun = max(issued, start) <= now + LEEWAY_S
    return bool(begun and now < end and 0 < end - issued <= LASTS.total_seconds() and start < end)


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _canonical(segment: str) -> bool:
    """Whether a segment is the one spelling of its bytes: the bits behind the last byte are free, and must be 0."""
    try:
        return base64.urlsafe_b64encode(_bytes(segment)).rstrip(b"=").decode() == segment
    except ValueError:
        return False


def _bytes(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
