"""What `process` refuses, in words and by exit code; bad input never shows a traceback."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from terminals import HEADER, Terminal

from ordermill.kit.errors import Unavailable
from ordermill.kit.files import Replacement

GOOD = "2026-03-01T10:00:00Z,EUR,ada@example.com,TEA-1,2,4.50"
ORDER = f"{HEADER}\nT-1,{GOOD}\n"


def full_disk(file: Replacement, _text: str) -> None:
    raise Unavailable(f"There is no room for {file.path}.")


# A file's bytes, and what is said of it.
UNREADABLE = {
    "empty": (b"", "'shop.csv' is empty."),
    "only line ends": (b"\n\n\n", "'shop.csv' is empty."),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00", "'shop.csv' is a picture; export the orders as CSV."),
    "workbook": (b"PK\x03\x04\x14\x00\xff", "'shop.csv' is a zip archive, which is also what Excel files are;"),
    "PDF": (b"%PDF-1.7\n\xff", "'shop.csv' is a PDF"),
    "cp1252 undeclared": (ORDER.replace("ada", "zo\xeb").encode("cp1252"), "Line 2 of 'shop.csv' holds the byte 0xEB, which"),
    "UTF-16 without a mark": (ORDER.encode("utf-16-le"), "'shop.csv' looks like UTF-16 without a byte order mark"),
    "truncated gzip": (gzip.compress(ORDER.encode() * 50)[:-20], "'shop.csv' ends in the middle of its gzip data"),
    "unclosed quote in the header": (b'number,"placed_at\n1,2\n', "The header of 'shop.csv' cannot be read"),
    "column named twice": (b"number,sku,number\n", "The header of 'shop.csv' names the column 'number' twice"),
    "other columns": (b"a,b\n1,2\n", "'shop.csv' is in no format that Ordermill knows. It has the columns 'a', 'b'."),
    "JSON array": (b'[{"number": 1}]', "'shop.csv' is one JSON array"),
    "broken JSON": (b'{"number": \n', "'shop.csv' looks like JSON, but no line at its beginning is a whole object"),
    "customers": (
        b"First Name,Last Name,Email,Total Spent,Total Orders\nA,B,a@example.com,1,1\n",
        "'shop.csv' looks like",
    ),
}  # fmt: skip


class TestAFileThatCannotBeRead:
    @pytest.mark.parametrize("kind", UNREADABLE)
    def test_is_refused_in_a_sentence_and_leaves_no_book(self, nowhere: Terminal, kind: str) -> None:
        content, sentence = UNREADABLE[kind]
        nowhere.write("shop.csv", content)

        done = nowhere.run("process", "shop.csv")

        assert (done.exit_code, done.stdout) == (2, "")
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
        assert nowhere.files() == {"shop.csv"}

    def test_that_is_not_there_is_named(self, nowhere: Terminal) -> None:
        done = nowhere.run("process", "shop.csv")
        assert (done.exit_code, done.stderr) == (2, "There is no file 'shop.csv'.\n")

    def test_that_is_a_directory_is_named(self, nowhere: Terminal) -> None:
        Path("shop").mkdir()
        done = nowhere.run("process", "shop")
        assert (done.exit_code, done.stderr) == (2, "'shop' is not a file.\n")

    def test_that_breaks_off_late_leaves_nothing_in_the_book(self, terminal: Terminal) -> None:
        lines = [f"T-{number},{GOOD}" for number in range(40_000)]
        terminal.write("shop.csv", ("\n".join([HEADER, *lines]) + "\nT-X,").encode() + b"\xff\xfe\n")

        done = terminal.run("process", "shop.csv")

        assert (done.exit_code, done.stdout) == (2, "")
        assert "Line 40002 of 'shop.csv' holds the byte 0xFF" in done.stderr
        assert terminal.json("orders", "list")["data"] == []


class TestAFaultyOrder:
    @pytest.mark.parametrize(
        ("line", "place"),
        [
            ('T-1,2026-03-01,EUR,,"TEA,1,1.00', (2, None, "unterminated_quote")),
            ('T-1,2026-03-01,EUR,,TE"A,1,1.00', (2, None, "malformed_quote")),
            ("T-1,2026-03-01,EUR,,TEA,1", (2, None, "wrong_column_count")),
            ("T-1,2026-03-01,EUR,,TEA,1,1.00,9", (2, None, "wrong_column_count")),
            ("T-1,yesterday,EUR,,TEA,1,1.00", (2, "placed_at", "time_malformed")),
            ("T-1,,EUR,,TEA,1,1.00", (2, "placed_at", "placed_at_missing")),
            ("T-1,2026-03-01,XXY,,TEA,1,1.00", (2, "currency", "unknown_currency")),
            ("T-1,2026-03-01,EUR,nobody,TEA,1,1.00", (2, "customer_email", "email_malformed")),
            ("T-1,2026-03-01,EUR,,,1,1.00", (2, "sku", "sku_missing")),
            ("T-1,2026-03-01,EUR,,TEA,1.5,1.00", (2, "quantity", "quantity")),
            ("T-1,2026-03-01,EUR,,TEA,1,NaN", (2, "unit_price", "amount_malformed")),
            ("T-1,2026-03-01,EUR,,TEA,1,1e9", (2, "unit_price", "amount_malformed")),
            ("T-1,2026-03-01,EUR,,TEA,1,٣.00", (2, "unit_price", "amount_malformed")),
            ("T-1,2026-03-01,EUR,,TEA,1,1.00001", (2, "unit_price", "too_many_decimals")),
            ("T-1,2026-03-01,EUR,,TEA,1,", (2, "unit_price", "unit_price_missing")),
            ("T-1,2026-03-01,EUR,,T\0A,1,1.00", (2, "sku", "control_character")),
            (f"T-1,2026-03-01,EUR,,{'T' * 300},1,1.00", (2, "sku", "text_too_long")),
        ],
    )
    def test_is_rejected_with_line_field_and_reason_and_the_others_are_loaded(
        self, each_terminal: Terminal, line: str, place: tuple[int, str | None, str]
    ) -> None:
        each_terminal.write("shop.csv", f"{HEADER}\n{line}\nT-2,{GOOD}\n")

        done = each_terminal.run("process", "shop.csv", "--json")

        report = json.loads(done.stdout)
        assert (done.exit_code, report["orders"]["new"], report["orders"]["rejected"]) == (1, 1, 1)
        (reason,) = report["reasons"]
        assert (reason["example"]["line"], reason["example"]["field"], reason["code"]) == place
        assert report["files"][0]["rejects_file"] == "shop.rejects.csv"
        assert "Traceback" not in done.stderr


class TestSeveralFiles:
    def test_one_that_is_refused_does_not_stop_the_others(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD))
        terminal.write("other.csv", "a,b\n1,2\n")

        done = terminal.run("process", "other.csv", "missing.csv", "shop.csv", "--json")

        assert done.exit_code == 2
        assert json.loads(done.stdout)["orders"]["new"] == 1
        assert "There is no file 'missing.csv'." in done.stderr

    def test_all_of_them_are_recognised_before_one_is_loaded(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD))
        terminal.write("other.csv", "a,b\n1,2\n")

        told = terminal.run("process", "shop.csv", "other.csv").stderr.splitlines()

        assert [line.partition(" ")[0] for line in told] == ["shop.csv:", "'other.csv'", "Order"]


class TestOptions:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["--output", "report.xlsx"], "A report is written as .json, .csv, .md; 'report.xlsx' ends with none of these."),
            (["--output", "shop.csv"], "'shop.csv' is to be read; write somewhere else."),
            (["--rejects", "shop.csv"], "'shop.csv' is to be read; write somewhere else."),
            (["--currency", "euro"], "'EURO' is not an ISO 4217 currency; write a code such as 'EUR'."),
            (["--timezone", "Mars"], "'Mars' is not an IANA time zone; write a name such as 'Europe/Berlin'."),
            (["--encoding", "klingon"], "There is no text encoding 'klingon'; try utf-8, utf-16 or cp1252."),
            (["--delimiter", "ab"], "A delimiter is one ASCII character such as ; or \\t, not 'ab'."),
            (["--channel", ""], "A channel's name has 1 to 64 characters, unlike ''."),
            (["--channel", "x" * 65], "A channel's name has 1 to 64 characters"),
            (["--format", "shopfy"], "There is no format 'shopfy'; did you mean 'shopify'?"),
            (["--format", "shopify"], "'shop.csv' is not Shopify orders CSV: it has no"),
            (["--map", "missing.toml"], "The map file 'missing.toml' cannot be read: No such file or directory."),
            (["--map", "shop.csv"], "shop.csv: this is not TOML"),
            (["--map", "x.toml", "--format", "shopify"], "--map says how the files are read, and so does --format;"),
            (["--unknown"], "No such option: --unknown"),
            (["other.csv", "--rejects", "x.csv"], "--rejects names the place of one file's rejects"),
            (["-", "-"], "Standard input (-) can be read once only."),
            (["--output", "x.csv", "--rejects", "./x.csv"], "--rejects and --output name one file; write them to two."),
            (["--map", "shop.csv", "--rejects", "shop.csv"], "'shop.csv' is to be read; write somewhere else."),
        ],
    )
    def test_that_cannot_be_meant_are_refused_before_anything_is_done(
        self, nowhere: Terminal, export: Callable[..., str], words: list[str], sentence: str
    ) -> None:
        nowhere.write("shop.csv", export(GOOD))

        done = nowhere.run("process", "shop.csv", *words)

        assert (done.exit_code, done.stdout) == (2, "")
        assert sentence in " ".join(done.stderr.split())
        assert nowhere.files() == {"shop.csv"}
        assert Path("shop.csv").read_text() == export(GOOD)

    @pytest.mark.parametrize("option", ["--output", "--rejects"])
    def test_a_place_in_no_directory_is_the_environments_fault(
        self, nowhere: Terminal, export: Callable[..., str], option: str
    ) -> None:
        nowhere.write("shop.csv", export(GOOD))
        done = nowhere.run("process", "shop.csv", option, "nowhere/file.csv")
        assert (done.exit_code, done.stdout, nowhere.files()) == (3, "", {"shop.csv"})

    def test_a_file_is_needed(self, nowhere: Terminal) -> None:
        assert nowhere.run("process").exit_code == 2


class TestReport:
    def test_as_json_is_what_is_printed(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD, GOOD.replace(",2,", ",-2,")))
        printed = terminal.json("process", "shop.csv", "--output", "report.json")
        assert json.loads(Path("report.json").read_text(encoding="utf-8")) == printed

    def test_the_shape_of_the_json(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD, GOOD.replace(",2,", ",-2,")))

        report = terminal.json("process", "shop.csv")

        assert report.pop("seconds") > 0
        (entry,) = terminal.json("imports", "list")["data"]
        assert report == {
            "orders": {"read": 2, "new": 1, "updated": 0, "unchanged": 0, "kept": 0, "rejected": 1, "merged": 0},
            "lines": {"read": 2, "accepted": 1, "rejected": 1},
            "customers": {"new": 1, "known": 0, "guests": 0},
            "money": {"EUR": {"total": "9.00", "source_total": "0.00", "difference": "0.00"}},
            "reasons": [
                {
                    "code": "quantity",
                    "count": 1,
                    "example": {
                        "file": "shop.csv",
                        "line": 3,
                        "number": "T-2",
                        "field": "quantity",
                        "value": "-2",
                        "message": "Line 3: quantity is '-2'; write a whole number from 1 to 1,000,000,000.",
                    },
                }
            ],
            "adjustments": {},
            "dry_run": False,
            "files": [
                {
                    "import_id": entry["id"],
                    "file": "shop.csv",
                    "format": "ordermill-csv",
                    "mapping": "Ordermill CSV",
                    "channel": "ordermill",
                    "orders": {"read": 2, "new": 1, "updated": 0, "unchanged": 0, "kept": 0, "rejected": 1, "merged": 0},
                    "rejects_file": "shop.rejects.csv",
                }
            ],
            "refused": [],
        }

    def test_of_a_command_that_refuses_every_file_is_there_all_the_same(self, nowhere: Terminal) -> None:
        nowhere.write("other.csv", "a,b\n1,2\n")

        done = nowhere.run("process", "missing.csv", "other.csv", "--json", "--output", "report.json")

        report = json.loads(done.stdout)
        assert done.exit_code == 2
        assert report["files"] == []
        assert report["refused"][0] == {
            "file": "missing.csv", "code": "file_not_found", "message": "There is no file 'missing.csv'.",
        }  # fmt: skip
        assert (report["refused"][1]["file"], report["refused"][1]["code"]) == ("other.csv", "unrecognised")
        assert json.loads(Path("report.json").read_text(encoding="utf-8")) == report
        assert nowhere.files() == {"other.csv", "report.json"}

    def test_names_the_files_that_were_refused_among_others(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD))
        terminal.write("late.csv", export(*[GOOD] * 25_000).encode() + b"\xff\n")

        report = terminal.json("process", "shop.csv", "late.csv", "missing.csv", "--output", "report.md")

        assert [file["file"] for file in report["files"]] == ["shop.csv"]
        assert [(file["file"], file["code"]) for file in report["refused"]] == [
            ("missing.csv", "file_not_found"), ("late.csv", "undecodable"),
        ]  # fmt: skip
        assert "| missing.csv | file\\_not\\_found | There is no file 'missing.csv'. |" in Path("report.md").read_text()

    def test_as_csv_has_a_figure_a_row_that_no_spreadsheet_runs(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD, GOOD.replace("ada@example.com", "=HYPERLINK(1)")))

        terminal.run("process", "shop.csv", "--output", "report.csv")

        lines = Path("report.csv").read_bytes().decode().split("\r\n")
        assert lines[:3] == ["section,name,value", "orders,read,2", "orders,new,1"]
        assert "money,EUR.total,9.00" in lines
        assert "reasons,1.code,email_malformed" in lines
        assert "reasons,1.example.value,'=HYPERLINK(1)" in lines

    def test_as_markdown_has_the_tables(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD, GOOD.replace("ada@example.com", "<b>|")))

        terminal.run("process", "shop.csv", "--output", "report.md")

        text = Path("report.md").read_text(encoding="utf-8")
        assert text.startswith("# Import\n\n## Orders\n\n| file | read | new |")
        assert "| shop.csv | 2 | 1 | 0 | 0 | 0 | 1 | 0 |" in text
        assert "customer\\_email is '\\<b\\>\\|'" in text

    def test_in_a_file_that_cannot_be_written_does_not_hide_what_was_done(
        self, terminal: Terminal, export: Callable[..., str]
    ) -> None:
        terminal.write("shop.csv", export(GOOD))
        Path("report.md").mkdir()

        done = terminal.run("process", "shop.csv", "--output", "report.md")

        assert done.exit_code == 3
        assert "1 orders in 1 lines took" in done.stdout
        assert "The report cannot be written to 'report.md': Is a directory." in done.stderr

    def test_in_a_file_takes_the_place_of_an_older_one_when_it_is_whole(
        self, terminal: Terminal, export: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terminal.write("shop.csv", export(GOOD))
        terminal.write("report.json", "the older one")
        monkeypatch.setattr(Replacement, "write", full_disk)

        done = terminal.run("process", "shop.csv", "--output", "report.json")

        assert done.exit_code == 3
        assert Path("report.json").read_text() == "the older one"
        assert terminal.files() == {"shop.csv", "report.json"}
