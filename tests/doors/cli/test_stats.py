"""`ordermill stats`: months, defaults, the chart, the proof."""

from collections.abc import Callable

import pytest
from terminals import Terminal

from ordermill.bootstrap import connect
from ordermill.config import DatabaseUrl


def line(moment: str, currency: str, price: str) -> str:
    return f"{moment},{currency},,TEA-1,1,{price}"


@pytest.fixture
def shop(each_terminal: Terminal, export: Callable[..., str]) -> Terminal:
    """Three orders of 2025 and 2026 in pounds, one in yen."""
    lines = (
        line("2025-12-31T23:30:00Z", "GBP", "10.00"),
        line("2026-01-15T12:00:00Z", "GBP", "20.00"),
        line("2026-03-15T12:00:00Z", "GBP", "60.01"),
        line("2026-02-01T00:00:00Z", "JPY", "900"),
    )
    each_terminal.write("shop.csv", export(*lines))
    each_terminal.run("process", "shop.csv")
    return each_terminal


class TestMonths:
    def test_are_all_twelve_with_their_sums(self, shop: Terminal) -> None:
        answer = shop.json("stats", "--year", "2026", "--currency", "GBP")

        months = {month.pop("month"): month for month in answer.pop("months")}
        assert list(months) == [f"2026-{number:02}" for number in range(1, 13)]
        assert months["2026-01"] == {"count": 1, "total": "20.00", "average": "20.00", "refunded": "0.00"}
        assert months["2026-02"] == {"count": 0, "total": "0.00", "average": None, "refunded": "0.00"}
        assert answer == {
            "year": 2026, "currency": "GBP", "timezone": "UTC",
            "count": 2, "total": "80.01", "average": "40.01", "refunded": "0.00",
        }  # fmt: skip

    def test_are_those_of_the_zone(self, shop: Terminal) -> None:
        berlin = shop.json("stats", "--year", "2026", "--currency", "gbp", "--timezone", "Europe/Berlin")
        assert berlin["months"][0] == {
            "month": "2026-01", "count": 2, "total": "30.00", "average": "15.00", "refunded": "0.00",
        }  # fmt: skip

    def test_without_options_are_the_latest_year_in_the_currency_of_the_latest_order(self, shop: Terminal) -> None:
        answer = shop.json("stats")
        assert (answer["year"], answer["currency"]) == (2026, "GBP")

    def test_the_settings_currency_goes_first_where_it_has_orders(self, shop: Terminal) -> None:
        shop.settings["ORDERMILL_CURRENCY"] = "JPY"
        assert shop.json("stats")["currency"] == "JPY"

    def test_of_an_empty_book_are_noughts(self, terminal: Terminal) -> None:
        answer = terminal.json("stats", "--year", "2026")
        assert (answer["currency"], answer["count"], len(answer["months"])) == ("EUR", 0, 12)

    def test_are_a_table_with_a_chart_for_people(self, shop: Terminal) -> None:
        lines = shop.run("stats").stdout.splitlines()

        assert lines[0] == "2026 in GBP (UTC)"
        assert lines[2].split() == ["2026-01", "1", "20.00", "20.00", "0.00", "#" * 7]
        assert lines[4].split() == ["2026-03", "1", "60.01", "60.01", "0.00", "#" * 24]
        assert lines[14].split() == ["year", "2", "80.01", "40.01", "0.00"]
        assert lines[-1] == "There are also orders in JPY; --currency shows them."

    @pytest.mark.parametrize(
        "words",
        [
            ["--year", "1066"],
            ["--year", "0"],
            ["--currency", "QQQ"],
            ["--currency", ""],
            ["--timezone", "Mars"],
            ["--year", "2026", "verify"],
        ],
    )
    def test_refuse_what_cannot_be(self, terminal: Terminal, words: list[str]) -> None:
        done = terminal.run("stats", *words)
        assert (done.exit_code, done.stdout) == (2, "")


class TestVerify:
    def test_proves_the_figures(self, shop: Terminal) -> None:
        done = shop.run("stats", "verify")
        assert (done.exit_code, done.stdout) == (0, "The statistics are those of the orders.\n")

    @pytest.mark.anyio
    async def test_names_the_hours_that_differ_and_rebuild_repairs_them(self, shop: Terminal) -> None:
        database = connect(DatabaseUrl(shop.database))
        await database.write(
            lambda connection: connection.exec_driver_sql(
                "UPDATE statistics_hours SET total = total + 1 WHERE currency = 'JPY'"
            )
        )
        await database.close()

        done = shop.program("stats", "verify")

        assert done.returncode == 1
        assert "2026-02-01 00:00  JPY            1             1          901                900" in done.stdout
        assert done.stderr.splitlines()[-1] == "1 hours differ from their orders."

        repaired = shop.program("stats", "rebuild")

        assert (repaired.returncode, repaired.stdout.splitlines()[-1]) == (0, "1 hours were brought back to their orders.")
        assert shop.program("stats", "verify").returncode == 0

    def test_of_another_book_than_the_settings_is_said_on_either_side(self, terminal: Terminal) -> None:
        for words in (
            ["stats", "--database", "sqlite:///other.db", "verify"],
            ["stats", "verify", "--database", "sqlite:///other.db"],
        ):
            done = terminal.run(*words)
            assert done.exit_code == 3
            assert "There is no order book at sqlite:///other.db yet" in done.stderr
