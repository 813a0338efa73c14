"""Bytes become text: packed, in any encoding, piped in, changed meanwhile; and what cannot be read is said in words."""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from order_files import refused, text, written

from ordermill.imports import unpack
from ordermill.imports.ahead import ahead
from ordermill.imports.source import Source, opened
from ordermill.imports.unpack import PIECE, RATIO_LIMIT
from ordermill.kit.errors import Invalid, Unavailable


class TestSource:
    def test_gives_the_text_and_the_identity_of_a_file(self, tmp_path: Path) -> None:
        source = written(tmp_path, "number\n1\n2")

        with source.reading() as reading:
            assert b"".join(reading.text()) == b"number\n1\n2"

        assert reading.sha256 == hashlib.sha256(b"number\n1\n2").hexdigest()
        assert (reading.lines, reading.position, source.size, source.name) == (3, 10, 10, "orders.csv")

    def test_tells_how_far_it_has_read(self, tmp_path: Path) -> None:
        source = written(tmp_path, b"number\n" + b"1\n" * 2_000_000)

        with source.reading() as reading:
            positions = [reading.position for _ in reading.text()]

        assert positions[0] == 1 << 20
        assert positions[-1] == source.size == 4_000_007

    @pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-32"])
    def test_believes_a_byte_order_mark(self, tmp_path: Path, mark: str) -> None:
        assert text(written(tmp_path, "number,näme\n".encode(mark))) == "number,näme\n"

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_a_mark_is_believed_before_what_is_declared(self, tmp_path: Path, encoding: str) -> None:
        assert text(written(tmp_path, "\ufeffnäme\n".encode(encoding), encoding="cp1252")) == "näme\n"

    @pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16-be", "latin-1", "shift_jis"])
    def test_reads_a_declared_encoding_however_it_is_cut(self, tmp_path: Path, encoding: str) -> None:
        content = "näive\n" * 300_000 if encoding != "shift_jis" else "注文\n" * 300_000

        assert text(written(tmp_path, b"x" * (encoding == "cp1252") + content.encode(encoding), encoding=encoding)).endswith(
            content
        )

    def test_names_line_and_byte_of_what_is_not_utf8(self, tmp_path: Path) -> None:
        source = written(tmp_path, b"number,name\n1,Tea\n2,caf\xe9\n")

        error = refused(Invalid, "undecodable", lambda: text(source))

        assert error.message == (
            "Line 3 of 'orders.csv' holds the byte 0xE9, which is not UTF-8 there; "
            "a file from an older Windows program may need --encoding cp1252."
        )
        assert error.details == {"file": "orders.csv", "line": 3, "byte": 0xE9, "encoding": "utf-8"}

    def test_names_the_line_also_far_into_the_file(self, tmp_path: Path) -> None:
        source = written(tmp_path, b"1,Tea\n" * 1_000_000 + b"2,caf\xe9\n")

        assert refused(Invalid, "undecodable", lambda: text(source)).details["line"] == 1_000_001

    def test_a_character_cut_off_at_the_end_is_named(self, tmp_path: Path) -> None:
        source = written(tmp_path, "1,Tea\n2,é".encode()[:-1])

        assert refused(Invalid, "undecodable", lambda: text(source)).details["line"] == 2

    def test_a_wrongly_declared_encoding_is_named(self, tmp_path: Path) -> None:
        error = refused(Invalid, "undecodable", lambda: text(written(tmp_path, b"a\nb\x81\n", encoding="cp1252")))

        assert "check --encoding cp1252" in error.message
        assert error.details["line"] == 2

    def test_utf16_without_a_mark_is_told_how_to_be_read(self, tmp_path: Path) -> None:
        error = refused(Invalid, "undecodable", lambda: text(written(tmp_path, "number\n".encode("utf-16-le"))))

        assert error.message.endswith("add --encoding utf-16-le.")

    @pytest.mark.parametrize("encoding", ["klingon", "hex", "ut\0f"])
    def test_there_is_no_such_encoding(self, tmp_path: Path, encoding: str) -> None:
        refused(Invalid, "unknown_encoding", lambda: text(written(tmp_path, "a\n", encoding=encoding)))

    def test_line_ends_of_old_macs_become_line_feeds(self, tmp_path: Path) -> None:
        source = written(tmp_path, "number\r1\r2\r")

        with source.reading() as reading:
            assert b"".join(reading.text()) == b"number\n1\n2\n"
        assert reading.lines == 3

    def test_a_cr_among_line_feeds_stays(self, tmp_path: Path) -> None:
        assert text(written(tmp_path, "number\n1\r2\n")) == "number\n1\r2\n"

    def test_a_missing_file(self, tmp_path: Path) -> None:
        def act() -> None:
            with opened(tmp_path / "none.csv"):
                pass

        assert refused(Invalid, "file_not_found", act).message == "There is no file 'none.csv'."

    def test_a_directory(self, tmp_path: Path) -> None:
        def act() -> None:
            with opened(tmp_path):
                pass

        refused(Invalid, "not_a_file", act)

    @pytest.mark.skipif(sys.platform != "linux", reason="the file that always fails is Linux's")
    def test_what_the_system_refuses_is_said(self) -> None:
        error = refused(Unavailable, "file_unreadable", lambda: text(Source(Path("/proc/self/mem"))))

        assert error.message == "'mem' cannot be read: Input/output error."

    def test_an_error_of_the_consumer_is_not_taken_for_the_files(self, tmp_path: Path) -> None:
        source = written(tmp_path, "number\n")

        with pytest.raises(ConnectionError), source.reading():
            raise ConnectionError

    def test_standard_input_is_spooled_and_the_spool_removed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"number\n1\n")))

        with opened("-") as source:
            assert (source.name, text(source), text(source)) == ("standard input", "number\n1\n", "number\n1\n")

        assert not source.path.exists()

    def test_a_pipe_can_be_read_twice(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(b"number\n1\n",))
        writer.start()

        with opened(pipe) as source:
            assert (source.name, text(source), text(source)) == ("pipe", "number\n1\n", "number\n1\n")
        writer.join()

    def test_a_pipe_that_may_not_be_opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        def act() -> None:
            with opened(tmp_path / "pipe"):
                pass

        os.mkfifo(tmp_path / "pipe")
        monkeypatch.setattr(Path, "open", refuse)

        assert refused(Unavailable, "file_unreadable", act).message == "'pipe' cannot be read: Permission denied."


class TestNoText:
    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (
                b"PK\x03\x04\x14\0\x06\0",
                "a zip archive, which is also what Excel files are; unpack it, or export the orders as CSV.",
            ),
            (
                b"PK\x05\x06" + b"\0" * 18,
                "a zip archive, which is also what Excel files are; unpack it, or export the orders as CSV.",
            ),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "an older Excel or Word file; export the orders as CSV."),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF; export the orders as CSV."),
            (b"\x89PNG\r\n\x1a\n", "a picture; export the orders as CSV."),
            (b"SQLite format 3\0", "an SQLite database; export the orders as CSV."),
            (b"PAR1\x15\x04", "a Parquet file; export the orders as CSV."),
            (bz2.compress(b"number\n"), "packed; unpack it first."),
            (lzma.compress(b"number\n"), "packed; unpack it first."),
        ],
    )
    @pytest.mark.parametrize("encoding", [None, "cp1252"])
    @pytest.mark.parametrize("packed", [bytes, gzip.compress])
    def test_is_told_by_its_first_bytes(
        self, tmp_path: Path, content: bytes, what: str, encoding: str | None, packed: Callable[[bytes], bytes]
    ) -> None:
        source = written(tmp_path, packed(content), encoding=encoding)

        error = refused(Invalid, "unsuitable", lambda: text(source))

        assert error.message == f"'orders.csv' is {what}"

    def test_what_only_looks_a_little_like_it_is_read(self, tmp_path: Path) -> None:
        assert text(written(tmp_path, "PK,BZh,PDF\n1,2,3\n")) == "PK,BZh,PDF\n1,2,3\n"


class TestFileThatChanges:
    def test_while_it_is_read(self, tmp_path: Path) -> None:
        source = written(tmp_path, "number\n" + "1\n" * 1_000_000)

        def act() -> None:
            with source.reading() as reading:
                blocks = reading.text()
                next(blocks)
                with source.path.open("a") as file:
                    file.write("2\n")
                list(blocks)

        error = refused(Unavailable, "file_changed", act)
        assert error.message == "'orders.csv' was changed while it was being read; run the command again when it is complete."

    def test_between_two_passes(self, tmp_path: Path) -> None:
        source = written(tmp_path, "number\n1\n")
        text(source)
        (tmp_path / "new").write_text("number\n2\n")
        (tmp_path / "new").replace(source.path)

        refused(Unavailable, "file_changed", lambda: text(source))

    def test_in_a_way_that_leaves_no_trace_but_its_content(self, tmp_path: Path) -> None:
        source = written(tmp_path, "number\n1\n")
        status = source.path.stat()
        text(source)
        with source.path.open("r+b") as file:
            file.write(b"numbex\n2\n")
        os.utime(source.path, ns=(status.st_atime_ns, status.st_mtime_ns))

        refused(Unavailable, "file_changed", lambda: text(source))


class TestGzip:
    def test_is_known_by_its_content(self, tmp_path: Path) -> None:
        source = written(tmp_path, gzip.compress(b"number\n1\n"))

        with source.reading() as reading:
            assert b"".join(reading.text()) == b"number\n1\n"
        assert reading.position == source.size

    def test_members_that_follow_each_other_are_one_text(self, tmp_path: Path) -> None:
        assert text(written(tmp_path, gzip.compress(b"number\n1") + gzip.compress(b"2\n") + b"\0" * 512)) == "number\n12\n"

    def test_large_ones_are_read_to_the_end(self, tmp_path: Path) -> None:
        content = b"".join(b"%d,%d\n" % (number, number * 7919 % 10_007) for number in range(300_000))

        assert text(written(tmp_path, gzip.compress(content))).encode() == content

    @pytest.mark.parametrize("cut", [2, 12, -9, -1])
    def test_cut_short(self, tmp_path: Path, cut: int) -> None:
        error = refused(Invalid, "corrupt_gzip", lambda: text(written(tmp_path, gzip.compress(b"number\n1\n")[:cut])))

        assert "ends in the middle" in error.message

    @pytest.mark.parametrize("damage", ["body", "checksum", "trailing"])
    def test_damaged(self, tmp_path: Path, damage: str) -> None:
        packed = bytearray(gzip.compress(b"number\n1\n"))
        if damage == "trailing":
            packed += b"and more"
        else:
            packed[12 if damage == "body" else -6] ^= 0xFF

        refused(Invalid, "corrupt_gzip", lambda: text(written(tmp_path, bytes(packed))))

    def test_a_bomb_is_not_unpacked(self, tmp_path: Path) -> None:
        packer = zlib.compressobj(wbits=31)
        bomb = b"".join(packer.compress(b"1" * (1 << 20)) for _ in range(64)) + packer.flush()

        error = refused(Invalid, "unpacks_too_large", lambda: text(written(tmp_path, bomb)))

        assert error.details == {
            "file": "orders.csv",
            "stored": len(bomb),
            "unpacked": (len(bomb) * RATIO_LIMIT // PIECE + 1) * PIECE,
        }

    def test_more_than_an_order_file_may_hold_is_not_unpacked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unpack, "UNPACKED_LIMIT", 1_000)
        source = written(tmp_path, gzip.compress(b"1" * 1_001))

        refused(Invalid, "unpacks_too_large", lambda: text(source))

    def test_a_reader_that_stops_early_leaves_no_thread(self, tmp_path: Path) -> None:
        source = written(tmp_path, gzip.compress(os.urandom(4 << 20).hex().encode()))

        with source.reading() as reading:
            text = reading.text()
            next(text)

        assert not [thread for thread in threading.enumerate() if thread.name == "ordermill-read-ahead"]


class TestAhead:
    def test_gives_every_piece_in_order(self) -> None:
        assert list(ahead(iter(range(1000)))) == list(range(1000))

    def test_raises_here_what_was_raised_there(self) -> None:
        def failing() -> Iterator[int]:
            yield 1
            raise Unavailable("The disk is gone.")

        pieces = ahead(failing())

        assert next(pieces) == 1
        with pytest.raises(Unavailable, match=r"The disk is gone\."):
            next(pieces)
