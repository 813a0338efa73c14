"""Text: what may be stored on every database, and when two spellings are one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ordermill.kit.text import defect, email_key, identifier, shortened


class TestDefect:
    @pytest.mark.parametrize(
        "text", ["", "Tea", "1 Mill Lane\r\n\tYork", "Ærøskøbing", "茶 🍵", "a\u200bb", "\ufeffa", "\u00a0", "\ufffe"]
    )
    def test_is_none_in_what_every_database_keeps(self, text: str) -> None:
        assert defect(text) is None

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("a\x00b", "control character U+0000"),
            ("\x1b[31mred", "control character U+001B"),
            ("a\x7f", "control character U+007F"),
            ("a\x85", "control character U+0085"),
            ("\ud800", "lone surrogate U+D800"),
            ("a\udfff", "lone surrogate U+DFFF"),
        ],
    )
    def test_names_the_first_symbol_that_cannot_be_kept(self, text: str, why: str) -> None:
        assert defect(text) == why
        assert defect(f"{text}\x00") == why

    def test_is_found_in_62_controls_and_every_surrogate(self) -> None:
        forbidden = [symbol for symbol in map(chr, range(0x10000)) if defect(symbol) is not None]

        assert [unicodedata.category(symbol) for symbol in forbidden].count("Cc") == 62
        assert [unicodedata.category(symbol) for symbol in forbidden].count("Cs") == 2_048
        assert len(forbidden) == 62 + 2_048


class TestIdentifier:
    def test_strips_and_composes(self) -> None:
        assert identifier("  Cafe\u0301-1\u00a0") == "Caf\u00e9-1"

    def test_keeps_case(self) -> None:
        assert identifier("tea-1") != identifier("TEA-1")

    @given(text=some.text())
    def test_is_its_own_normal_form(self, text: str) -> None:
        assert identifier(identifier(text)) == identifier(text)


class TestEmailKey:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Ada@Example.com", " ada@example.COM "),
            ("jose\u0301@example.org", "JOS\u00c9@example.org"),
            ("stra\u00dfe@example.org", "STRASSE@example.org"),
        ],
    )
    def test_is_equal_for_two_spellings_of_one_address(self, one: str, other: str) -> None:
        assert email_key(one) == email_key(other)

    @pytest.mark.parametrize("other", ["ada.l@example.com", "ada+shop@example.com", "ada@example.org"])
    def test_differs_for_what_may_be_another_mailbox(self, other: str) -> None:
        assert email_key("ada@example.com") != email_key(other)


class TestShortened:
    @pytest.mark.parametrize(("text", "short"), [("", ""), ("abcde", "abcde"), ("abcdef", "abcd…"), ("ééééééé", "éééé…")])
    def test_keeps_what_fits_and_shows_that_there_was_more(self, text: str, short: str) -> None:
        assert shortened(text, limit=5) == short

    def test_is_sixty_symbols_unless_told(self) -> None:
        assert shortened("x" * 60) == "x" * 60
        assert shortened("x" * 61) == "x" * 59 + "…"
