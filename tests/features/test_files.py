"""A file that appears whole or not at all: in the place of another, or beside it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ordermill.kit.errors import Unavailable
from ordermill.kit.files import Addition, Replacement


def refused(error: OSError) -> Unavailable:
    return Unavailable(f"No: {error.strerror}.", code="no")


def replaced(path: Path, text: str) -> None:
    with Replacement(path, refusal=refused) as file:
        file.write(text)


def added(path: Path, text: str, *avoid: Path) -> Path:
    with Addition(path, refusal=refused, avoid=avoid) as file:
        file.write(text)
    return file.path


def half_written(path: Path, kind: type[Replacement]) -> None:
    with kind(path, refusal=refused) as file:
        file.write("half")
        raise KeyError


KINDS = pytest.mark.parametrize("kind", [Replacement, Addition])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.rejects.csv"


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


class TestBoth:
    @KINDS
    def test_write_what_was_written_with_its_line_ends(self, path: Path, kind: type[Replacement]) -> None:
        with kind(path, refusal=refused, encoding="utf-8-sig") as file:
            file.write("é\r\n")
            file.write("日\n")

        assert path.read_bytes() == "\ufeffé\r\n日\n".encode()
        assert names(path) == [path.name]

    @KINDS
    def test_leave_nothing_when_the_block_fails(self, path: Path, kind: type[Replacement]) -> None:
        with pytest.raises(KeyError):
            half_written(path, kind)

        assert names(path) == []

    @KINDS
    def test_refuse_in_their_owners_words(self, path: Path, kind: type[Replacement]) -> None:
        with pytest.raises(Unavailable, match="No: No such file or directory") as caught, kind(path / "x", refusal=refused):
            pass

        assert caught.value.code == "no"

    @KINDS
    def test_may_be_read_by_whom_the_system_says(self, path: Path, kind: type[Replacement]) -> None:
        before = os.umask(0o027)
        try:
            with kind(path, refusal=refused) as file:
                file.write("new")
        finally:
            os.umask(before)

        assert path.stat().st_mode & 0o777 == 0o640


class TestReplacement:
    def test_is_not_seen_before_it_is_whole(self, path: Path) -> None:
        path.write_text("old")

        with Replacement(path, refusal=refused) as file:
            file.write("new")
            seen = path.read_text()

        assert (seen, path.read_text()) == ("old", "new")

    def test_that_fails_leaves_what_was_there(self, path: Path) -> None:
        path.write_text("old")

        with pytest.raises(KeyError):
            half_written(path, Replacement)

        assert path.read_text() == "old"
        assert names(path) == [path.name]

    def test_of_two_at_once_is_that_of_the_last_whole(self, path: Path) -> None:
        with Replacement(path, refusal=refused) as one:
            one.write("one " * 10_000)
            with Replacement(path, refusal=refused) as other:
                other.write("other")
            between = path.read_text()

        assert (between, path.read_text()) == ("other", "one " * 10_000)
        assert names(path) == [path.name]

    def test_keeps_the_mode_of_what_was_there(self, path: Path) -> None:
        path.write_text("old")
        path.chmod(0o600)

        replaced(path, "new")

        assert path.stat().st_mode & 0o777 == 0o600

    def test_at_a_link_is_where_the_link_leads(self, path: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        path.symlink_to(tmp_path / "elsewhere" / "real.csv")

        replaced(path, "new")

        assert path.is_symlink()
        assert names(tmp_path / "elsewhere" / "real.csv") == ["real.csv"]
        assert path.read_text() == "new"

    def test_of_a_device_is_written_to_it(self, path: Path) -> None:
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

        replaced(path, "new")

        assert os.read(reader, 100) == b"new"
        os.close(reader)
        assert path.is_fifo()

    def test_of_a_directory_is_refused(self, path: Path) -> None:
        path.mkdir()

        with pytest.raises(Unavailable, match="No: Is a directory"):
            replaced(path, "new")

        assert names(path) == [path.name]

    def test_whose_name_is_as_long_as_names_may_be_is_written(self, tmp_path: Path) -> None:
        replaced(tmp_path / ("n" * 255), "new")

        assert (tmp_path / ("n" * 255)).read_text() == "new"


class TestAddition:
    def test_takes_the_next_free_name(self, path: Path) -> None:
        path.write_text("repaired")

        second = added(path, "new")
        third = added(path, "newer")

        assert (second.name, third.name) == ("orders.rejects-2.csv", "orders.rejects-3.csv")
        assert [file.read_text() for file in (path, second, third)] == ["repaired", "new", "newer"]
        assert len(names(path)) == 3

    def test_is_content_with_a_file_that_says_the_same(self, path: Path) -> None:
        path.write_text("same")

        assert added(path, "same") == path
        assert names(path) == [path.name]

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
    def test_takes_no_place_that_is_no_file(self, path: Path, make: Callable[[Path], None]) -> None:
        make(path)

        assert added(path, "new").name == "orders.rejects-2.csv"

    def test_leaves_a_place_to_whom_it_is_promised(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(path.parent)

        assert added(path, "new", Path(path.name)).name == "orders.rejects-2.csv"
        assert not path.exists()

    def test_of_two_at_once_is_two_files(self, path: Path) -> None:
        with Addition(path, refusal=refused) as one:
            one.write("one")
            assert added(path, "other") == path

        assert one.path.read_text() == "one"
        assert path.read_text() == "other"
