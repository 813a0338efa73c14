"""Where the order book lies: the URL of a database, read and refused without repeating what may be secret."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import platformdirs

from ordermill.kit.errors import Invalid, Unavailable

DATABASE_FILE = "ordermill.db"


# What both drivers read alike, libpq under Django and asyncpg: TLS above all.
QUERY_OPTIONS: Final = (
    *("host", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword", "ssl_min_protocol_version"),
    *("ssl_max_protocol_version", "target_session_attrs", "passfile"),
)
SPELLED: Final = "in user, password and names write / as %2F, @ as %40, : as %3A, ? as %3F and # as %23."


@dataclass(frozen=True)
class DatabaseUrl:
    """
    Where the book lies: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:secret@host:port/name`.

    Its text form hides the password; `secret_url` does not. No refusal repeats any part of a URL but its scheme: where
    one is malformed the password may stand anywhere.
    """

    secret_url: str

    def __post_init__(self) -> None:
        try:
            _ = self._parts.port
        except ValueError:
            raise _refused(f"The database URL cannot be read. Its port is a number below 65536; {SPELLED}") from None
        if self._parts.scheme not in {"sqlite", "postgresql", "postgres"}:
            raise _refused(
                f"The database URL begins with {self._parts.scheme or 'no scheme'}; write sqlite:///FILE or "
                "postgresql://USER:PASSWORD@HOST:PORT/NAME."
            )
        if "\0" in unquote(self.secret_url):
            raise _refused("The database URL holds a NUL, which no name can.")
        if self.embedded:
            self._check_embedded()
        else:
            self._check_server()

    def _check_embedded(self) -> None:
        if "?" in self.secret_url or "#" in self.secret_url:
            raise _refused("A SQLite URL has neither ? nor #; in the file's name write ? as %3F and # as %23.")
        if self._parts.netloc or not self.path.strip("/"):
            raise _refused("The SQLite URL names no file; write sqlite:///ordermill.db.")

    def _check_server(self) -> None:
        parts = self._parts
        if "#" in self.secret_url or "@" in parts.path + parts.query or parts.netloc.count("@") > 1:
            raise _refused(f"The database URL cannot be read; {SPELLED}")
        if not self.name:
            raise _refused("The PostgreSQL URL names no database; write postgresql://USER@HOST:PORT/NAME.")
        if "," in self.host:
            raise _refused("The PostgreSQL URL names several hosts; name one, or an address that follows the primary.")
        names = [part.partition("=")[0] for part in parts.query.split("&")] if parts.query else []
        if not set(names) <= set(QUERY_OPTIONS):
            raise _refused(f"The PostgreSQL URL has an option that is not known; there are {', '.join(QUERY_OPTIONS)}.")

    @cached_property
    def _parts(self) -> Any:
        return urlsplit(self.secret_url)

    @property
    def embedded(self) -> bool:
        return bool(self._parts.scheme == "sqlite")

    @property
    def path(self) -> str:
        """The SQLite file; three slashes are relative to the working directory, four absolute."""
        return unquote(self._parts.path, errors="surrogateescape").removeprefix("/")

    @property
    def name(self) -> str:
        return unquote(self._parts.path).removeprefix("/")

    @property
    def user(self) -> str:
        return unquote(self._parts.username or "")

    @property
    def password(self) -> str:
        return unquote(self._parts.password or "")

    @property
    def host(self) -> str:
        """A host name, or the directory of a Unix socket given as `?host=/directory`."""
        return self._parts.hostname or self._query.get("host", "")

    @property
    def port(self) -> str:
        return str(self._parts.port or "")

    @property
    def options(self) -> dict[str, str]:
        """What else is said behind the question mark, such as `sslmode`."""
        return {name: value for name, value in self._query.items() if name != "host"}

    @property
    def _query(self) -> dict[str, str]:
        return dict(parse_qsl(self._parts.query))

    def __str__(self) -> str:
        if self.embedded:
            return f"sqlite:///{self.path.translate(_ESCAPED)}"
        where = self._parts.netloc.rpartition("@")[2] or self.host
        return f"postgresql://{self.user}@{where}/{self.name}" if self.user else f"postgresql://{where}/{self.name}"

    __repr__ = __str__


# The signs of a URL that would not stand for themselves in a file's name.
_ESCAPED: Final = str.maketrans({"%": "%25", "?": "%3F", "#": "%23"})


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, code="database_url")


def default_database_url() -> str:
    """Return the embedded book in the working directory where one lies, else in the platform's data directory."""
    if Path(DATABASE_FILE).exists():
        return f"sqlite:///{DATABASE_FILE}"
    return f"sqlite:///{quote(os.fsencode(platformdirs.user_data_path('ordermill') / DATABASE_FILE))}"


def make_room(file: Path) -> None:
    """
    Create the platform's data directory where the embedded book is to lie there; any other directory must exist.

    Raises:
        Unavailable: it cannot be created.
    """
    if file.parent == platformdirs.user_data_path("ordermill"):
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"The directory {str(file.parent)!r} cannot be created: {error.strerror}; name another place with --database.",
                code="database_unavailable",
            ) from error
