"""`ordermill migrate`, `audit` and `doctor`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from terminals import Terminal

from ordermill.bootstrap import connect
from ordermill.config import DatabaseUrl


class TestMigrate:
    def test_creates_a_book_once(self, nowhere: Terminal) -> None:
        first = nowhere.run("migrate")
        second = nowhere.run("migrate")

        assert first.stdout.startswith("Applied 0001_the_book.\n")
        assert first.stderr == "Written to sqlite:///book.db.\n"
        assert (second.stdout, second.stderr) == ("", "sqlite:///book.db is up to date.\n")

    def test_brings_a_postgres_to_the_schema(self, directory: Path, postgres_url: str) -> None:
        terminal = Terminal(directory, postgres_url, {"ORDERMILL_DATABASE_URL": postgres_url})
        assert terminal.run("imports", "list").exit_code == 3
        assert terminal.run("migrate").exit_code == 0
        assert terminal.run("imports", "list").exit_code == 0

    def test_creates_the_platforms_data_directory_for_the_default_book_only(self, directory: Path) -> None:
        terminal = Terminal(directory, "")
        home = directory.parent / "home"
        before = terminal.program("imports", "list")
        untouched = list(home.iterdir())
        terminal.settings["HOME"] = str(home)

        done = terminal.program("migrate")

        assert (before.returncode, untouched, done.returncode) == (3, [], 0)
        assert [path.name for path in home.rglob("ordermill.db")] == ["ordermill.db"]


class TestAudit:
    def test_of_a_sound_book_is_0(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50"))
        each_terminal.run("process", "shop.csv")

        done = each_terminal.run("audit")

        assert (done.exit_code, done.stdout) == (0, "0 differences: everything in the book adds up.\n")

    @pytest.mark.anyio
    async def test_names_what_differs_and_exits_with_1(self, terminal: Terminal, export: Callable[..., str]) -> None:
        terminal.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50"))
        terminal.program("process", "shop.csv")
        database = connect(DatabaseUrl(terminal.database))
        await database.write(lambda connection: connection.exec_driver_sql("UPDATE statistics_hours SET total = 901"))
        await database.close()

        done = terminal.program("audit")

        assert done.returncode == 1
        assert "statistics" in done.stdout
        assert "1 orders, total 900, refunded 0 in minor units  1 orders, total 901" in done.stdout
        assert done.stderr == "1 differences.\n"


class TestDoctor:
    def test_looks_at_everything_and_exits_with_0_where_it_can_work(self, each_terminal: Terminal) -> None:
        done = each_terminal.run("doctor")
        assert done.exit_code == 0
        assert "The database answers, and its schema is this program's." in done.stdout
        assert "named by ORDERMILL_DATABASE_URL." in done.stdout

    def test_exits_with_3_where_it_cannot(self, terminal: Terminal) -> None:
        done = terminal.run("doctor", "--database", "postgresql://shop:secret@localhost:1/orders")
        assert done.exit_code == 3
        assert "postgresql://shop@localhost:1/orders, named by --database." in done.stdout
        assert "secret" not in done.stdout + done.stderr

    def test_makes_no_book(self, nowhere: Terminal) -> None:
        assert nowhere.run("doctor").exit_code == 0
        assert nowhere.files() == set()

    def test_asks_redis_where_there_is_one(self, terminal: Terminal, redis_url: str) -> None:
        terminal.settings["ORDERMILL_REDIS_URL"] = redis_url
        assert "Redis answers." in terminal.run("doctor").stdout
        terminal.settings["ORDERMILL_REDIS_URL"] = "redis://localhost:1"
        silent = terminal.program("doctor")
        assert "Redis does not answer; everything works without it" in silent.stdout
        assert "ConnectionError" not in silent.stdout
