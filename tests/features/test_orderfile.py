"""One file, recognised: the documents that a JSONL file begins with, and what makes a run the same run."""

import json
from pathlib import Path

import pytest

from ordermill.imports.orderfile import Options, OrderFile, order_file
from ordermill.imports.records import BLOCK, LINE_LIMIT
from ordermill.imports.scan import Scan
from ordermill.imports.source import SAMPLE
from ordermill.kit.errors import Invalid

ORDER = {"number": "1", "items": []}


def recognised(directory: Path, content: str, *, block_bytes: int = BLOCK) -> OrderFile:
    path = directory / "orders.jsonl"
    path.write_text(content, encoding="utf-8")
    with order_file(str(path), Options(), currency="EUR", timezone="UTC", block_bytes=block_bytes) as file:
        return file


class TestJsonLines:
    @pytest.mark.parametrize(
        "first",
        [
            {**ORDER, "note": "x" * (3 * SAMPLE)},
            {**ORDER, "note": "two\u2028lines\u2029or\x85more"},
            {"note": "x" * (2 << 20), **ORDER},
        ],
        ids=["long", "separators", "over blocks"],
    )
    @pytest.mark.parametrize("end", ["", "\n", "\n\n{}\n"])
    def test_are_known_by_a_first_order_of_any_length_and_content(self, tmp_path: Path, first: object, end: str) -> None:
        file = recognised(tmp_path, json.dumps(first, ensure_ascii=False) + end)

        assert file.reader.format.name == "ordermill-jsonl"

    @pytest.mark.parametrize("line", ["{" * 100_000, '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"])
    def test_are_known_below_a_line_that_no_reader_follows(self, tmp_path: Path, line: str) -> None:
        assert recognised(tmp_path, f"{line}\n{json.dumps(ORDER)}\n").reader.format.name == "ordermill-jsonl"

    def test_that_never_end_a_line_are_not_read_for_ever(self, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match="no line at its beginning is a whole object"):
            recognised(tmp_path, '{"note": "' + "x" * (LINE_LIMIT + 10))


class TestIdentity:
    @pytest.mark.parametrize(
        ("what", "other"),
        [
            ("ordermill.imports.apart.ASIDE_LIMIT", 1),
            ("ordermill.imports.apart.FILES_LIMIT", 1),
            ("polars.__version__", "1.0.0"),
            ("ordermill.imports.orderfile.__version__", "0.0.0"),
        ],
    )
    def test_of_a_run_that_another_program_would_cut_otherwise_is_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, other: object
    ) -> None:
        file = recognised(tmp_path, json.dumps(ORDER))
        found = file.reader.scan(lambda *_: None, channel="shop")
        before = key(file, found)

        assert key(file, found) == before
        monkeypatch.setattr(what, other)

        assert key(file, found) != before

    def test_of_a_run_in_other_blocks_is_another(self, tmp_path: Path) -> None:
        keys = []
        for size in (BLOCK, 1):
            file = recognised(tmp_path, json.dumps(ORDER), block_bytes=size)
            keys.append(key(file, file.reader.scan(lambda *_: None, channel="shop")))

        assert keys[0] != keys[1]


def key(file: OrderFile, found: Scan) -> str:
    return file.identity(found).options_key
