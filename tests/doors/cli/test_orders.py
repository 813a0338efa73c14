"""`ordermill orders`: found, shown, taken out and brought back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from terminals import EXAMPLES, Terminal

GOOD = "2026-03-01T10:00:00Z,EUR,ada@example.com,TEA-1,2,4.50"
PAID: dict[str, Any] = {
    "number": "1001",
    "currency": "EUR",
    "placed_at": "2026-03-01T10:00:00Z",
    "items": [{"sku": "TEA-1", "quantity": 2, "unit_price": "4.50"}],
    "paid": "9.00",
}


@pytest.fixture
def shop(each_terminal: Terminal) -> Terminal:
    """A book with the example exports, on each database."""
    each_terminal.run("process", *(str(EXAMPLES / name) for name in ("shopify-orders.csv", "orders.csv", "orders.jsonl")))
    return each_terminal


def numbers(terminal: Terminal, *words: str) -> list[str]:
    return [order["number"] for order in terminal.json("orders", "list", *words)["data"]]


def content(terminal: Terminal) -> list[dict[str, Any]]:
    """Return all orders without what belongs to this one book and moment."""
    own = {"id", "customer_id", "updated_at", "version"}
    orders = terminal.json("orders", "list", "--limit", "200")["data"]
    shapes = [{name: value for name, value in order.items() if name not in own} for order in orders]
    return sorted(shapes, key=lambda order: (order["channel"], order["number"]))


class TestList:
    def test_is_latest_placed_first_and_pages(self, shop: Terminal) -> None:
        first = shop.json("orders", "list", "--limit", "60")
        second = shop.json("orders", "list", "--limit", "60", "--after", first["next_cursor"])

        orders = [*first["data"], *second["data"]]
        assert (len(first["data"]), len(second["data"]), second["has_more"]) == (60, 31, False)
        assert [order["placed_at"] for order in orders] == sorted((order["placed_at"] for order in orders), reverse=True)
        assert len({order["id"] for order in orders}) == 91

    def test_filters_by_what_is_said(self, shop: Terminal) -> None:
        everything = shop.json("orders", "list", "--limit", "200")["data"]

        def those(name: str, value: str) -> list[str]:
            return [order["number"] for order in everything if order[name] == value]

        assert numbers(shop, "--status", "pending", "--limit", "200") == those("status", "pending") != []
        assert numbers(shop, "--payment", "refunded", "--limit", "200") == those("payment", "refunded") != []
        assert numbers(shop, "--channel", "shopify", "--limit", "200") == those("channel", "shopify") != []
        assert numbers(shop, "--number", "S-2001") == ["S-2001"]
        assert numbers(shop, "--customer", "GRETA@example.org") == those("customer_email", "greta@example.org") != []

    def test_takes_dates_in_the_settings_zone_half_open(self, terminal: Terminal, export: Callable[..., str]) -> None:
        times = ("2026-01-31T22:59:59Z", "2026-01-31T23:00:00Z", "2026-02-28T22:59:59Z", "2026-02-28T23:00:00Z")
        terminal.write("shop.csv", export(*(GOOD.replace("2026-03-01T10:00:00Z", time) for time in times)))
        terminal.run("process", "shop.csv")
        terminal.settings["ORDERMILL_TIMEZONE"] = "Europe/Berlin"

        february = numbers(terminal, "--placed-from", "2026-02-01", "--placed-to", "2026-03-01")

        assert february == ["T-3", "T-2"]
        assert numbers(terminal, "--placed-from", "2026-02-28T23:00:00Z") == ["T-4"]

    def test_is_a_table_for_people(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export(GOOD, GOOD.replace("ada@example.com", "").replace("4.50", "1234.50")))
        terminal.run("process", "shop.csv")

        lines = [line.split() for line in terminal.run("orders", "list").stdout.splitlines()]
        assert lines[2:4] == [
            ["T-2", "ordermill", "2026-03-01", "10:00", "pending", "unpaid", "guest", "1", "EUR", "2,469.00"],
            ["T-1", "ordermill", "2026-03-01", "10:00", "pending", "unpaid", "ada@example.com", "1", "EUR", "9.00"],
        ]

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["--status", "lost"], "'lost' is no status of an order"),
            (["--payment", "later"], "'later' is no payment of an order"),
            (["--placed-from", "yesterday"], "'yesterday' is no moment; write 2026-01-31 or 2026-01-31T10:30."),
            (["--after", "12"], "'12' is no place in a list; copy it from the page before."),
            (["--after", ""], "'' is no place in a list"),
            (["--after", f"2026-01-01T00:00:00/{UUID(int=7)}"], "is no place in a list"),
            (["--after", f"0001-01-01T00:00:00+14:00/{UUID(int=7)}"], "is no place in a list"),
            (["--limit", "0"], "Invalid value for '--limit'"),
        ],
    )
    def test_refuses_what_no_order_can_be(self, terminal: Terminal, words: list[str], sentence: str) -> None:
        done = terminal.run("orders", "list", *words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert sentence in " ".join(done.stderr.split())

    def test_behind_the_place_of_an_order_that_is_not_there_goes_on(self, shop: Terminal) -> None:
        everything = shop.json("orders", "list", "--limit", "200")["data"]
        place = f"{everything[0]['placed_at']}/{UUID(int=0)}"

        behind = shop.json("orders", "list", "--limit", "200", "--after", place)["data"]

        assert behind == [order for order in everything if order["placed_at"] < everything[0]["placed_at"]]


class TestShow:
    def test_shows_items_money_and_what_happened(self, shop: Terminal) -> None:
        text = shop.run("orders", "show", "S-2001").stdout
        order = shop.json("orders", "show", "S-2001")

        assert order["total"] == "214.25"
        assert [item["sku"] for item in order["items"]] == ["SCREW", "WAX-RD", "NB-A4", "PEN-01"]
        assert shop.json("orders", "show", order["id"]) == order
        assert "EUR 214.25" in text
        assert "0.125" in text
        assert "order.imported" in text

    def test_of_what_is_not_there_exits_with_1(self, terminal: Terminal) -> None:
        done = terminal.run("orders", "show", "X-1")
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", "There is no order 'X-1'.\n")


class TestExport:
    @pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
    def test_comes_back_as_the_same_book(self, shop: Terminal, tmp_path: Path, name: str) -> None:
        before = content(shop)
        another = Terminal(
            shop.directory, f"sqlite:///{tmp_path}/another.db", {"ORDERMILL_DATABASE_URL": f"sqlite:///{tmp_path}/another.db"}
        )

        done = shop.run("orders", "export", name)
        report = another.json("process", name)
        shop.run("process", name)

        assert done.stderr == f"91 orders with 232 items written to {name}.\n"
        assert (report["orders"]["new"], report["orders"]["rejected"]) == (91, 0)
        assert content(another) == before
        assert content(shop) == before

    def test_takes_only_what_is_wanted(self, shop: Terminal) -> None:
        shop.run("orders", "export", "out.jsonl", "--channel", "shopify", "--status", "cancelled")
        orders = [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()]
        assert {(order["channel"], order["status"]) for order in orders} == {("shopify", "cancelled")}

    def test_to_another_kind_of_file_is_refused(self, terminal: Terminal) -> None:
        done = terminal.run("orders", "export", "out.xlsx")
        assert (done.exit_code, terminal.files()) == (2, set())

    def test_to_a_place_that_is_not_there_is_the_environments_fault(self, terminal: Terminal) -> None:
        assert terminal.run("orders", "export", "nowhere/out.csv").exit_code == 3


@pytest.fixture
def one_order(each_terminal: Terminal, export: Callable[..., str]) -> Terminal:
    """A book with one order of EUR 9.00, paid in full, on each database."""
    each_terminal.write("shop.jsonl", json.dumps(PAID))
    each_terminal.run("process", "shop.jsonl", "--channel", "shop")
    return each_terminal


class TestSetStatus:
    def test_moves_an_order_and_says_where_that_was_written(self, one_order: Terminal) -> None:
        first = one_order.run("orders", "set-status", "1001", "processing")
        second = one_order.run(
            "orders", "set-status", "1001", "shipped", "--channel", "shop", "--carrier", "Post", "--tracking-number", "1Z"
        )

        order = one_order.json("orders", "show", "1001")
        shown = one_order.run("orders", "show", "1001").stdout
        assert (first.exit_code, first.stdout) == (0, "Order 1001 of shop is processing now.\n")
        assert first.stderr.startswith("Written to ")
        assert (second.exit_code, second.stdout) == (0, "Order 1001 of shop is shipped now.\n")
        assert (order["status"], order["carrier"], order["tracking_number"], order["version"]) == ("shipped", "Post", "1Z", 3)
        assert "from processing, to shipped" in shown
        assert "Post 1Z" in shown
        assert one_order.run("audit").exit_code == 0

    @pytest.mark.parametrize(
        ("words", "code", "sentence"),
        [
            (["1001", "shipped"], 1, "is pending and cannot become shipped; it may become processing or cancelled."),
            (["1001", "pending"], 1, "The order '1001' is pending already; it may become processing or cancelled."),
            (["1002", "shipped"], 1, "There is no order '1002'."),
            (["1001", "lost"], 2, "'lost' is no status of an order"),
            (["1001", "cancelled", "--carrier", "Post"], 2, "Carrier and tracking number go with the status shipped."),
        ],
    )  # fmt: skip
    def test_refuses_with_a_sentence_and_changes_nothing(
        self, one_order: Terminal, words: list[str], code: int, sentence: str
    ) -> None:
        before = one_order.json("orders", "show", "1001")

        done = one_order.run("orders", "set-status", *words)

        assert (done.exit_code, done.stdout) == (code, "")
        assert sentence in done.stderr
        assert one_order.json("orders", "show", "1001") == before


class TestPay:
    def test_records_it_and_says_what_that_makes(self, one_order: Terminal) -> None:
        done = one_order.run("orders", "pay", "1001", "4.50", "--method", "transfer", "--reference", "P-7")

        order = one_order.json("orders", "show", "1001")
        lines = [line.split() for line in one_order.run("orders", "show", "1001").stdout.splitlines()]
        assert (done.exit_code, done.stdout) == (0, "Order 1001 of shop is paid now: EUR 13.50 of 9.00 received.\n")
        assert done.stderr.startswith("Written to ")
        assert (order["paid"], order["refunded"], order["payment"]) == ("13.50", "0.00", "paid")
        assert [line[2:] for line in lines if line[-1:] == ["here"]] == [["EUR", "4.50", "transfer", "P-7", "here"]]
        assert one_order.run("audit").exit_code == 0

    @pytest.mark.parametrize(
        ("amount", "sentence"),
        [
            ("0", "The amount must be more than 0."),
            ("4,50", "Write the amount in digits"),
            ("0.001", "An amount has at most 2 decimals in EUR."),
        ],
    )
    def test_refuses_with_a_sentence_and_changes_nothing(self, one_order: Terminal, amount: str, sentence: str) -> None:
        done = one_order.run("orders", "pay", "1001", amount)
        assert (done.exit_code, done.stdout) == (2, "")
        assert sentence in " ".join(done.stderr.split())
        assert one_order.json("orders", "show", "1001")["version"] == 1


class TestRefund:
    def test_records_it_and_says_what_that_makes(self, one_order: Terminal) -> None:
        done = one_order.run("orders", "refund", "1001", "4.50", "--method", "cash", "--reference", "R-7")

        order = one_order.json("orders", "show", "1001")
        lines = [line.split() for line in one_order.run("orders", "show", "1001").stdout.splitlines()]
        assert (done.exit_code, done.stdout) == (
            0,
            "Order 1001 of shop is partially_refunded now: EUR 4.50 of 9.00 given back.\n",
        )
        assert done.stderr.startswith("Written to ")
        assert (order["paid"], order["refunded"], order["payment"]) == ("9.00", "4.50", "partially_refunded")
        assert [line[2:] for line in lines if line[-1:] == ["here"]] == [["EUR", "4.50", "cash", "R-7", "here"]]
        assert [line[2:] for line in lines if line[-2:] == ["an", "import"]] == [
            ["EUR", "9.00", "-", "-", "by", "an", "import"]
        ]
        assert one_order.run("audit").exit_code == 0
        assert one_order.run("stats", "verify").exit_code == 0

    @pytest.mark.parametrize(
        ("amount", "code", "sentence"),
        [
            ("9.01", 1, "Of the order '1001' no more than EUR 9.00 can be given back"),
            ("0", 2, "The amount must be more than 0."),
            ("4,50", 2, "Write the amount in digits"),
            ("0.001", 2, "An amount has at most 2 decimals in EUR."),
        ],
    )
    def test_refuses_with_a_sentence_and_changes_nothing(
        self, one_order: Terminal, amount: str, code: int, sentence: str
    ) -> None:
        before = one_order.json("orders", "show", "1001")

        done = one_order.run("orders", "refund", "1001", amount)

        assert (done.exit_code, done.stdout) == (code, "")
        assert sentence in done.stderr
        assert one_order.json("orders", "show", "1001") == before

    def test_outlasts_an_export_that_comes_back_and_a_newer_one(self, one_order: Terminal) -> None:
        one_order.run("orders", "refund", "1001", "4.50")
        refunded = content(one_order)
        one_order.run("orders", "export", "out.jsonl")

        one_order.run("process", "out.jsonl")
        again = content(one_order)
        one_order.write("newer.jsonl", json.dumps({**PAID, "note": "By the door"}))
        one_order.run("process", "newer.jsonl", "--channel", "shop")

        (newer,) = content(one_order)
        assert again == refunded
        assert (newer["note"], newer["paid"], newer["refunded"]) == ("By the door", "9.00", "4.50")
        assert one_order.run("audit").exit_code == 0
