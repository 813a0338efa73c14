"""Passwords: what a hash is made of, who reads it, and that nothing makes the comparison fail loudly."""

import unicodedata

import argon2
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from ordermill.accounts import passwords
from ordermill.accounts.passwords import hash_password, verify_password
from ordermill.kit.errors import Invalid

PASSWORD = "correct horse battery"  # nobody's


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_password(PASSWORD)


class TestHash:
    def test_is_argon2id_with_19_mib_two_passes_and_one_lane(self, hashed: str) -> None:
        assert hashed.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        assert PASSWORD not in hashed

    def test_is_salted(self, hashed: str) -> None:
        assert hash_password(PASSWORD) != hashed

    def test_fits_its_column(self, hashed: str) -> None:
        assert len(hashed) <= 255

    def test_refuses_more_than_1024_code_points(self) -> None:
        with pytest.raises(Invalid) as caught:
            hash_password("a" * 1025)

        assert caught.value.code == "password_too_long"
        assert caught.value.details["errors"][0]["pointer"] == "/password"

    def test_refuses_half_a_surrogate_pair_without_showing_the_password(self) -> None:
        with pytest.raises(Invalid) as caught:
            hash_password("secret\ud800word")

        assert caught.value.code == "password_malformed"
        assert "secret" not in repr(caught.value) + repr(caught.value.__context__)


class TestVerify:
    def test_takes_the_password_that_was_hashed(self, hashed: str) -> None:
        assert verify_password(PASSWORD, hashed) is True

    @pytest.mark.parametrize("other", ["", "Correct horse battery", PASSWORD + " ", "a" * 1025, "\ud800", "\0"])
    def test_takes_no_other(self, hashed: str, other: str) -> None:
        assert verify_password(other, hashed) is False

    def test_takes_a_letter_however_a_keyboard_composes_it(self) -> None:
        composed, apart = (unicodedata.normalize(form, "Müllers Straße 7") for form in ("NFC", "NFD"))

        assert composed != apart
        assert verify_password(apart, hash_password(composed)) is True

    def test_compares_to_the_last_of_1024_code_points(self) -> None:
        hashed = hash_password("ü" * 1023 + "a")

        assert verify_password("ü" * 1023 + "a", hashed) is True
        assert verify_password("ü" * 1023 + "b", hashed) is False

    @pytest.mark.parametrize(
        "foreign",
        [
            None,
            "",
            "argon2",
            PASSWORD,
            "!unusable",
            "$argon2id$",
            "$argon2id$v=19$m=0,t=0,p=0$YQ$YQ",
            "$argon2id$v=19$m=19456,t=2,p=1$ä$ä",
            "$argon2id$\0",
            "pbkdf2_sha256$1000000$salt$aGFzaA==",
            "$2b$12$CwTycUXWue0Thq9StjUM0uJ8.p9JQ8nxJxJ1Z5kWlqYq1Fz9CqQ3S",
        ],
    )
    def test_takes_nothing_where_the_hash_is_not_one_of_its_own(self, foreign: str | None) -> None:
        assert verify_password(PASSWORD, foreign) is False

    def test_takes_nothing_where_the_hash_was_cut_off(self, hashed: str) -> None:
        assert verify_password(PASSWORD, hashed[:-1]) is False

    def test_takes_no_hash_of_the_weaker_argon2i(self) -> None:
        weaker = argon2.PasswordHasher(type=argon2.Type.I, time_cost=1, memory_cost=64, parallelism=1)

        assert verify_password(PASSWORD, weaker.hash(PASSWORD)) is False

    def test_takes_a_hash_without_djangos_prefix(self, hashed: str) -> None:
        assert verify_password(PASSWORD, hashed.removeprefix("argon2")) is True


class TestDjango:
    def test_reads_our_hashes(self, hashed: str) -> None:
        django = Argon2PasswordHasher()

        assert django.verify(PASSWORD, hashed) is True
        assert django.verify("another password", hashed) is False

    def test_writes_hashes_that_we_read(self) -> None:
        django = Argon2PasswordHasher()
        django.memory_cost = 1024  # its default of 100 MiB is slow to test
        hashed = django.encode(PASSWORD, salt="pepperandsalt")

        assert verify_password(PASSWORD, hashed) is True
        assert verify_password("another password", hashed) is False


def test_the_limit_is_counted_as_typed() -> None:
    """Composing may make a text longer; what was typed within the limit is within it."""
    assert passwords.composed("\u0958" * passwords.LIMIT) == "\u0915\u093c" * passwords.LIMIT
