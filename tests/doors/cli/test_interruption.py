"""The program itself: stopped, run twice at once, where it may not write; exit codes as the shell sees them."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from books import contents
from terminals import HEADER, Terminal, everything

from ordermill.storage.sqlite import BUSY_TIMEOUT_S

ORDERS = 10_000
NOTE = "Leave it with the neighbours. " * 8  # makes the file long, and so of several batches, each of which is soon written


@pytest.fixture(scope="module")
def long_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of three batches: two long lines an order, one order in a hundred wrong."""
    path = tmp_path_factory.mktemp("long") / "long.csv"
    with path.open("w") as file:
        file.write(f"{HEADER},note\n")
        for order in range(ORDERS):
            day = f"2026-{order % 12 + 1:02}-{order % 28 + 1:02}T10:00:00Z"
            for line in range(2):
                quantity = 0 if order % 100 == 7 and line else 1
                file.write(f"L-{order},{day},EUR,buyer{order % 500}@example.org,TEA-{line},{quantity},{order % 90}.25,{NOTE}\n")
    return path


def stopped(running: "subprocess.Popen[str]", number: signal.Signals, *, behind: str) -> str:
    """Wait for a word on stderr, send a signal, and return everything that was said."""
    assert running.stderr is not None
    said = ""
    while behind not in said:
        line = running.stderr.readline()
        assert line, said
        said += line
    running.send_signal(number)
    return said + running.communicate(timeout=60)[1]


@pytest.fixture
def other(tmp_path: Path, directory: Path) -> Terminal:
    """Another terminal with a book of its own, which does not exist yet."""
    return Terminal(directory, f"sqlite:///{tmp_path}/other.db", {"ORDERMILL_DATABASE_URL": f"sqlite:///{tmp_path}/other.db"})


class TestSignals:
    @pytest.mark.anyio
    @pytest.mark.slow
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
    async def test_the_first_stops_at_a_safe_point_and_the_same_command_goes_on_from_there(
        self, nowhere: Terminal, other: Terminal, long_export: Path, number: signal.Signals, code: int
    ) -> None:
        running = nowhere.start("process", str(long_export), "--verbose")
        said = stopped(running, number, behind="so far.")
        resumed = nowhere.program("process", str(long_export), "--json")
        clean = other.program("process", str(long_export), "--json")

        assert running.returncode == code
        assert "Stopping at the next safe point; once more stops at once." in said
        assert "the same command goes on from there." in said
        assert "going on behind" in resumed.stderr
        assert (resumed.returncode, clean.returncode) == (1, 1)
        told = ("orders", "lines", "customers", "money", "reasons", "adjustments")
        report, expected = json.loads(resumed.stdout), json.loads(clean.stdout)
        assert {name: report[name] for name in told} == {name: expected[name] for name in told}
        assert await contents(f"sqlite:///{nowhere.directory}/book.db") == await contents(other.database)

    def test_a_second_one_stops_at_once(self, nowhere: Terminal, long_export: Path) -> None:
        running = nowhere.start("process", str(long_export), "--verbose")
        said = ""
        assert running.stderr is not None
        while "so far." not in said:
            said += running.stderr.readline()

        running.send_signal(signal.SIGSTOP)  # so that both are there before it can go on
        running.send_signal(signal.SIGINT)
        running.send_signal(signal.SIGTERM)
        running.send_signal(signal.SIGCONT)
        _, rest = running.communicate(timeout=60)

        assert running.returncode in {130, 143}
        assert "interrupted at a safe point" not in rest
        assert nowhere.program("process", str(long_export)).returncode == 1
        assert nowhere.program("audit").returncode == 0

    def test_while_nothing_is_in_hand_the_first_is_enough(self, nowhere: Terminal) -> None:
        running = nowhere.start("process", "-", stdin=subprocess.PIPE)
        time.sleep(1.5)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=10)
        assert (running.returncode, nowhere.files()) == (143, set())


class TestTwoAtOnce:
    @pytest.mark.anyio
    @pytest.mark.slow
    async def test_load_one_file_once(self, nowhere: Terminal, other: Terminal, long_export: Path) -> None:
        both = [nowhere.start("process", str(long_export), "--json") for _ in range(2)]
        said = [running.communicate(timeout=120) for running in both]
        other.program("process", str(long_export))

        assert [running.returncode for running in both] == [1, 1], said
        assert {json.loads(out)["orders"]["read"] for out, _ in said} == {ORDERS}
        mine, theirs = await contents(f"sqlite:///{nowhere.directory}/book.db"), await contents(other.database)
        told = ("orders", "items", "users", "hours")
        assert {name: mine[name] for name in told} == {name: theirs[name] for name in told}
        assert nowhere.program("audit").returncode == 0


class TestOthersWrite:
    @pytest.mark.slow
    def test_beside_an_import_without_ever_being_locked_out(self, terminal: Terminal, long_export: Path) -> None:
        """RELIABILITY.md F4, with the patience of the product's own writers."""
        running = terminal.start("process", str(long_export))
        path = terminal.database.removeprefix("sqlite:///")
        refused, written = 0, 0
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection:
            while running.poll() is None:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("UPDATE users SET version = version WHERE id = 1")
                    connection.execute("COMMIT")
                    written += 1
                except sqlite3.OperationalError:
                    refused += 1
                time.sleep(0.01)

        said = running.communicate()
        assert (running.returncode, refused) == (1, 0), said
        assert written > 10


class TestTheEnvironment:
    def test_a_file_that_changes_while_it_is_read_stops_the_command(self, terminal: Terminal, long_export: Path) -> None:
        terminal.write("growing.csv", long_export.read_bytes())
        growing = terminal.directory / "growing.csv"
        done = threading.Event()

        def grow() -> None:
            while not done.wait(0.05):
                with growing.open("a") as file:
                    file.write("L-X,2026-01-01,EUR,,TEA,1,1.00\n")

        writer = threading.Thread(target=grow)
        writer.start()
        try:
            ran = terminal.program("process", "growing.csv")
        finally:
            done.set()
            writer.join()

        assert ran.returncode == 3
        assert "'growing.csv' was changed while it was being read" in ran.stderr
        assert "Traceback" not in ran.stderr

    def test_a_book_where_nobody_may_write_is_named(self, nowhere: Terminal, export: Callable[..., str]) -> None:
        nowhere.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50"))
        (nowhere.directory / "locked").write_text("a file, and no directory")
        done = nowhere.program("process", "shop.csv", "--database", "sqlite:///locked/book.db")
        assert done.returncode == 3
        assert "The order book at sqlite:///locked/book.db cannot be opened" in done.stderr
        assert "Traceback" not in done.stderr

    def test_where_rejects_cannot_be_written_they_stay_in_the_book(
        self, terminal: Terminal, export: Callable[..., str]
    ) -> None:
        terminal.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50", "2026-03-01,EUR,,TEA-1,0,4.50"))
        (terminal.directory / "wrong.csv").mkdir()  # root may write anywhere, but not over a directory

        done = terminal.run("process", "shop.csv", "--rejects", "wrong.csv")

        assert done.exit_code == 3
        assert "Written to" in done.stdout
        assert "The rejects cannot be written to 'wrong.csv'" in done.stderr
        (entry,) = terminal.json("imports", "list")["data"]
        assert f"They are kept in the book: ordermill imports rejects {entry['id']} --output FILE" in done.stderr
        assert terminal.files() == {"shop.csv", "wrong.csv"}
        assert terminal.run("imports", "rejects", entry["id"], "--output", "elsewhere.csv").exit_code == 0
        assert "T-2" in (terminal.directory / "elsewhere.csv").read_text(encoding="utf-8")

    def test_a_postgres_without_a_book_is_not_made_one(self, directory: Path, postgres_url: str) -> None:
        terminal = Terminal(directory, postgres_url, {"ORDERMILL_DATABASE_URL": postgres_url})
        terminal.write("shop.csv", f"{HEADER}\nT-1,2026-03-01,EUR,,TEA-1,2,4.50\n")

        refused = terminal.run("process", "shop.csv")
        dry = terminal.run("process", "shop.csv", "--dry-run")
        terminal.run("migrate")

        assert (refused.exit_code, dry.exit_code) == (3, 0)
        assert "`ordermill migrate` creates it." in refused.stderr
        assert terminal.run("process", "shop.csv").exit_code == 0


class TestATerminal:
    def test_shows_a_bar_with_rate_and_time_left_on_stderr_only(self, nowhere: Terminal, export: Callable[..., str]) -> None:
        nowhere.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50"))
        seen, end = pty.openpty()
        command = ["process", "shop.csv", "--json"]
        running = nowhere.start(*command, stderr=end)
        out, _ = running.communicate(timeout=60)
        os.close(end)

        shown = everything(seen)
        assert json.loads(out)["orders"]["new"] == 1
        assert "shop.csv: reading" in shown
        assert "shop.csv: loading" in shown
        assert "lines/s" in shown
        assert "0:00:00" in shown
