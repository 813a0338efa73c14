"""`ordermill products` and `ordermill discounts`: one by one, and as files that come back as they went."""

from collections.abc import Callable

import pytest
from terminals import EXAMPLES, Terminal

PRODUCTS = "sku,name,price,stock\nTEA-1,Green tea,4.50,7\nMUG-1,Mug,9.00,\n"


class TestProducts:
    def test_are_added_changed_and_listed(self, each_terminal: Terminal) -> None:
        added = each_terminal.run("products", "add", "TEA-1", "--name", "Green tea", "--price", "4.50", "--stock", "7")
        each_terminal.run("products", "set", "TEA-1", "--price", "4.80", "--received", "20")
        each_terminal.run("products", "set", "TEA-1", "--inactive", "--name", "Tea, green")

        assert added.exit_code == 0
        assert added.stdout.endswith(": TEA-1, Green tea, EUR 4.50, 7 in stock.\n")
        assert added.stderr.startswith("Written to ")
        (tea,) = each_terminal.json("products", "list", "--search", "gre")["data"]
        kept = {"name": "Tea, green", "price": "4.80", "currency": "EUR", "stock": 27, "is_active": False}
        assert tea == {"id": tea["id"], "sku": "TEA-1", **kept}
        assert each_terminal.json("products", "list", "--active")["data"] == []
        assert each_terminal.run("audit").exit_code == 0

    @pytest.mark.parametrize(
        ("words", "code", "sentence"),
        [
            (["add", "TEA-1", "--name", "Tea", "--price", "4.50"], 1, "There is a product with this SKU already."),
            (["add", "TEA-2", "--name", "Tea"], 2, "price: Field required."),
            (["add", "TEA-2", "--name", "Tea", "--price", "4.505"], 2, "An amount has at most 2 decimals in EUR."),
            (["set", "TEA-2", "--price", "4.50"], 1, "There is no product 'TEA-2'."),
            (["set", "TEA-1", "--received", "-8"], 1, "There are only 7 of 'TEA-1'."),
            (
                ["set", "TEA-1", "--stock", "8", "--untracked"],
                2,
                "Say how much there is, or that nobody counts it, and not both.",
            ),
            (
                ["set", "TEA-1", "--stock", "8", "--received", "1"],
                2,
                "options: Say how much there is, or how much came, and not both.",
            ),
            (["set", "TEA-1", "--currency", "JPY"], 2, "Another currency needs its own price."),
        ],
    )
    def test_refuse_in_a_sentence(self, terminal: Terminal, words: list[str], code: int, sentence: str) -> None:
        terminal.run("products", "add", "TEA-1", "--name", "Tea", "--price", "4.50", "--stock", "7")
        before = terminal.run("products", "list").stdout

        done = terminal.run("products", *words)

        assert (done.exit_code, done.stdout, done.stderr) == (code, "", f"{sentence}\n")
        assert terminal.run("products", "list").stdout == before

    def test_are_removed(self, terminal: Terminal) -> None:
        terminal.run("products", "add", "TEA-1", "--name", "Tea", "--price", "4.50")

        done = terminal.run("products", "remove", "TEA-1")
        again = terminal.run("products", "remove", "TEA-1")

        assert (done.exit_code, done.stdout) == (0, "Product 1: TEA-1 is gone.\n")
        assert (again.exit_code, again.stderr) == (1, "There is no product 'TEA-1'.\n")
        assert terminal.json("products", "list")["data"] == []

    def test_that_orders_speak_of_stay_and_are_not_for_sale(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.run("products", "add", "TEA-1", "--name", "Tea", "--price", "4.50")
        each_terminal.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50"))
        each_terminal.run("process", "shop.csv")

        done = each_terminal.run("products", "remove", "TEA-1")

        assert done.exit_code == 0
        assert done.stdout.endswith(": TEA-1, Tea, EUR 4.50, stock not tracked, not for sale.\n")
        assert [row["is_active"] for row in each_terminal.json("products", "list")["data"]] == [False]

    def test_are_untracked(self, terminal: Terminal) -> None:
        terminal.run("products", "add", "TEA-1", "--name", "Tea", "--price", "4.50", "--stock", "7")

        done = terminal.run("products", "set", "TEA-1", "--untracked")

        assert done.stdout == "Product 1: TEA-1, Tea, EUR 4.50, stock not tracked.\n"
        assert terminal.run("audit").exit_code == 0


class TestImport:
    def test_takes_in_a_file_and_the_same_again_changes_nothing(self, each_terminal: Terminal) -> None:
        each_terminal.write("products.csv", PRODUCTS)

        first = each_terminal.run("products", "import", "products.csv")
        again = each_terminal.run("products", "import", "products.csv")
        each_terminal.write("prices.csv", "\N{ZERO WIDTH NO-BREAK SPACE}price;sku\r\n4.80;TEA-1\r\n")
        prices = each_terminal.run("products", "import", "prices.csv")

        assert (first.exit_code, first.stdout) == (0, "2 products read: 2 new, 0 changed, 0 unchanged, 0 rejected.\n")
        assert again.stdout == "2 products read: 0 new, 0 changed, 2 unchanged, 0 rejected.\n"
        assert prices.stdout == "1 products read: 0 new, 1 changed, 0 unchanged, 0 rejected.\n"
        shown = [(row["sku"], row["price"], row["stock"]) for row in each_terminal.json("products", "list")["data"]]
        assert shown == [("TEA-1", "4.80", 7), ("MUG-1", "9.00", None)]
        assert each_terminal.run("audit").exit_code == 0

    def test_says_line_field_and_reason_and_takes_the_rest(self, terminal: Terminal) -> None:
        terminal.write(
            "products.csv",
            'sku,name,price,stock\nTEA-1,"Green\ntea",4.50,7\nTEA-2,,4.505,-1\nTEA-1,Tea,1.00,\nTEA-3,Tea\nTEA-4,Tea,4.505,\n'
            'TEA-5,"T"ea,1.00,\nTEA-6,Tea,"1.00",\n',
        )

        done = terminal.run("products", "import", "products.csv")

        assert (done.exit_code, done.stdout) == (1, "7 products read: 2 new, 0 changed, 0 unchanged, 5 rejected.\n")
        assert done.stderr.splitlines()[:-1] == [
            "line 4, name: String should have at least 1 character.",
            "line 4, stock: Input should be greater than or equal to 0.",
            "line 5, sku: It stands in line 2 already.",
            "line 6, all of it: The line has 2 columns, and the header 4.",
            "line 7, price: An amount has at most 2 decimals in EUR.",
            "line 8, all of it: The line cannot be read: ',' expected after '\"'.",
        ]
        assert [row["sku"] for row in terminal.json("products", "list")["data"]] == ["TEA-1", "TEA-6"]

    def test_tries_without_writing(self, terminal: Terminal) -> None:
        terminal.write("products.csv", PRODUCTS)

        done = terminal.run("products", "import", "products.csv", "--dry-run")

        assert done.stdout.endswith("Dry run: nothing was written.\n")
        assert done.stderr == ""
        assert terminal.json("products", "list")["data"] == []

    @pytest.mark.parametrize(
        ("name", "content", "code", "sentence"),
        [
            ("p.csv", "name,price\n", 2, "p.csv is no file of products. It has no column 'sku'. The columns are "),
            ("p.csv", "sku,weight\n", 2, "p.csv is no file of products. It has 'weight'. The columns are "),
            ("p.csv", "sku,sku\n", 2, "p.csv names a column twice."),
            ("p.csv", "", 2, "There is nothing in p.csv."),
            ("p.csv", b"sku\nTEA-1\nT\xe9\n", 2, "p.csv is not UTF-8 in line 3."),
            ("p.xlsx", "", 2, "Files of products end with .csv or .jsonl; the name 'p.xlsx' ends in neither."),
        ],
    )
    def test_refuses_another_file(self, terminal: Terminal, name: str, content: str | bytes, code: int, sentence: str) -> None:
        terminal.write(name, content)

        done = terminal.run("products", "import", name)

        assert (done.exit_code, done.stdout) == (code, "")
        assert done.stderr.startswith(sentence)

    def test_refuses_a_file_that_is_not_there(self, terminal: Terminal) -> None:
        done = terminal.run("discounts", "import", "nothing.csv")
        assert (done.exit_code, done.stderr) == (2, "There is no file 'nothing.csv'.\n")

    def test_tells_the_same_as_json(self, terminal: Terminal) -> None:
        terminal.write(
            "products.jsonl", '{"sku":"TEA-1","name":"Tea","price":"4.50"}\n[]\n{"sku":"TEA-2","name":"Tea","price":4.5}\n'
        )

        told = terminal.json("products", "import", "products.jsonl")

        assert {name: told[name] for name in ("read", "new", "changed", "unchanged", "rejected", "dry_run")} == {
            "read": 3, "new": 1, "changed": 0, "unchanged": 0, "rejected": 2, "dry_run": False,
        }  # fmt: skip
        assert [(each["line"], each["field"], each["code"]) for each in told["errors"]] == [
            (2, None, "line_unreadable"),
            (3, "price", "amount_not_exact"),
        ]


class TestExport:
    @pytest.mark.parametrize("suffix", ["csv", "jsonl"])
    @pytest.mark.parametrize("noun", ["products", "discounts"])
    def test_comes_back_to_another_book_as_it_went(self, terminal: Terminal, noun: str, suffix: str) -> None:
        terminal.run(noun, "import", str(EXAMPLES / f"{noun}.csv"))
        before = terminal.run(noun, "list").stdout

        terminal.run(noun, "export", f"out.{suffix}")
        here = terminal.run(noun, "import", f"out.{suffix}")
        terminal.run("migrate", "--database", "sqlite:///other.db")
        there = terminal.run(noun, "import", f"out.{suffix}", "--database", "sqlite:///other.db")

        count = len(before.splitlines()) - 3
        assert here.stdout == f"{count} {noun} read: 0 new, 0 changed, {count} unchanged, 0 rejected.\n"
        assert there.stdout == f"{count} {noun} read: {count} new, 0 changed, 0 unchanged, 0 rejected.\n"
        assert terminal.run(noun, "list", "--database", "sqlite:///other.db").stdout == before

    def test_runs_nothing_in_a_spreadsheet(self, terminal: Terminal) -> None:
        terminal.run("products", "add", "=1+1", "--name", "@SUM(A1)", "--price", "4.50")

        terminal.run("products", "export", "out.csv")

        assert (terminal.directory / "out.csv").read_text().splitlines()[1] == "1,'=1+1,'@SUM(A1),4.50,EUR,,true"
        assert terminal.run("products", "import", "out.csv").stdout.startswith("1 products read: 0 new, 0 changed, 1 unchanged")


class TestDiscounts:
    def test_are_added_changed_and_listed(self, each_terminal: Terminal) -> None:
        added = each_terminal.run("discounts", "add", "SPRING10", "--percent", "12.5", "--max-uses", "100")
        each_terminal.run("discounts", "set", "SPRING10", "--fixed", "5", "--currency", "EUR", "--inactive")

        assert added.exit_code == 0
        assert added.stdout.endswith(": SPRING10, 12.50% off, in force.\n")
        (spring,) = each_terminal.json("discounts", "list", "--inactive")["data"]
        assert (spring["kind"], spring["value"], spring["currency"], spring["max_uses"]) == ("fixed", "5.00", "EUR", 100)

    def test_lose_the_limits_that_are_taken_off(self, each_terminal: Terminal) -> None:
        limits = ("--max-uses", "100", "--minimum", "9", "--currency", "EUR", "--ends-at", "2027-01-01T00:00:00Z")
        each_terminal.run("discounts", "add", "SPRING10", "--percent", "10", *limits)

        done = each_terminal.run("discounts", "set", "SPRING10", "--without", "max-uses", "--without", "ends-at")

        assert done.exit_code == 0
        (spring,) = each_terminal.json("discounts", "list")["data"]
        assert (spring["max_uses"], spring["ends_at"], spring["minimum"], spring["value"]) == (None, None, "9.00", "10.00")

    @pytest.mark.parametrize(
        ("words", "code", "sentence"),
        [
            (["add", "SPRING10", "--percent", "5"], 1, "There is a discount with this code already."),
            (
                ["add", "SPRING20", "--percent", "5", "--fixed", "5"],
                2,
                "A discount is a share or an amount: --percent or --fixed.",
            ),
            (["add", "SPRING20", "--percent", "101"], 2, "A discount is at most 100 percent."),
            (["set", "SPRING20", "--percent", "5"], 1, "There is no discount 'SPRING20'."),
            (
                ["set", "SPRING10", "--max-uses", "5", "--without", "max-uses"],
                2,
                "Say what it is to be, or take it off, and not both: --max-uses.",
            ),
        ],
    )
    def test_refuse_in_a_sentence(self, terminal: Terminal, words: list[str], code: int, sentence: str) -> None:
        terminal.run("discounts", "add", "SPRING10", "--percent", "10")

        done = terminal.run("discounts", *words)

        assert (done.exit_code, done.stdout, done.stderr) == (code, "", f"{sentence}\n")
        assert len(terminal.json("discounts", "list")["data"]) == 1
