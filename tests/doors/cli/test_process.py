"""The main job on the example exports: what is loaded, what is refused, what is told."""

import csv
import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from terminals import EXAMPLES, HEADER, Terminal

FILES = [str(EXAMPLES / name) for name in ("shopify-orders.csv", "orders.csv", "orders.jsonl")]
GOOD = "2026-03-01T10:00:00Z,EUR,ada@example.com,TEA-1,2,4.50"


class TestTheExamples:
    def test_are_loaded_to_the_cent(self, each_terminal: Terminal) -> None:
        done = each_terminal.run("process", *FILES, "--json")
        report = json.loads(done.stdout)

        assert done.exit_code == 1
        assert list(report["orders"].items()) == [
            ("read", 103), ("new", 91), ("updated", 0), ("unchanged", 0), ("kept", 0), ("rejected", 12), ("merged", 5),
        ]  # fmt: skip
        assert report["lines"] == {"read": 255, "accepted": 230, "rejected": 25}
        assert report["customers"] == {"new": 23, "known": 6, "guests": 6}
        assert report["money"] == {
            "EUR": {"total": "2341.22", "source_total": "2341.22", "difference": "0.00"},
            "GBP": {"total": "791.84", "source_total": "791.84", "difference": "0.00"},
            "JPY": {"total": "37912", "source_total": "37912", "difference": "0"},
            "KWD": {"total": "150.319", "source_total": "150.319", "difference": "0.000"},
            "USD": {"total": "6197.41", "source_total": "6197.41", "difference": "0.00"},
        }
        assert report["adjustments"] == {"unknown_country": 1}
        assert report["dry_run"] is False

    def test_of_more_than_ten_reasons_the_rest_is_named_and_the_report_has_all(self, terminal: Terminal) -> None:
        told = terminal.run("process", *FILES).stdout

        reasons = terminal.json("process", *FILES)["reasons"]
        assert len(reasons) == 11
        assert sum(reason["count"] for reason in reasons) == 12
        assert "1 more                   1  unknown_status" in told

    def test_a_second_run_changes_nothing(self, each_terminal: Terminal) -> None:
        each_terminal.run("process", *FILES)

        again = each_terminal.json("process", *FILES)

        assert again["orders"] == {
            "read": 103, "new": 0, "updated": 0, "unchanged": 91, "kept": 0, "rejected": 12, "merged": 5,
        }  # fmt: skip
        assert again["customers"] == {"new": 0, "known": 29, "guests": 6}
        assert each_terminal.run("audit").exit_code == 0
        assert each_terminal.run("stats", "verify").exit_code == 0

    def test_each_reason_has_its_place(self, each_terminal: Terminal) -> None:
        report = each_terminal.json("process", FILES[0])

        places = {reason["code"]: tuple(reason["example"].values())[:5] for reason in report["reasons"]}
        assert places == {
            "amount_malformed": ("shopify-orders.csv", 94, "#1018", "Lineitem price", "12.5O"),
            "email_malformed": ("shopify-orders.csv", 28, "#1042", "Email", "kai@@example.com"),
            "malformed_quote": ("shopify-orders.csv", 45, "#1034", None, None),
            "quantity": ("shopify-orders.csv", 125, "#1010", "Lineitem quantity", "0"),
            "unknown_currency": ("shopify-orders.csv", 64, "#1027", "Currency", "USX"),
        }

    def test_each_file_is_told_apart(self, each_terminal: Terminal) -> None:
        report = each_terminal.json("process", *FILES)

        told = ("file", "format", "mapping", "channel", "rejects_file")
        assert [{name: file[name] for name in told} for file in report["files"]] == [
            {
                "file": "shopify-orders.csv", "format": "shopify", "mapping": "Shopify orders CSV", "channel": "shopify",
                "rejects_file": "shopify-orders.rejects.csv",
            },
            {
                "file": "orders.csv", "format": "ordermill-csv", "mapping": "Ordermill CSV", "channel": "ordermill",
                "rejects_file": "orders.rejects.csv",
            },
            {
                "file": "orders.jsonl", "format": "ordermill-jsonl", "mapping": "Ordermill JSON lines", "channel": "ordermill",
                "rejects_file": "orders.rejects.jsonl",
            },
        ]  # fmt: skip
        assert [file["orders"]["new"] for file in report["files"]] == [47, 37, 7]
        ids = [entry["id"] for entry in each_terminal.json("imports", "list")["data"]]
        assert [file["import_id"] for file in report["files"]] == ids[::-1]

    def test_are_told_in_tables(self, terminal: Terminal) -> None:
        done = terminal.run("process", *FILES)

        lines = [line.split() for line in done.stdout.splitlines()]
        assert ["together", "103", "91", "0", "0", "0", "12", "5"] in lines
        assert ["USD", "6,197.41", "6,197.41", "0.00"] in lines
        assert f"Written to {terminal.database}." in done.stdout
        assert done.stderr.splitlines() == [
            "shopify-orders.csv: Shopify orders CSV, channel shopify.",
            "orders.csv: Ordermill CSV, channel ordermill.",
            "orders.jsonl: Ordermill JSON lines, channel ordermill.",
            f"Order book: {terminal.database}",
        ]

    def test_off_a_terminal_there_is_neither_bar_nor_colour_nor_box(self, terminal: Terminal) -> None:
        done = terminal.run("process", *FILES)
        assert [sign for sign in "\x1b\r─│━" if sign in done.stdout + done.stderr] == []


class TestRejects:
    def test_repaired_and_processed_again_they_are_the_orders_that_were_missing(
        self, each_terminal: Terminal, export: Callable[..., str]
    ) -> None:
        each_terminal.write("shop.csv", export(GOOD, GOOD.replace(",2,", ",-2,"), "2026-02-30,EUR,,POT-1,1,20.00"))
        first = each_terminal.run("process", "shop.csv")
        rejects = Path("shop.rejects.csv")

        repaired = rejects.read_text(encoding="utf-8").replace(",-2,", ",2,")
        rejects.write_text(repaired, encoding="utf-8")
        second = each_terminal.json("process", str(rejects))

        assert first.exit_code == 1
        assert second["orders"] | {"kept": 0} == {
            "read": 2, "new": 1, "updated": 0, "unchanged": 0, "kept": 0, "rejected": 1, "merged": 0,
        }  # fmt: skip
        assert second["files"][0]["rejects_file"] == "shop.rejects.rejects.csv"
        again = Path("shop.rejects.rejects.csv").read_text(encoding="utf-8-sig").splitlines()
        assert again[0].startswith("_line,_reason,number,placed_at")
        assert len(again) == 2

    def test_are_all_lines_of_the_order_as_they_were(self, terminal: Terminal, export: Callable[..., str]) -> None:
        text = export(GOOD, GOOD.replace("TEA-1,2", '"A ""B"",\nC",0')) + "T-2,,,,POT-1,1,3.00\n"
        terminal.write("shop.csv", text)

        terminal.run("process", "shop.csv")

        with Path("shop.rejects.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert rows == [
            ["_line", "_reason", *HEADER.split(",")],
            [
                "3", "Line 3: quantity is '0'; write a whole number from 1 to 1,000,000,000.",
                "T-2", "2026-03-01T10:00:00Z", "EUR", "ada@example.com", 'A "B",\nC', "0", "4.50",
            ],
            [
                "5", "Line 3: quantity is '0'; write a whole number from 1 to 1,000,000,000.",
                "T-2", "", "", "", "POT-1", "1", "3.00",
            ],
        ]  # fmt: skip

    def test_json_lines_come_back_as_json_lines(self, terminal: Terminal) -> None:
        good = {
            "number": "1",
            "placed_at": "2026-01-01T00:00:00Z",
            "items": [{"sku": "T", "quantity": 1, "unit_price": "1.00"}],
        }
        terminal.write("shop.jsonl", json.dumps(good | {"number": "2", "items": []}) + "\n" + json.dumps(good) + "\n")

        terminal.run("process", "shop.jsonl")
        (line,) = Path("shop.rejects.jsonl").read_text(encoding="utf-8-sig").splitlines()
        repaired = json.loads(line) | {"items": good["items"]}
        terminal.write("repaired.jsonl", json.dumps(repaired) + "\n")
        report = terminal.json("process", "repaired.jsonl")

        assert json.loads(line)["_line"] == 1
        assert report["orders"]["new"] == 1

    def test_lie_beside_the_report(self, terminal: Terminal, export: Callable[..., str]) -> None:
        Path("out").mkdir()
        terminal.write("shop.csv", export(GOOD, GOOD.replace(",2,", ",-2,")))

        terminal.run("process", "shop.csv", "--output", "out/report.md")

        assert {path.name for path in Path("out").iterdir()} == {"report.md", "shop.rejects.csv"}

    def test_lie_where_they_are_wanted(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD.replace(",2,", ",-2,")))

        report = terminal.json("process", "shop.csv", "--rejects", "wrong.csv")

        assert report["files"][0]["rejects_file"] == "wrong.csv"
        assert terminal.files() == {"shop.csv", "wrong.csv"}

    def test_without_any_there_is_no_file(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD))

        done = terminal.run("process", "shop.csv")

        assert done.exit_code == 0
        assert terminal.files() == {"shop.csv"}

    def test_of_two_files_of_one_name_are_kept_apart(self, terminal: Terminal, export: Callable[..., str]) -> None:
        for name, first in (("a", 1), ("b", 10)):
            Path(name).mkdir()
            terminal.write(f"{name}/shop.csv", export(GOOD.replace(",2,", ",-2,"), first=first))

        report = terminal.json("process", "a/shop.csv", "b/shop.csv")

        assert [file["rejects_file"] for file in report["files"]] == ["shop.rejects.csv", "shop.rejects-2.csv"]
        assert "T-10" in Path("shop.rejects-2.csv").read_text(encoding="utf-8")

    def test_that_were_repaired_are_never_replaced(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD, GOOD.replace(",2,", ",-2,")))
        terminal.run("process", "shop.csv")
        rejects = Path("shop.rejects.csv")
        refused = rejects.read_bytes()
        repaired = refused.replace(b",-2,", b",2,")
        rejects.write_bytes(repaired)

        again = terminal.json("process", "shop.csv")
        both = terminal.json("process", "shop.csv", "shop.rejects.csv")

        assert rejects.read_bytes() == repaired
        assert [file["rejects_file"] for file in (*again["files"], *both["files"])] == [
            "shop.rejects-2.csv", "shop.rejects-2.csv", None,
        ]  # fmt: skip
        assert Path("shop.rejects-2.csv").read_bytes() == refused
        assert both["orders"]["new"] == 1

    def test_that_nobody_touched_are_not_written_a_second_time(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD.replace(",2,", ",-2,")))
        terminal.run("process", "shop.csv")

        again = terminal.json("process", "shop.csv")

        assert again["files"][0]["rejects_file"] == "shop.rejects.csv"
        assert terminal.files() == {"shop.csv", "shop.rejects.csv"}

    def test_in_a_named_place_are_replaced(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD.replace(",2,", ",-2,")))
        terminal.write("wrong.csv", "older")

        terminal.run("process", "shop.csv", "--rejects", "wrong.csv")

        assert "T-1" in Path("wrong.csv").read_text(encoding="utf-8")
        assert terminal.files() == {"shop.csv", "wrong.csv"}

    def test_give_way_to_the_report(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD.replace(",2,", ",-2,")))

        report = terminal.json("process", "shop.csv", "--output", "shop.rejects.csv")

        assert report["files"][0]["rejects_file"] == "shop.rejects-2.csv"
        assert Path("shop.rejects.csv").read_text().startswith("section,name,value\n")
        assert "T-1" in Path("shop.rejects-2.csv").read_text(encoding="utf-8")


class TestUpdates:
    def test_a_newer_export_updates_the_orders_it_changes(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.write("monday.csv", export(GOOD, GOOD))
        each_terminal.write("tuesday.csv", export(GOOD, GOOD.replace(",2,", ",3,"), GOOD))
        each_terminal.run("process", "monday.csv")

        report = each_terminal.json("process", "tuesday.csv")

        assert [report["orders"][name] for name in ("new", "updated", "unchanged")] == [1, 1, 1]
        assert each_terminal.json("orders", "show", "T-2")["total"] == "13.50"
        assert each_terminal.run("audit").exit_code == 0

    def test_another_shop_in_the_same_channel_is_refused(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.write("one.csv", export(GOOD))
        each_terminal.write("other.csv", export(GOOD.replace("EUR", "USD")))
        each_terminal.run("process", "one.csv")

        refused = each_terminal.json("process", "other.csv")
        apart = each_terminal.json("process", "other.csv", "--channel", "other")

        assert [reason["code"] for reason in refused["reasons"]] == ["different_order"]
        assert refused["customers"] == {"new": 0, "known": 0, "guests": 0}
        assert apart["orders"]["new"] == 1
        assert each_terminal.run("orders", "show", "T-1").exit_code == 1  # two channels have it

    def test_a_difference_from_the_files_own_total_is_told(self, terminal: Terminal, export: Callable[..., str]) -> None:
        text = export(f"{GOOD}").replace("unit_price", "unit_price,total").replace("4.50", "4.50,9.01")
        terminal.write("shop.csv", text)

        done = terminal.run("process", "shop.csv", "--json")

        assert done.exit_code == 1
        assert json.loads(done.stdout)["money"] == {"EUR": {"total": "9.00", "source_total": "9.01", "difference": "-0.01"}}


class TestDryRun:
    def test_without_a_book_it_leaves_nothing_behind(self, nowhere: Terminal) -> None:
        done = nowhere.run("process", *FILES, "--dry-run", "--json")

        report = json.loads(done.stdout)
        assert (done.exit_code, report["dry_run"], report["orders"]["new"]) == (1, True, 91)
        assert report["customers"] == {"new": 29, "known": 0, "guests": 6}
        assert [file["import_id"] for file in report["files"]] == [None, None, None]
        assert [file["rejects_file"] for file in report["files"]] == [None, None, None]
        assert nowhere.files() == set()
        assert list((nowhere.directory.parent / "home").iterdir()) == []

    def test_tells_what_the_run_would_do_and_leaves_the_book_alone(self, each_terminal: Terminal) -> None:
        each_terminal.run("process", FILES[1])
        imports = each_terminal.json("imports", "list")

        dry = each_terminal.json("process", FILES[1], "--dry-run")
        before = each_terminal.json("process", FILES[0], "--dry-run")
        wet = each_terminal.json("process", FILES[0])

        assert dry["orders"]["unchanged"] == 37
        assert {**before, "seconds": 0, "files": 0, "dry_run": 0} == {**wet, "seconds": 0, "files": 0, "dry_run": 0}
        assert each_terminal.json("imports", "list")["data"][1:] == imports["data"]

    def test_writes_rejects_where_a_place_for_them_is_named(self, nowhere: Terminal, export: Callable[..., str]) -> None:
        nowhere.write("shop.csv", export(GOOD.replace(",2,", ",-2,")))

        nowhere.run("process", "shop.csv", "--dry-run", "--rejects", "wrong.csv")

        assert nowhere.files() == {"shop.csv", "wrong.csv"}


class TestSwitches:
    @pytest.mark.parametrize(
        ("option", "line", "code"),
        [("--no-guests", GOOD.replace("ada@example.com", ""), "guest_not_allowed")],
    )
    def test_refuse_what_is_allowed_otherwise(
        self, terminal: Terminal, export: Callable[..., str], option: str, line: str, code: str
    ) -> None:
        terminal.write("shop.csv", export(line))
        assert [reason["code"] for reason in terminal.json("process", "shop.csv", option)["reasons"]] == [code]
        assert terminal.json("process", "shop.csv")["orders"]["new"] == 1

    def test_no_merge_keeps_lines_apart(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD) + f"T-1,{GOOD}\n")

        terminal.run("process", "shop.csv", "--no-merge", "--channel", "apart")
        terminal.run("process", "shop.csv", "--channel", "merged")

        assert [item["quantity"] for item in terminal.json("orders", "show", "T-1", "--channel", "apart")["items"]] == [2, 2]
        assert [item["quantity"] for item in terminal.json("orders", "show", "T-1", "--channel", "merged")["items"]] == [4]

    def test_what_the_file_does_not_say_the_command_does(self, terminal: Terminal) -> None:
        terminal.write(
            "shop.csv", "number;placed_at;sku;name;quantity;unit_price\n1;2026-01-15 01:30;T;Thé;1;2,00\n".encode("cp1252")
        )
        words = ("--currency", "gbp", "--timezone", "America/New_York", "--encoding", "cp1252", "--delimiter", ";")

        refused = terminal.json("process", "shop.csv", *words)
        terminal.write("shop.csv", Path("shop.csv").read_bytes().replace(b"2,00", b"2.00"))
        terminal.run("process", "shop.csv", *words)

        assert refused["reasons"][0]["code"] == "amount_malformed"
        order = terminal.json("orders", "show", "1")
        assert (order["currency"], order["placed_at"], order["items"][0]["name"]) == ("GBP", "2026-01-15T06:30:00Z", "Thé")

    def test_a_map_reads_any_table(self, terminal: Terminal) -> None:
        terminal.write("shop.csv", "Nr,When,What,Pieces,Price\n7,2026-05-01,TEA,2,1.25\n")
        terminal.write(
            "shop.toml",
            '[file]\nname = "my shop"\ncurrency = "CHF"\n[order]\nnumber = "{Nr}"\nplaced_at = "{When}"\n'
            '[item]\nsku = "{What}"\nquantity = "{Pieces}"\nunit_price = "{Price}"\n',
        )

        report = terminal.json("process", "shop.csv", "--map", "shop.toml")

        assert report["money"]["CHF"]["total"] == "2.50"
        assert report["files"][0]["mapping"] == "shop.toml"


class TestVerbose:
    def test_lists_every_reject_with_its_place(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD, GOOD.replace(",2,", ",-2,"), GOOD.replace("EUR", "EUX")))

        done = terminal.run("process", "shop.csv", "--verbose", "--json")

        assert "shop.csv:3 T-2 quantity quantity: Line 3: quantity is '-2'" in done.stderr
        assert "shop.csv:4 T-3 currency unknown_currency: Line 4: currency is 'EUX'" in done.stderr
        assert "3 so far." in done.stderr
        assert json.loads(done.stdout)["orders"]["rejected"] == 2


class TestStandardInput:
    def test_is_a_file_like_others(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        done = each_terminal.run("process", "-", "--json", input=export(GOOD, GOOD.replace(",2,", ",-2,")))

        report = json.loads(done.stdout)
        assert Decimal(report["money"]["EUR"]["total"]) == 9
        assert report["files"][0]["file"] == "standard input"
        assert report["files"][0]["rejects_file"] == "stdin.rejects.csv"


class TestFileNames:
    def test_that_are_no_text_are_shown_as_what_they_are(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        name = os.fsdecode(b"caf\xe9 \x1b[31m.csv")
        each_terminal.write(name, export(GOOD))

        done = each_terminal.run("process", name)

        assert done.exit_code == 0
        assert each_terminal.json("imports", "list")["data"][0]["file"] == "caf\\udce9 \\x1b[31m.csv"
