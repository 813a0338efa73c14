"""The servers that are compared, each started as it would be in earnest."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLAIN: Final = Path(__file__).parents[1] / "plain"
SECRET: Final = secrets.token_urlsafe(48)
START_WITHIN_S: Final = 30


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers; `started_s` is how long that took."""

    base: str
    process: "subprocess.Popen[bytes]"
    started_s: float

    def memory_mb(self) -> list[float]:
        """Return the resident memory of each of its processes that serves, in megabytes of 10**6 bytes."""
        tree = [self.process.pid, *_children(self.process.pid)]
        return [found for pid in tree if (found := _resident_mb(pid)) > 30]  # without multiprocessing's own helpers


@contextmanager
def ordermill(url: str, *, workers: int) -> Iterator[Running]:
    """Start the real server with everything on; only its limits on requests a minute are out of the way."""
    options = ("--port", "{port}", "--workers", str(workers), "--database", url)
    settings = {"ORDERMILL_SECRET_KEY": SECRET, "ORDERMILL_RATE_LIMIT": str(10**9)}
    with _running(("-m", "ordermill", "serve", *options), settings, path="/livez") as server:
        yield server


@contextmanager
def plain(url: str, *, workers: int) -> Iterator[Running]:
    """Start the application in the style of the frameworks' documentation."""
    sqlite = url.startswith("sqlite:")
    database = (
        url.replace("sqlite:", "sqlite+aiosqlite:", 1) if sqlite else url.replace("postgresql:", "postgresql+asyncpg:", 1)
    )
    with _uvicorn("orm", {"DATABASE_URL": database, "SECRET": SECRET}, workers=workers) as server:
        yield server


@contextmanager
def one_trip(url: str, *, workers: int, customer: int) -> Iterator[Running]:
    """Start the ceiling."""
    with _uvicorn("one_trip", {"DATABASE_URL": url, "CUSTOMER": str(customer)}, workers=workers) as server:
        yield server


@contextmanager
def _uvicorn(module: str, settings: Mapping[str, str], *, workers: int) -> Iterator[Running]:
    options = ("--port", "{port}", "--workers", str(workers), "--no-access-log", "--log-level", "warning")
    with _running(
        ("-m", "uvicorn", f"{module}:app", "--app-dir", str(PLAIN), *options), settings, path="/openapi.json"
    ) as server:
        yield server


@contextmanager
def _running(command: tuple[str, ...], settings: Mapping[str, str], *, path: str) -> Iterator[Running]:
    port = _free_port()
    words = [word.replace("{port}", str(port)) for word in command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORDERMILL_", "PYTHONDONT"))}
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *words], env={**environment, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        base = f"http://127.0.0.1:{port}"
        _wait(process, base + path)
        yield Running(base, process, time.monotonic() - begun)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    give_up_at = time.monotonic() + START_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"{process.args!r} does not answer.") from None
            time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    own = [int(child) for child in found.read_text().split()] if found.exists() else []
    return [*own, *(below for child in own for below in _children(child))]


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS:")), 0)
