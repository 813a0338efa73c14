"""What holds for every command: help, settings, bugs, and secrets that are shown nowhere."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from terminals import Terminal
from typer.main import get_command

import ordermill
from checks import cli_reference
from ordermill.cli import app
from ordermill.imports.process import Imports

HEAVY = ("django", "polars", "sqlalchemy", "asyncpg", "psycopg", "redis", "rich", "structlog", "ordermill.config")
CANARY = "c4n4ry-v4lue"


def commands() -> Iterator[tuple[str, ...]]:
    """Go through every command, groups too."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), get_command(app))]
    while waiting:
        path, command = waiting.pop()
        waiting.extend(((*path, name), child) for name, child in getattr(command, "commands", {}).items())
        yield path


class TestHelp:
    @pytest.mark.parametrize("path", list(commands()), ids=" ".join)
    def test_is_there_for_each_command_with_an_example(self, nowhere: Terminal, path: tuple[str, ...]) -> None:
        done = nowhere.run(*path, "--help")
        assert done.exit_code == 0
        assert "Usage: " in done.stdout
        is_group_of_others = path in {("imports",), ("orders",), ("users",)}
        assert is_group_of_others or f"Example: {' '.join(('ordermill', *path))}" in done.stdout

    @pytest.mark.parametrize(
        "path", [path for path in commands() if not path or path not in {("imports",), ("orders",), ("users",)}]
    )
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
