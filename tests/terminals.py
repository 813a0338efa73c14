"""The terminal, tried as a person or a script uses it: in this process where that is enough, else as the program itself."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ordermill.cli import app

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@dataclass(slots=True)
class Terminal:
    """A working directory and what is typed there."""

    directory: Path
    database: str
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, input: str | None = None) -> Result:
        """Run a command in this process."""
        return CliRunner().invoke(app, list(words), input=input, env=self.settings)

    def json(self, *words: str) -> Any:
        """Run a command that prints JSON, and nothing else, to stdout."""
        return json.loads(self.run(*words, "--json").stdout)

    def start(self, *words: str, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        """Start the program itself."""
        return subprocess.Popen(
            [sys.executable, "-m", "ordermill", *words],
            cwd=self.directory,
            env=self.environment,
            text=True,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    def program(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the program itself to its end."""
        with self.start(*words) as running:
            out, err = running.communicate(timeout=120)
        return subprocess.CompletedProcess(words, running.returncode, out, err)

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("ORDERMILL_")} | self.settings

    def write(self, name: str, content: str | bytes) -> str:
        """Write a file, and return its name."""
        (self.directory / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def files(self) -> set[str]:
        return {path.name for path in self.directory.iterdir()}


def everything(descriptor: int) -> str:
    """Read what a terminal is told until nobody writes to it any more."""
    said = b""
    with suppress(OSError):  # the other end is closed
        while piece := os.read(descriptor, 65_536):
            said += piece
    os.close(descriptor)
    return said.decode()


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty, with settings and home of nobody in particular."""
    for name in [name for name in os.environ if name.startswith("ORDERMILL_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    work = tmp_path / "work"
    for path in (home, work):
        path.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def nowhere(directory: Path) -> Terminal:
    """A terminal whose embedded book does not exist yet."""
    return Terminal(directory, "sqlite:///book.db", {"ORDERMILL_DATABASE_URL": "sqlite:///book.db"})


@pytest.fixture
def terminal(directory: Path, sqlite_book: Any) -> Terminal:
    """A terminal with an empty book on SQLite."""
    url = sqlite_book.secret_url
    return Terminal(directory, url, {"ORDERMILL_DATABASE_URL": url})


@pytest.fixture
def each_terminal(directory: Path, book_url: Any) -> Terminal:
    """A terminal with an empty book on each database."""
    return Terminal(directory, book_url.secret_url, {"ORDERMILL_DATABASE_URL": book_url.secret_url})


HEADER = "number,placed_at,currency,customer_email,sku,quantity,unit_price"


@pytest.fixture
def export() -> Callable[..., str]:
    """Return a small export of ordermill's own CSV; each order is given as the end of its line, behind the number."""

    def export(*ends: str, first: int = 1) -> str:
        lines = [HEADER, *(f"T-{number},{end}" for number, end in enumerate(ends, start=first))]
        return "\n".join(lines) + "\n"

    return export
