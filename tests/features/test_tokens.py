"""Access tokens: what they say, and the thirty ways of forging one (RELIABILITY.md C1)."""

import base64
import doctest
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from builders import NOON
from clocks import HandClock
from hypothesis import given
from hypothesis import strategies as st

from ordermill import create_access_token, decode_access_token
from ordermill.accounts import tokens
from ordermill.accounts.keyring import DerivedKey, KeyRing
from ordermill.kit.errors import Forbidden, Invalid

KEY = DerivedKey(id="key-1", secret=b"k" * 32)
OTHER = DerivedKey(id="key-2", secret=b"o" * 32)
NOW = int(NOON.timestamp())
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "key-1"}
CLAIMS = {
    "iss": "ordermill", "aud": "ordermill-api", "sub": "12", "jti": "0192f1c4-7a1e-7000-8000-000000000001",
    "iat": NOW, "nbf": NOW, "exp": NOW + 900,
}  # fmt: skip


def b64(content: bytes | str | dict[str, Any]) -> str:
    plain = (
        json.dumps(content).encode() if isinstance(content, dict) else content.encode() if isinstance(content, str) else content
    )
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def signed(header: Any = HEADER, claims: Any = CLAIMS, *, key: DerivedKey = KEY) -> str:
    """Return a token as only who knows the key can write it, whatever it says."""
    text = f"{b64(header)}.{b64(claims)}"
    return f"{text}.{b64(hmac.new(key.secret, text.encode(), hashlib.sha256).digest())}"


def saying(**changed: Any) -> str:
    """Return a well-signed token whose claims are right but for these; `...` leaves one out."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not ...}
    return signed(claims=claims)


def headed(**changed: Any) -> str:
    header = {name: value for name, value in {**HEADER, **changed}.items() if value is not ...}
    return signed(header=header)


def good() -> str:
    return signed()


def swapped_signature() -> str:
    """The same bytes in another spelling: the last symbol of a signature has two bits that mean nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = good()
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


FORGED: dict[str, Callable[[], str]] = {
    "no algorithm": lambda: f"{b64({**HEADER, 'alg': 'none'})}.{b64(CLAIMS)}.",
    "no algorithm but a signature": lambda: headed(alg="none"),
    "an algorithm in other letters": lambda: headed(alg="hs256"),
    "another algorithm of the family": lambda: jwt.encode(CLAIMS, KEY.secret * 2, "HS512", headers=HEADER | {"alg": "HS512"}),
    "an algorithm of another family": lambda: headed(alg="RS256"),
    "another type": lambda: headed(typ="JWT"),
    "no type": lambda: headed(typ=...),
    "an unknown key": lambda: headed(kid="key-3"),
    "no key named": lambda: headed(kid=...),
    "a key that is a path": lambda: headed(kid="../../dev/null"),
    "another key's signature": lambda: signed(key=OTHER),
    "a key it brings along": lambda: headed(jwk={"kty": "oct", "k": b64(b"k" * 32)}),
    "a key to be fetched": lambda: headed(jku="https://example.com/keys"),
    "an extension that must be understood": lambda: headed(crit=["exp"]),
    "an unencoded payload": lambda: headed(b64=False),
    "a header that is no object": lambda: signed(header="[]"),
    "a header that is no JSON": lambda: signed(header="{"),
    "claims that are no object": lambda: signed(claims='["sub"]'),
    "claims that are no JSON": lambda: signed(claims="{"),
    "no end": lambda: saying(exp=...),
    "the end passed": lambda: saying(iat=NOW - 900, nbf=NOW - 900, exp=NOW),
    "an end beyond all time": lambda: saying(exp=1e308),
    "an end that is true": lambda: saying(exp=True),
    "an end as text": lambda: saying(exp=str(NOW + 900)),
    "a life of more than 15 minutes": lambda: saying(exp=NOW + 901),
    "not valid yet": lambda: saying(nbf=NOW + 61),
    "made in the future": lambda: saying(iat=NOW + 61, exp=NOW + 900),
    "no moment of making": lambda: saying(iat=...),
    "no beginning": lambda: saying(nbf=...),
    "another issuer": lambda: saying(iss="elsewhere"),
    "no issuer": lambda: saying(iss=...),
    "another audience": lambda: saying(aud="elsewhere"),
    "several audiences": lambda: saying(aud=["ordermill-api", "elsewhere"]),
    "nobody": lambda: saying(sub=...),
    "a number for somebody": lambda: saying(sub=12),
    "an empty name": lambda: saying(sub=""),
    "no identity of its own": lambda: saying(jti=...),
    "a number for an identity": lambda: saying(jti=1),
    "other claims under the signature": lambda: ".".join([b64(HEADER), b64({**CLAIMS, "sub": "1"}), good().rpartition(".")[2]]),
    "no signature": lambda: good().rpartition(".")[0] + ".",
    "another spelling of the signature": swapped_signature,
    "padding": lambda: good() + "=",
    "a space": lambda: good() + " ",
    "a line end": lambda: good() + "\n",
    "a letter that no token has": lambda: good().replace(".", "$", 1),
    "a fourth part": lambda: good() + ".e30",
    "five parts, as encrypted ones have": lambda: good() + ".e30.e30",
    "too long": lambda: saying(padding="x" * 4096),
    "nothing": lambda: "",
    "a refresh token": lambda: "omr_" + "A" * 64,
    "an API key": lambda: "om_" + "A" * 43,
}  # fmt: skip


class TestRead:
    def test_takes_what_is_right(self) -> None:
        """The tokens below are forged in one thing each; this is the one that is not."""
        assert tokens.read(good(), [OTHER, KEY], now=NOON) == CLAIMS

    @pytest.mark.parametrize("name", FORGED)
    def test_refuses(self, name: str) -> None:
        with pytest.raises(Forbidden) as refusal:
            tokens.read(FORGED[name](), [KEY], now=NOON)
        assert refusal.value.code == "unauthenticated"

    def test_knows_no_key_but_those_of_the_settings(self) -> None:
        with pytest.raises(Forbidden):
            tokens.read(good(), [], now=NOON)
        with pytest.raises(Forbidden):
            tokens.read(good(), [OTHER], now=NOON)

    def test_allows_for_clocks_a_minute_ahead_and_puts_no_end_off(self) -> None:
        assert tokens.read(good(), [KEY], now=NOON - timedelta(seconds=60))
        assert tokens.read(good(), [KEY], now=NOON + timedelta(seconds=899))
        for moment in (NOON - timedelta(seconds=61), NOON + timedelta(seconds=900)):
            with pytest.raises(Forbidden):
                tokens.read(good(), [KEY], now=moment)

    @given(
        st.dictionaries(
            st.sampled_from(sorted(CLAIMS)),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
        )
    )
    def test_takes_no_claims_but_those_within_the_rules(self, changed: dict[str, Any]) -> None:
        try:
            claims = tokens.read(saying(**changed), [KEY], now=NOON)
        except Forbidden:
            return
        assert (claims["iss"], claims["aud"]) == ("ordermill", "ordermill-api")
        assert isinstance(claims["sub"], str)
        assert claims["sub"]
        assert isinstance(claims["exp"], int)
        assert NOW < claims["exp"] <= claims["iat"] + 900
        assert max(claims["iat"], claims["nbf"]) <= NOW + 60

    @given(st.text(max_size=300))
    def test_refuses_any_text(self, text: str) -> None:
        with pytest.raises(Forbidden):
            tokens.read(text, [KEY], now=NOON)

    @given(st.integers(0, len(signed()) - 1), st.sampled_from("ABCxyz019-_."))
    def test_refuses_a_change_of_any_letter(self, place: int, letter: str) -> None:
        token = good()
        changed = token[:place] + letter + token[place + 1 :]
        if changed != token:
            with pytest.raises(Forbidden):
                tokens.read(changed, [KEY], now=NOON)


class TestCreate:
    def test_says_all_that_is_demanded(self) -> None:
        clock = HandClock(NOON)

        token = create_access_token({"sub": "12", "staff": True}, timedelta(minutes=5), key=KEY, clock=clock)

        claims = decode_access_token(token, key=KEY, clock=clock)
        jti = claims.pop("jti")
        assert len(jti) == 36
        assert claims == {
            "sub": "12", "staff": True, "iss": "ordermill", "aud": "ordermill-api", "iat": NOW, "nbf": NOW, "exp": NOW + 300,
        }  # fmt: skip
        assert jwt.get_unverified_header(token) == HEADER

    def test_lasts_15_minutes_where_nothing_is_said(self) -> None:
        clock = HandClock(NOON)
        token = create_access_token({"sub": "12"}, key=KEY, clock=clock)
        clock.goes(seconds=899)
        assert decode_access_token(token, key=KEY, clock=clock)["sub"] == "12"

        clock.goes(seconds=1)

        with pytest.raises(Forbidden):
            decode_access_token(token, key=KEY, clock=clock)

    def test_takes_a_key_as_text_or_bytes(self) -> None:
        text = "an example of a key, 32 bytes or more"
        token = create_access_token({"sub": "12"}, key=text)
        assert decode_access_token(token, key=text.encode())["sub"] == "12"

    @pytest.mark.parametrize(
        ("data", "life", "key", "code"),
        [
            ({}, 60, b"k" * 32, "token_claims"),
            ({"sub": 12}, 60, b"k" * 32, "token_claims"),
            ({"sub": ""}, 60, b"k" * 32, "token_claims"),
            ({"sub": "12", "exp": 1}, 60, b"k" * 32, "token_claims"),
            ({"sub": "12", "iss": "me"}, 60, b"k" * 32, "token_claims"),
            ({"sub": "12"}, 0, b"k" * 32, "token_life"),
            ({"sub": "12"}, 901, b"k" * 32, "token_life"),
            ({"sub": "12"}, 60, b"k" * 31, "token_key"),
            ({"sub": "12"}, 60, "short", "token_key"),
        ],
    )
    def test_refuses(self, data: dict[str, Any], life: int, key: str | bytes, code: str) -> None:
        with pytest.raises(Invalid) as refusal:
            create_access_token(data, timedelta(seconds=life), key=key)
        assert refusal.value.code == code

    def test_two_are_never_the_same(self) -> None:
        clock = HandClock(NOON)
        assert create_access_token({"sub": "12"}, key=KEY, clock=clock) != create_access_token(
            {"sub": "12"}, key=KEY, clock=clock
        )


class TestRotation:
    """RELIABILITY.md C3."""

    NEW = "new-0123456789abcdefghijklmnopqrstuvwxyz-new"
    OLD = "old-0123456789abcdefghijklmnopqrstuvwxyz-old"

    def test_the_old_key_verifies_until_its_end_and_not_after(self) -> None:
        clock = HandClock(NOON.replace(month=12, day=31, hour=23, minute=55))
        before, after = KeyRing(self.OLD, clock=clock), KeyRing(f"{self.NEW},{self.OLD}@2026-12-31", clock=clock)
        token = create_access_token({"sub": "12"}, key=before.derive("access")[0], clock=clock)
        fresh = create_access_token({"sub": "12"}, key=after.derive("access")[0], clock=clock)

        assert tokens.read(token, after.derive("access"), now=clock.now())["sub"] == "12"
        with pytest.raises(Forbidden):
            tokens.read(fresh, before.derive("access"), now=clock.now())
        clock.goes(minutes=5)
        with pytest.raises(Forbidden):
            tokens.read(token, after.derive("access"), now=clock.now())
        assert tokens.read(fresh, after.derive("access"), now=clock.now())["sub"] == "12"


def test_pyjwt_is_newer_than_its_known_faults() -> None:
    """CVE-2026-32597 and CVE-2026-48526 (RELIABILITY.md C13)."""
    assert tuple(int(part) for part in jwt.__version__.split(".")[:2]) >= (2, 13)


def test_the_examples_run() -> None:
    assert doctest.testmod(tokens) == doctest.TestResults(failed=0, attempted=6)
