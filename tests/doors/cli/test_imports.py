"""`ordermill imports`: what was done, and what was refused, as the book remembers it."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from terminals import Terminal

GOOD = "2026-03-01T10:00:00Z,EUR,ada@example.com,TEA-1,2,4.50"
BAD = GOOD.replace(",2,", ",-2,")


class TestList:
    def test_is_latest_first_and_says_where_it_goes_on(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        for name in ("one", "two", "three"):
            each_terminal.write(f"{name}.csv", export(GOOD, BAD))
            each_terminal.run("process", f"{name}.csv", "--channel", name)

        page = each_terminal.json("imports", "list", "--limit", "2")
        rest = each_terminal.json("imports", "list", "--limit", "2", "--after", page["next_cursor"])

        assert [entry["file"] for entry in page["data"]] == ["three.csv", "two.csv"]
        assert page["has_more"] is True
        assert [entry["file"] for entry in rest["data"]] == ["one.csv"]
        assert (rest["has_more"], rest["next_cursor"]) == (False, None)

    def test_is_a_table_for_people(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("one.csv", export(GOOD, BAD))
        terminal.run("process", "one.csv")

        lines = [line.split() for line in terminal.run("imports", "list").stdout.splitlines()]
        assert lines[1][:4] == ["id", "begun", "(UTC)", "file"]
        assert lines[2][3:] == ["one.csv", "ordermill", "finished", "2", "1", "0", "0", "1"]

    def test_of_an_empty_book_says_so(self, terminal: Terminal) -> None:
        assert terminal.run("imports", "list").stdout == "There are no imports.\n"
        assert terminal.json("imports", "list") == {"data": [], "has_more": False, "next_cursor": None}

    def test_behind_an_import_that_is_not_there_is_refused(self, each_terminal: Terminal) -> None:
        unknown = str(UUID(int=7))
        done = each_terminal.run("imports", "list", "--after", unknown)
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"There is no import {unknown!r}.\n")


class TestShow:
    def test_tells_what_process_told(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.write("one.csv", export(GOOD, BAD))
        report = each_terminal.json("process", "one.csv")

        shown = each_terminal.json("imports", "show", report["files"][0]["import_id"])

        assert {name: shown[name] for name in ("orders", "lines", "customers", "money", "reasons", "adjustments")} == {
            name: report[name] for name in ("orders", "lines", "customers", "money", "reasons", "adjustments")
        }
        assert (shown["file"], shown["state"], shown["size"]) == ("one.csv", "finished", len(export(GOOD, BAD)))
        assert len(shown["sha256"]) == 64

    def test_without_an_id_is_about_the_latest(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("one.csv", export(GOOD))
        terminal.write("two.csv", export(GOOD, BAD))
        terminal.run("process", "one.csv")
        terminal.run("process", "two.csv")

        text = terminal.run("imports", "show").stdout

        assert "two.csv" in text
        assert "two.csv:3 (T-2): quantity is '-2'" in text

    def test_of_what_is_not_there_exits_with_1_and_of_nonsense_with_2(self, terminal: Terminal) -> None:
        unknown = terminal.run("imports", "show", str(UUID(int=7)))
        none = terminal.run("imports", "show")
        nonsense = terminal.run("imports", "show", "latest")
        assert (unknown.exit_code, none.exit_code, nonsense.exit_code) == (1, 1, 2)
        assert none.stderr == "There are no imports.\n"
        assert nonsense.stderr == "'latest' is not the id of an import.\n"


class TestRejects:
    def test_are_listed_with_their_places(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.write("one.csv", export(BAD, GOOD, BAD))
        each_terminal.run("process", "one.csv")

        page = each_terminal.json("imports", "rejects", "--limit", "1")

        assert page == {
            "data": [
                {
                    "line": 2, "number": "T-1", "field": "quantity", "value": "-2", "code": "quantity",
                    "message": "Line 2: quantity is '-2'; write a whole number from 1 to 1,000,000,000.",
                }
            ],
            "has_more": True,
        }  # fmt: skip
        assert (
            "There are 1 more; --limit shows and --output writes them."
            in each_terminal.run("imports", "rejects", "--limit", "1").stdout
        )

    def test_are_written_again_as_process_wrote_them(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.write("one.csv", export(BAD, GOOD, BAD).replace(",", ";").encode("cp1252"))
        each_terminal.run("process", "one.csv", "--encoding", "cp1252")

        done = each_terminal.run("imports", "rejects", "--output", "again.csv")

        assert done.exit_code == 0
        assert Path("again.csv").read_bytes() == Path("one.rejects.csv").read_bytes()

    def test_of_json_lines_are_json_lines(self, terminal: Terminal) -> None:
        terminal.write("one.jsonl", json.dumps({"number": "1", "placed_at": "2026-01-01", "items": []}) + "\n")
        terminal.run("process", "one.jsonl")

        terminal.run("imports", "rejects", "--output", "again.jsonl")

        assert Path("again.jsonl").read_bytes() == Path("one.rejects.jsonl").read_bytes()

    def test_where_there_are_none_nothing_is_written(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("one.csv", export(GOOD))
        terminal.run("process", "one.csv")

        done = terminal.run("imports", "rejects", "--output", "again.csv")

        assert (done.exit_code, done.stderr) == (0, "There are no rejects; nothing was written.\n")
        assert terminal.files() == {"one.csv"}
