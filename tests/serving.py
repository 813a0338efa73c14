"""
Real `ordermill serve` processes, for what only they can show: starting and stopping, races, and limits of connections.

    with serving(book_url) as server:                 one process
    with serving(book_url) as one, serving(book_url) as other:   two, on PostgreSQL
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from ordermill.config import DatabaseUrl

SECRET: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
START_WITHIN_S: Final = 60
STOP_WITHIN_S: Final = 40


@dataclass
class Served:
    """One `ordermill serve`; `lines` is what it has said on stderr so far."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)
    _reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it answers; waits until it says so."""
        return self.wait_for(r"^  API +(\S+)$")[1]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def setup_link(self) -> str:
        """The link for the first member of staff."""
        return self.wait_for(r"^  (\S+/setup#\S+)$")[1]

    def wait_for(self, pattern: str) -> "re.Match[str]":
        """Return what the first line that matches holds; wait for it."""
        give_up_at = time.monotonic() + START_WITHIN_S
        while time.monotonic() < give_up_at:
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found
            if self.process.poll() is not None and self._reader is not None:
                self._reader.join(1)
                if not any(re.search(pattern, line) for line in self.lines):
                    break
            time.sleep(0.01)
        raise AssertionError(f"The server never said {pattern!r}:\n" + "\n".join(self.lines))

    def log(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of one kind."""
        entries = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [entry for entry in entries if entry.get("event") == event]

    def client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=60, **options)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to stop, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(STOP_WITHIN_S)
        if self._reader is not None:
            self._reader.join(5)
        return code


def begin(url: DatabaseUrl, *words: str, **settings: str) -> Served:
    """Start a server, on a free port where none is said; `settings` are variables without their prefix, in lower case."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERMILL_")}
    chosen = {"database_url": url.secret_url, "secret_key": SECRET, "rate_limit": "1000000", **settings}
    environment = {**own, **{f"ORDERMILL_{name.upper()}": value for name, value in chosen.items() if value}}
    port = () if "--port" in words else ("--port", "0")
    process = subprocess.Popen(
        [sys.executable, "-m", "ordermill", "serve", *port, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    served = Served(process)
    served._reader = threading.Thread(target=_read, args=(served,), daemon=True)
    served._reader.start()
    return served


def refused(url: DatabaseUrl, *words: str, **settings: str) -> Served:
    """Start a server that does not want to, and wait for its end; `process.returncode` is its exit code."""
    served = begin(url, *words, **settings)
    served.process.wait(START_WITHIN_S)
    _close(served)
    return served


@contextmanager
def serving(url: DatabaseUrl, *words: str, **settings: str) -> Iterator[Served]:
    """Run a server while the block is open; it answers when the block begins."""
    served = begin(url, *words, **settings)
    try:
        _ = served.url
        yield served
    finally:
        if served.process.poll() is None:
            served.process.send_signal(signal.SIGCONT)
            served.process.terminate()
            try:
                served.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                served.process.kill()
                served.process.wait()
        _close(served)


def _close(served: Served) -> None:
    if served._reader is not None:
        served._reader.join(5)
    if served.process.stderr is not None:
        served.process.stderr.close()


def _read(served: Served) -> None:
    assert served.process.stderr is not None
    for line in served.process.stderr:
        served.lines.append(line.rstrip("\n"))
