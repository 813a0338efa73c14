"""What a person says about a file is judged alike in a map and in an option, before any database sees it."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ordermill.imports import mapfile, words
from ordermill.imports.orderfile import Options, OrderFile, order_file
from ordermill.kit.errors import Invalid

CSV = "No,Date,Article,Pieces,Price\n1,2026-03-01,TEA-1,2,4.50\n"


def a_map(file: str = "", rest: str = "") -> str:
    return (
        f'[file]\n{file}\n[order]\nnumber = "{{No}}"\nplaced_at = "{{Date}}"\n'
        f'[item]\nsku = "{{Article}}"\nquantity = "{{Pieces}}"\nunit_price = "{{Price}}"\n{rest}'
    )


def recognised(directory: Path, options: Options, content: str = CSV) -> OrderFile:
    path = directory / "orders.csv"
    path.write_text(content)
    with order_file(str(path), options, currency="GBP", timezone="UTC") as file:
        return file


def toml(text: str) -> str:
    return "".join(f"\\u{ord(symbol):04X}" for symbol in text)


class TestBothSay:
    """The same word in a map and in an option is understood, or refused, in the same way."""

    @pytest.fixture(params=["map", "option"])
    def said(self, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., OrderFile]:
        def by_map(key: str, word: str, content: str = CSV) -> OrderFile:
            mapping = mapfile.parse(a_map(f'{key} = "{toml(word)}"'), title="shop.toml")
            return recognised(tmp_path, Options(mapping=mapping), content)

        def by_option(key: str, word: str, content: str = CSV) -> OrderFile:
            mapping = mapfile.parse(a_map(), title="shop.toml")
            return recognised(tmp_path, replace(Options(mapping=mapping), **dict[str, Any]({key: word})), content)

        return by_map if request.param == "map" else by_option

    def test_a_currency_in_any_case(self, said: Callable[..., OrderFile]) -> None:
        assert said("currency", " eur ").defaults.currency == "EUR"

    @pytest.mark.parametrize("word", ["\\t", "tab", "\t"])
    def test_a_tab(self, said: Callable[..., OrderFile], word: str) -> None:
        table = said("delimiter", word, CSV.replace(",", "\t")).reader.table

        assert table is not None
        assert table.delimiter == "\t"

    def test_a_channel_in_its_normal_form(self, said: Callable[..., OrderFile]) -> None:
        assert said("channel", " Cafe\u0301 ").defaults.channel == "Café"

    @pytest.mark.parametrize(
        ("key", "word"),
        [
            ("currency", "EURO"),
            ("delimiter", ";;"),
            ("delimiter", "\0"),
            ("encoding", "hex"),
            ("encoding", "a\0b"),
            *(
                ("timezone", zone)
                for zone in ("Mars", "localtime", "Factory", "posix/Europe/Berlin", "right/UTC", "europe/berlin")
            ),
            ("channel", "x" * 97),
            ("channel", "a\0b"),
            ("channel", " "),
        ],
    )
    def test_what_cannot_be(self, said: Callable[..., OrderFile], key: str, word: str) -> None:
        with pytest.raises(Invalid):
            said(key, word)


class TestMap:
    @pytest.mark.parametrize(
        ("file", "rest", "sentence"),
        [
            ('name = "' + "x" * 95 + '"', "", "shop.toml, [file] name: a map's name has 1 to 64 characters, unlike 'xxx"),
            ('name = "a\\u0000b"', "", "shop.toml, [file] name: a map's name holds no control character U+0000, unlike "),
            (
                "",
                '[[reject]]\ncolumn = "No"\nmatches = "C"\nreason = "a\\u0000b"',
                "shop.toml, [[reject]] reason: a reason holds no control character U+0000, unlike ",
            ),
            (
                "",
                f'[[reject]]\ncolumn = "No"\nmatches = "C"\nreason = "{"x" * (words.REASON_LIMIT + 1)}"',
                "shop.toml, [[reject]] reason: a reason has 1 to 500 characters, unlike 'xxx",
            ),
        ],
    )
    def test_says_nothing_that_a_database_would_refuse(self, file: str, rest: str, sentence: str) -> None:
        with pytest.raises(Invalid) as refused:
            mapfile.parse(a_map(file, rest), title="shop.toml")

        assert refused.value.message.startswith(sentence)

    def test_whose_file_has_a_name_that_is_no_text_gets_one_that_is(self, tmp_path: Path) -> None:
        path = Path(os.fsdecode(os.fsencode(tmp_path / "sh") + b"\xf6p.toml"))
        path.write_text(a_map())

        mapping = mapfile.load(path)

        assert (mapping.title, mapping.name, mapping.format().channel) == ("sh\\udcf6p.toml", "sh\\udcf6p", "sh\\udcf6p")

    def test_whose_file_has_too_long_a_name_must_say_one(self, tmp_path: Path) -> None:
        path = tmp_path / f"{'x' * 80}.toml"
        path.write_text(a_map())

        with pytest.raises(
            Invalid, match=r"toml, \[file\] name: this is needed, for the map file's own will not do: a map's name"
        ):
            mapfile.load(path)

        path.write_text(a_map('name = "shop"'))
        assert mapfile.load(path).name == "shop"
