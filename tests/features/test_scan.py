"""The first pass finds what a file is and which orders lie apart; the second hands on whole orders only."""

import hashlib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from order_files import refused, written

from ordermill.imports.apart import ASIDE_LIMIT, whole_orders
from ordermill.imports.records import BLOCK
from ordermill.imports.scan import ORDER_LIMIT, Keys, Scan, scan
from ordermill.imports.source import Source
from ordermill.imports.tabular import Table, read_header
from ordermill.kit.errors import Invalid


def scanned(source: Source) -> tuple[Table, Scan]:
    table = read_header(source)
    return table, scan(source, lambda reading: table.blocks(reading, only=["number"]), keys=Keys(pl.col("number")))


def frames(source: Source, *, block_bytes: int = BLOCK) -> list[pl.DataFrame]:
    table, found = scanned(source)
    with source.reading() as reading:
        return list(whole_orders(table.blocks(reading, block_bytes=block_bytes), keys=Keys(pl.col("number")), scan=found))


def numbered(*numbers: str) -> str:
    return "number,name\n" + "".join(f"{number},Tea\n" for number in numbers)


class TestScan:
    def test_tells_what_a_file_is(self, tmp_path: Path) -> None:
        content = 'number,name\n1,"Tea\nCup"\n\n1,Pot\n2,Tea\n'

        _, found = scanned(written(tmp_path, content))

        assert (found.sha256, found.size) == (hashlib.sha256(content.encode()).hexdigest(), len(content))
        assert (found.records, found.lines) == (3, 6)
        assert (found.apart.to_list(), found.apart_lines) == ([], 0)

    def test_finds_orders_whose_lines_lie_apart(self, tmp_path: Path) -> None:
        _, found = scanned(written(tmp_path, numbered("1", "1", "2", "1", "3", "2", "4", "4")))

        assert (len(found.apart), found.apart_lines) == (2, 5)

    def test_an_order_that_goes_over_a_block_is_not_apart(self, tmp_path: Path) -> None:
        source = written(tmp_path, numbered(*(["1"] * 9), "2"))
        table = read_header(source)

        found = scan(source, lambda reading: table.blocks(reading, block_bytes=12), keys=Keys(pl.col("number")))

        assert found.apart_lines == 0

    def test_records_without_a_key_are_never_apart(self, tmp_path: Path) -> None:
        _, found = scanned(written(tmp_path, numbered("", "1", "", "2", "")))

        assert (found.records, found.apart_lines) == (5, 0)

    def test_reports_its_progress_in_stored_bytes(self, tmp_path: Path) -> None:
        source = written(tmp_path, numbered("1", "2"))
        table = read_header(source)
        positions: list[int] = []

        scan(source, table.blocks, keys=Keys(pl.col("number")), progress=positions.append)

        assert positions == [source.size]

    @pytest.mark.parametrize("number", [["1"], ["1", "2", "3"]], ids=["together", "apart"])
    def test_an_order_without_end_is_refused(self, tmp_path: Path, number: list[str]) -> None:
        source = written(tmp_path, numbered(*(number * (ORDER_LIMIT + 1))))

        refused(Invalid, "order_too_long", lambda: scanned(source))

    def test_the_longest_order_there_may_be(self, tmp_path: Path) -> None:
        assert scanned(written(tmp_path, numbered(*(["1"] * ORDER_LIMIT))))[1].records == ORDER_LIMIT

    def test_a_file_that_cannot_be_read_to_its_end_is_refused(self, tmp_path: Path) -> None:
        refused(Invalid, "undecodable", lambda: scanned(written(tmp_path, numbered("1").encode() * 400_000 + b"\xff")))


class TestWholeOrders:
    def test_an_order_is_never_cut(self, tmp_path: Path) -> None:
        read = frames(written(tmp_path, numbered("1", "1", "1", "2", "2", "3")), block_bytes=12)

        assert [frame["_key"].to_list() for frame in read] == [["1", "1", "1"], ["2", "2"], ["3"]]

    def test_lines_that_lie_apart_come_together_at_the_end(self, tmp_path: Path) -> None:
        read = pl.concat(frames(written(tmp_path, numbered("2", "1", "2", "3", "1")), block_bytes=12))

        assert read.select("_key", "_line").rows() == [("3", 5), ("2", 2), ("2", 4), ("1", 3), ("1", 6)]

    def test_a_record_without_a_key_is_an_order_of_its_own(self, tmp_path: Path) -> None:
        read = pl.concat(frames(written(tmp_path, numbered("1", "", "", "2"))))

        assert read["_key"].to_list() == ["1", None, None, "2"]

    def test_records_without_a_key_are_handed_on_at_once(self, tmp_path: Path) -> None:
        read = frames(written(tmp_path, numbered("", "", "", "1", "1")), block_bytes=5)

        assert [len(frame) for frame in read] == [1, 1, 1, 2]

    def test_a_defective_record_stays_with_its_order(self, tmp_path: Path) -> None:
        read = pl.concat(frames(written(tmp_path, "number,name\n1,Tea\n1\n1,x,y\n2,Tea\n")))

        assert read.select("_key", "_defect").rows() == [
            ("1", None),
            ("1", "wrong_column_count"),
            ("1", "wrong_column_count"),
            ("2", None),
        ]

    @pytest.mark.parametrize("block_bytes", [8, BLOCK])
    def test_a_defective_record_whose_order_cannot_be_told_belongs_to_the_one_before(
        self, tmp_path: Path, block_bytes: int
    ) -> None:
        source = written(tmp_path, "name,number\nx\nTea,1\nx\ny\nCup,1\nTea,2\nPot,\nz\n")

        read = pl.concat(frames(source, block_bytes=block_bytes))

        assert read.select("_line", "_key").rows() == [
            (2, None),
            (3, "1"),
            (4, "1"),
            (5, "1"),
            (6, "1"),
            (7, "2"),
            (8, None),
            (9, None),
        ]

    def test_more_lines_apart_than_fit_into_memory_give_the_same(self, tmp_path: Path) -> None:
        orders = ASIDE_LIMIT + 1
        numbers = [f"{order}" for order in range(orders)]
        source = written(tmp_path, numbered("first", *numbers, *reversed(numbers)))

        read = frames(source)

        assert read[0]["_key"].to_list() == ["first"]
        assert len(read) == 1 + 3  # 100,002 lines apart, 50,000 at a time
        assert all(frame["_key"].n_unique() * 2 == len(frame) for frame in read[1:])
        assert pl.concat(read)["_line"].sort().to_list() == list(range(2, 2 * orders + 3))
        assert [frame.equals(again) for frame, again in zip(read, frames(source), strict=True)] == [True] * 4

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(numbers=st.lists(st.sampled_from(["", "1", "2", "3", "4"]), max_size=25), block_bytes=st.integers(1, 60))
    def test_every_line_comes_once_and_every_order_whole(self, tmp_path: Path, numbers: list[str], block_bytes: int) -> None:
        read = frames(written(tmp_path, numbered(*numbers)), block_bytes=block_bytes)

        assert sorted(line for frame in read for line in frame["_line"]) == list(range(2, len(numbers) + 2))
        for frame in read:
            for number, count in frame["_key"].drop_nulls().value_counts().rows():
                assert numbers.count(number) == count
