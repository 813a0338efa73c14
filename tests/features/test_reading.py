"""Text becomes records with their physical lines: hostile files, headers, rejects files, JSONL."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hostile_csv import CASES, HEADER, LONG, Case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from order_files import refused, rows, written

from ordermill.imports.documents import Documents
from ordermill.imports.records import BLOCK, LINE_LIMIT, RECORD_LIMIT
from ordermill.imports.tabular import read_header
from ordermill.kit.errors import Invalid


class TestHostileFile:
    @pytest.mark.parametrize("block_bytes", [1, 16, BLOCK])
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_is_read_line_by_line(self, tmp_path: Path, case: Case, block_bytes: int) -> None:
        source = written(tmp_path, HEADER + case.body)

        read = rows(source, block_bytes=block_bytes)

        assert read == [(row.line, row.raw, row.defect, *row.values) for row in case.rows]

    def test_an_unterminated_quote_far_from_the_end_costs_one_line(self, tmp_path: Path) -> None:
        lines = 3 * RECORD_LIMIT // 8
        source = written(tmp_path, HEADER + '1,"Tea,2\n' + "2,Cup,3\n" * lines)

        read = rows(source)

        assert read[0] == (2, '1,"Tea,2', "unterminated_quote", "1", '"Tea', "2")
        assert read[1:] == [(line, "2,Cup,3", None, "2", "Cup", "3") for line in range(3, lines + 3)]

    def test_many_unterminated_quotes_take_no_longer_than_as_many_lines(self, tmp_path: Path) -> None:
        source = written(tmp_path, HEADER + '1,"Tea,2\n2,"",3\n' * 100_000)

        read = rows(source)

        assert len(read) == 200_000
        assert [row[2] for row in read].count(None) == 100_000

    def test_a_quoted_text_longer_than_a_record_may_be_is_unterminated(self, tmp_path: Path) -> None:
        note = ("n" * 1022 + ",\n") * 1100
        source = written(tmp_path, HEADER + f'1,"{note}",2\n2,Cup,3\n')

        read = rows(source)

        assert read[0][:3] == (2, '1,"' + "n" * 1022 + ",", "unterminated_quote")
        assert read[-1] == (1103, "2,Cup,3", None, "2", "Cup", "3")

    def test_a_file_without_line_ends_is_refused(self, tmp_path: Path) -> None:
        source = written(tmp_path, HEADER.encode() + b"x" * (LINE_LIMIT + (2 << 20)))

        refused(Invalid, "line_too_long", lambda: rows(source))

    def test_a_line_beyond_every_field_limit_is_one_defect(self, tmp_path: Path) -> None:
        source = written(tmp_path, HEADER + f'1,"{LONG * 20}",2\n2,Cup,3\n')

        assert [row[:1] + row[2:] for row in rows(source)] == [(2, "field_too_long", "1", "", "2"), (3, None, "2", "Cup", "3")]


class TestHeader:
    @pytest.mark.parametrize(
        ("header", "delimiter"),
        [
            ("a,b;c,d", ","),
            ("a;b;c", ";"),
            ('"a,b,c";d;e', ";"),
            ("a\tb\tc", "\t"),
            ("a|b|c", "|"),
            ("number", ","),
        ],
    )
    def test_shows_the_delimiter(self, tmp_path: Path, header: str, delimiter: str) -> None:
        assert read_header(written(tmp_path, f"{header}\n")).delimiter == delimiter

    def test_a_declared_delimiter_is_believed(self, tmp_path: Path) -> None:
        assert rows(written(tmp_path, "a;b,c\n1;2,3\n"), delimiter=",") == [(2, "1;2,3", None, "1;2", "3")]

    @pytest.mark.parametrize("word", ["\\t", "tab", "\t"])
    def test_a_tab_may_be_spelled(self, tmp_path: Path, word: str) -> None:
        assert rows(written(tmp_path, "a,b\tc\n1,2\t3\n"), delimiter=word) == [(2, "1,2\t3", None, "1,2", "3")]

    @pytest.mark.parametrize("word", ["", ";;", '"', "\n", "§"])
    def test_what_cannot_be_a_delimiter_is_refused(self, tmp_path: Path, word: str) -> None:
        refused(Invalid, "invalid", lambda: read_header(written(tmp_path, "a,b\n"), delimiter=word))

    def test_may_be_quoted_and_go_over_lines(self, tmp_path: Path) -> None:
        source = written(tmp_path, '\n"order\nnumber", name \r\n1,Tea\r\n')

        assert read_header(source).columns == ("order\nnumber", "name")
        assert read_header(source).header == '"order\nnumber", name '
        assert rows(source) == [(4, "1,Tea", None, "1", "Tea")]

    def test_without_a_line_end_is_a_file_without_records(self, tmp_path: Path) -> None:
        source = written(tmp_path, "number,name")

        assert read_header(source).columns == ("number", "name")
        assert rows(source) == []

    def test_columns_without_a_name_are_called_by_their_position(self, tmp_path: Path) -> None:
        assert read_header(written(tmp_path, "column_2,,name,\n")).columns == ("column_2", "column_2_", "name", "column_4")

    def test_a_name_that_reading_itself_needs_gives_way(self, tmp_path: Path) -> None:
        """A column called like one of ours must neither crash the reading nor be taken for ours."""
        assert read_header(written(tmp_path, "number,_key,_raw,_defect,order\n")).columns == (
            "number", "column_2", "column_3", "column_4", "order",
        )  # fmt: skip

    def test_a_name_given_twice_is_refused_with_both_positions(self, tmp_path: Path) -> None:
        error = refused(Invalid, "duplicate_column", lambda: read_header(written(tmp_path, "number,name, number\n")))

        assert error.message == "The header of 'orders.csv' names the column 'number' twice, at positions 1 and 3."

    @pytest.mark.parametrize("content", ["", "\n\r\n", "\ufeff"])
    def test_an_empty_file(self, tmp_path: Path, content: str) -> None:
        refused(Invalid, "empty_file", lambda: read_header(written(tmp_path, content)))

    @pytest.mark.parametrize("header", ['number,"name\n', 'number,na"me\n', '"number"x,name\n', "n" * 300_000])
    def test_a_malformed_header(self, tmp_path: Path, header: str) -> None:
        refused(Invalid, "malformed_header", lambda: read_header(written(tmp_path, header + "1,2\n")))

    def test_one_column_is_enough(self, tmp_path: Path) -> None:
        assert rows(written(tmp_path, 'number\n1\n\n""\n')) == [(2, "1", None, "1"), (4, '""', None, "")]

    def test_only_the_wanted_columns_are_read(self, tmp_path: Path) -> None:
        source = written(tmp_path, 'a,b,c\n1,2,3\n4,5\n6,"7",8\n')
        table = read_header(source)

        with source.reading() as reading:
            blocks = pl.concat(table.blocks(reading, only=["c", "a"]))

        assert blocks.drop("_raw").rows() == [(2, None, "1", "3"), (3, "wrong_column_count", "4", ""), (4, None, "6", "8")]


class TestRejectsFile:
    def test_its_annotations_are_left_out_of_everything(self, tmp_path: Path) -> None:
        source = written(
            tmp_path, '_line,_reason,number,name\n7,"no ""price"", sorry",1,Tea\n8,ragged,2\n9,"quote, too",3,"Cup\n'
        )

        assert read_header(source).columns == ("number", "name")
        assert read_header(source).header == "number,name"
        assert rows(source) == [
            (2, "1,Tea", None, "1", "Tea"),
            (3, "2", "wrong_column_count", "2", ""),
            (4, '3,"Cup', "unterminated_quote", "3", '"Cup'),
        ]

    def test_annotations_that_were_moved_are_no_columns_either(self, tmp_path: Path) -> None:
        source = written(tmp_path, "number,_reason,name,_line\n1,because,Tea,7\n")

        assert rows(source) == [(2, "1,because,Tea,7", None, "1", "Tea")]


FIELD = st.lists(st.sampled_from(['"', ",", ";", "\n", "\r\n", "a", " ", "é", "\0", "'", "日"]), max_size=6).map("".join)


@st.composite
def well_formed(draw: st.DrawFn) -> tuple[str, str]:
    """Return a delimiter and a text of three columns in which quotes stand where they must, and elsewhere at will."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))

    def field(value: str) -> str:
        needed = any(symbol in value for symbol in f'"\r\n{delimiter}')
        return f'"{value.replace(chr(34), chr(34) * 2)}"' if needed or draw(st.booleans()) else value

    records = draw(st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=8))
    lines = [delimiter.join(map(field, record)) for record in [("x", "y", "z"), *records]]
    return delimiter, end.join(lines) + draw(st.sampled_from(["", end]))


def described_by_csv(content: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    found = []
    line = 1
    for record in reader:
        found.append((line, record))
        line = reader.line_num + 1
    return found[1:]


class TestAgainstTheCsvModule:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(file=well_formed(), block_bytes=st.integers(1, 80))
    def test_every_well_formed_file_is_read_alike(self, tmp_path: Path, file: tuple[str, str], block_bytes: int) -> None:
        delimiter, content = file

        read = rows(written(tmp_path, content), delimiter=delimiter, block_bytes=block_bytes)

        assert [(line, list(values), defect) for line, _, defect, *values in read] == [
            (line, record, None) for line, record in described_by_csv(content, delimiter)
        ]

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(body=st.text(alphabet='",\na', max_size=60), block_bytes=st.integers(1, 40))
    def test_whatever_the_file_every_line_is_in_one_record(self, tmp_path: Path, body: str, block_bytes: int) -> None:
        source = written(tmp_path, f"x,y,z\n{body}")

        read = rows(source, block_bytes=block_bytes)

        assert read == rows(source)
        lines = ["", "x,y,z", *body.split("\n"), ""]
        covered = {line: lines[line] for line in (1,)}
        for line, raw, defect, *values in read:
            physical = range(line, line + raw.count("\n") + 1)
            assert "\n".join(lines[number] for number in physical) == raw
            assert not covered.keys() & set(physical)
            covered.update((number, lines[number]) for number in physical)
            assert defect or list(csv.reader([raw], strict=True)) == [values] or "\n" in raw
        assert {number for number, line in enumerate(lines) if line} <= covered.keys()


class TestDocuments:
    def test_each_line_is_a_document(self, tmp_path: Path) -> None:
        source = written(tmp_path, '\ufeff{"a": 1}\r\n\n{"a":\n[1]\nnull\n"x"\n {"b": {}} \n  \n{"c": NaN}\n{"d": 1}')

        with source.reading() as reading:
            read = [row for block in Documents(name="x").blocks(reading, block_bytes=8) for row in block.rows()]

        assert read == [
            (1, '{"a": 1}', None),
            (3, '{"a":', "malformed_json"),
            (4, "[1]", "not_an_object"),
            (5, "null", "not_an_object"),
            (6, '"x"', "not_an_object"),
            (7, ' {"b": {}} ', None),
            (9, '{"c": NaN}', "malformed_json"),
            (10, '{"d": 1}', None),
        ]
