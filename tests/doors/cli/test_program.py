"""What holds for every command: help, settings, bugs, and secrets that are shown nowhere."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from terminals import Terminal, everything
from typer.main import get_command

import ordermill
from checks import cli_reference
from ordermill.cli import app
from ordermill.config import DatabaseUrl
from ordermill.imports.batch import Batch, Loaded
from ordermill.imports.model import Import
from ordermill.imports.process import Imports
from ordermill.kit.errors import Conflict, StaleVersion, Taken
from ordermill.storage.imports import SqlImports

HEAVY = ("django", "polars", "sqlalchemy", "asyncpg", "psycopg", "redis", "rich", "structlog", "ordermill.config")
CANARY = "c4n4ry-v4lue"


SOLD = "2026-03-01,EUR,,TEA-1,2,4.50"


def fail_at(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    """Let every batch of one file fail where it is loaded."""
    load = SqlImports.load

    async def failing(store: SqlImports, run: Import, batch: Batch, *, at: datetime) -> Loaded | None:
        if run.file.name == name:
            raise error
        return await load(store, run, batch, at=at)

    monkeypatch.setattr(SqlImports, "load", failing)


def commands(*, groups: bool = True) -> Iterator[tuple[str, ...]]:
    """Go through every command; groups, which do nothing by themselves, only where they are wanted."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), get_command(app))]
    while waiting:
        path, command = waiting.pop()
        waiting.extend(((*path, name), child) for name, child in getattr(command, "commands", {}).items())
        if groups or not hasattr(command, "commands") or command.invoke_without_command:
            yield path


class TestHelp:
    @pytest.mark.parametrize("path", list(commands()), ids=" ".join)
    def test_is_there_for_each_command(self, nowhere: Terminal, path: tuple[str, ...]) -> None:
        done = nowhere.run(*path, "--help")
        assert done.exit_code == 0
        assert "Usage: " in done.stdout

    @pytest.mark.parametrize("path", list(commands(groups=False)), ids=" ".join)
    def test_has_an_example_of_each_command(self, nowhere: Terminal, path: tuple[str, ...]) -> None:
        assert f"Example: {' '.join(('ordermill', *path))}" in nowhere.run(*path, "--help").stdout

    @pytest.mark.parametrize("path", list(commands(groups=False)), ids=" ".join)
    def test_each_command_takes_the_database(self, path: tuple[str, ...]) -> None:
        command: Any = get_command(app)
        for name in path:
            command = command.commands[name]
        assert not path or "--database" in [word for parameter in command.params for word in parameter.opts]

    def test_loads_nothing_that_it_does_not_need(self) -> None:
        code = (
            "import sys\nfrom ordermill.cli import app\n"
            "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
            f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        assert done.stderr == "[]\n"

    def test_the_version_is_told(self, nowhere: Terminal) -> None:
        assert nowhere.run("--version").stdout == f"ordermill {ordermill.__version__}\n"

    def test_the_documented_commands_are_those_that_there_are(self) -> None:
        text = cli_reference.DOCUMENT.read_text(encoding="utf-8")
        assert cli_reference.document(text) == text, "run `python -m checks.cli_reference`"


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("ORDERMILL_TIMEZONE", "Mars", "ORDERMILL_TIMEZONE: 'Mars' is not an IANA time zone; write"),
            ("ORDERMILL_CURRENCY", "E", "ORDERMILL_CURRENCY: 'E' is not an ISO 4217 currency; write a code such as 'EUR'."),
            ("ORDERMILL_PASSWORD_MINIMUM", "4", "ORDERMILL_PASSWORD_MINIMUM: Input should be greater than or equal to 8."),
            ("ORDERMILL_REDIS_URL", "http://x", "ORDERMILL_REDIS_URL: Write redis://HOST:PORT, rediss://HOST:PORT or unix:///SOCKET."),
            ("ORDERMILL_DATABASE_URL", "mysql://x", "The database URL begins with mysql; write sqlite:///FILE or postgresql://"),
            ("ORDERMILL_DATABASE_URL", "sqlite:///.", "'.' is a directory; name a file for the database."),
        ],
    )  # fmt: skip
    def test_that_are_wrong_refuse_to_start_with_a_sentence(
        self, nowhere: Terminal, name: str, value: str, sentence: str
    ) -> None:
        nowhere.settings[name] = value
        done = nowhere.run("imports", "list")
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith(sentence)

    def test_stand_in_a_file_too(self, nowhere: Terminal) -> None:
        nowhere.write(".env", "ORDERMILL_CURRENCY=GBP\n")
        nowhere.run("migrate")
        assert nowhere.json("stats", "--year", "2026")["currency"] == "GBP"


class TestBugs:
    @pytest.fixture
    def broken(self, terminal: Terminal, export: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
        def fail(*_: object, **__: object) -> None:
            raise ZeroDivisionError("a bug")

        terminal.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50"))
        monkeypatch.setattr(Imports, "process", fail)
        monkeypatch.setattr("tempfile.tempdir", str(terminal.directory))
        return terminal

    def test_are_confessed_in_a_sentence_with_the_traceback_in_a_file(self, broken: Terminal) -> None:
        done = broken.run("process", "shop.csv")

        (log,) = broken.directory.glob("ordermill-bug-*.log")
        assert done.exit_code == 70
        assert done.stderr.splitlines()[-1] == (
            f"This is a bug in Ordermill, not in your data: ZeroDivisionError. Its traceback is in {log}; please report it."
        )
        assert "Traceback" not in done.stderr
        assert "ZeroDivisionError: a bug" in log.read_text()
        assert log.stat().st_mode & 0o777 == 0o600

    def test_are_shown_whole_when_asked_for(self, broken: Terminal) -> None:
        done = broken.run("--debug", "process", "shop.csv")
        assert done.exit_code == 70
        assert "ZeroDivisionError: a bug" in done.stderr
        assert list(broken.directory.glob("ordermill-bug-*")) == []

    def test_do_not_hide_what_was_done_before(
        self, terminal: Terminal, export: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terminal.write("shop.csv", export(SOLD))
        terminal.write("next.csv", export(SOLD, first=2))
        fail_at(monkeypatch, "next.csv", ZeroDivisionError("a bug"))
        monkeypatch.setattr("tempfile.tempdir", str(terminal.directory))

        done = terminal.run("process", "shop.csv", "next.csv", "--json")

        assert done.exit_code == 70
        assert [file["file"] for file in json.loads(done.stdout)["files"]] == ["shop.csv"]


class TestConflicts:
    @pytest.mark.parametrize("conflict", [Taken("orders_pkey"), StaleVersion("An order of the import"), Conflict("Refused.")])
    def test_that_last_end_the_command_like_a_failing_database(
        self, terminal: Terminal, export: Callable[..., str], monkeypatch: pytest.MonkeyPatch, conflict: Conflict
    ) -> None:
        for number, name in enumerate(("shop.csv", "next.csv", "last.csv"), start=1):
            terminal.write(name, export(SOLD, first=number))
        with monkeypatch.context() as patched:
            fail_at(patched, "next.csv", conflict)
            done = terminal.run("process", "shop.csv", "next.csv", "last.csv", "--json")
        again = terminal.json("process", "shop.csv", "next.csv", "last.csv")

        report = json.loads(done.stdout)
        assert done.exit_code == 3
        assert [file["file"] for file in report["files"]] == ["shop.csv"]
        assert report["refused"] == [{"file": "next.csv", "code": conflict.code, "message": conflict.message}]
        assert f"{conflict.message} What was loaded stays; the same command goes on from there.\n" in done.stderr
        assert (again["orders"]["new"], again["orders"]["unchanged"]) == (2, 1)


class TestWhichBook:
    @pytest.mark.parametrize(
        "words",
        [["orders", "list"], ["imports", "list"], ["stats"], ["stats", "verify"], ["users", "list"], ["audit"]],
        ids=" ".join,
    )
    def test_is_said_to_people_by_what_reads_and_to_nobody_else(self, terminal: Terminal, words: list[str]) -> None:
        ours, theirs = pty.openpty()
        with terminal.start(*words, stderr=theirs) as running:
            os.close(theirs)
            said = everything(ours)
        piped = terminal.run(*words)

        assert running.returncode == 0
        assert f"Order book: {terminal.database}\r\n" in said
        assert terminal.database not in piped.stdout + piped.stderr

    def test_is_always_said_by_what_writes(self, each_terminal: Terminal, export: Callable[..., str]) -> None:
        each_terminal.write("shop.csv", export(SOLD))
        book = DatabaseUrl(each_terminal.database)
        processed = each_terminal.run("process", "shop.csv")
        as_json = each_terminal.run("process", "shop.csv", "--json")
        created = each_terminal.run("users", "create", "ada@example.com", "--password", "correct horse battery")
        migrated = each_terminal.run("migrate")

        assert f"Written to {book}.\n" in processed.stdout
        assert f"Order book: {book}\n" in as_json.stderr
        assert created.stderr == f"Written to {book}.\n"
        assert migrated.stderr == f"{book} is up to date.\n"


class TestSecrets:
    @pytest.mark.parametrize(
        "url",
        [
            f"postgresql://shop:{CANARY}@localhost:1/orders",
            f"postgresql://shop:{CANARY}@localhost:port/orders",
            f"postgresql://shop:{CANARY}/x@localhost/orders",
            f"postgresql://shop:{CANARY}#x@localhost/orders",
            f"postgresql://shop:{CANARY}@[::1/orders",
            f"postgresql://shop:{CANARY}@localhost:1/",
            f"mysql://shop:{CANARY}@localhost/orders",
        ],
    )
    @pytest.mark.parametrize("words", [["process", "shop.csv"], ["migrate"], ["doctor"], ["orders", "list"]], ids=" ".join)
    def test_a_databases_password_is_shown_nowhere(
        self, nowhere: Terminal, export: Callable[..., str], url: str, words: list[str]
    ) -> None:
        nowhere.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50"))

        done = nowhere.run(*words, "--database", url)

        assert done.exit_code in {2, 3}
        assert CANARY not in done.stdout + done.stderr
        assert done.stderr or done.stdout

    def test_nor_is_one_that_works(self, directory: Path, postgres_book: Any, export: Callable[..., str]) -> None:
        url = postgres_book.secret_url.replace("postgres@", f"postgres:{CANARY}@")
        terminal = Terminal(directory, url, {"ORDERMILL_DATABASE_URL": url})
        terminal.write("shop.csv", export("2026-03-01,EUR,,TEA-1,2,4.50", "2026-03-01,EUR,,TEA-1,0,4.50"))

        said = [
            terminal.run(*words)
            for words in (
                ["process", "shop.csv", "--verbose", "--output", "report.json"], ["migrate"], ["doctor"], ["audit"],
                ["stats", "verify"], ["users", "create", "ada@example.com", "--password", f"{CANARY}-1"], ["users", "list"],
            )
        ]  # fmt: skip

        assert [done.exit_code for done in said] == [1, 0, 0, 0, 0, 0, 0]
        assert CANARY not in "".join(done.stdout + done.stderr for done in said)
        assert CANARY not in "".join(path.read_text(encoding="utf-8") for path in directory.iterdir())
