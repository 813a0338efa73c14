"""
Settings: every `ORDERMILL_*` variable, read once at the edge and refused with a sentence when wrong.

Features never see this; `bootstrap` hands them values.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ordermill.kit.calendar import zone
from ordermill.kit.errors import Invalid, Unavailable
from ordermill.kit.money import Currency

DATABASE_FILE = "ordermill.db"


@dataclass(frozen=True)
class DatabaseUrl:
    """
    Where the book lies: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:secret@host:port/name`.

    Its text form hides the password; `secret_url` does not.
    """

    secret_url: str

    def __post_init__(self) -> None:
        try:
            _ = self._parts.port
        except ValueError:
            # Python's own sentence repeats parts of the URL, and where it is malformed the password is among them.
            raise Invalid(
                "The database URL cannot be read. Its port is a number below 65536; in user, password and names write "
                "/ as %2F, @ as %40, : as %3A and # as %23.",
                code="database_url",
            ) from None
        if self._parts.scheme not in {"sqlite", "postgresql", "postgres"}:
            raise Invalid(
                f"The database URL begins with {self._parts.scheme or 'no scheme'}; write sqlite:///FILE or "
                "postgresql://USER:PASSWORD@HOST:PORT/NAME.",
                code="database_url",
            )
        if not self.embedded and not self.name:
            raise Invalid("The PostgreSQL URL names no database; write postgresql://USER@HOST:PORT/NAME.", code="database_url")
        if self.embedded and not self.path.strip("/"):
            raise Invalid("The SQLite URL names no file; write sqlite:///ordermill.db.", code="database_url")

    @cached_property
    def _parts(self) -> Any:
        return urlsplit(self.secret_url)

    @property
    def embedded(self) -> bool:
        return bool(self._parts.scheme == "sqlite")

    @property
    def path(self) -> str:
        """The SQLite file; three slashes are relative to the working directory, four absolute."""
        return unquote(self._parts.path).removeprefix("/")

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
        queries = dict(part.split("=", 1) for part in self._parts.query.split("&") if "=" in part)
        return self._parts.hostname or unquote(queries.get("host", ""))

    @property
    def port(self) -> str:
        return str(self._parts.port or "")

    def __str__(self) -> str:
        if self.embedded:
            return f"sqlite:///{self.path}"
        where = self._parts.netloc.rpartition("@")[2] or self.host
        return f"postgresql://{self.user}@{where}/{self.name}" if self.user else f"postgresql://{where}/{self.name}"

    __repr__ = __str__


def default_database_url() -> str:
    """Return the embedded book in the working directory where one lies, else in the platform's data directory."""
    if Path(DATABASE_FILE).exists():
        return f"sqlite:///{DATABASE_FILE}"
    return f"sqlite:///{platformdirs.user_data_path('ordermill') / DATABASE_FILE}"


def _known_zone(name: str) -> str:
    try:
        return zone(name).key
    except Invalid as refusal:
        raise ValueError(refusal.message) from refusal


def _known_currency(code: str) -> str:
    try:
        return Currency.of(code.strip().upper()).code
    except Invalid as refusal:
        raise ValueError(refusal.message) from refusal


def _redis_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None and urlsplit(url.get_secret_value()).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("Write redis://HOST:PORT, rediss://HOST:PORT or unix:///SOCKET.")
    return url


class Settings(BaseSettings):
    """Everything that can be set from outside."""

    model_config = SettingsConfigDict(env_prefix="ORDERMILL_", env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        default_factory=lambda: SecretStr(default_database_url()), description="Where the order book lies."
    )
    redis_url: Annotated[SecretStr | None, AfterValidator(_redis_url)] = Field(
        default=None, description="Redis for the cache; none keeps it in memory."
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC", description="The zone of reports and of local times in files."
    )
    currency: Annotated[str, AfterValidator(_known_currency)] = Field(
        default="EUR", description="The ISO 4217 currency where none is said."
    )
    password_minimum: int = Field(default=8, ge=8, le=64, description="The least length of a password; 15 is advised.")

    @property
    def database(self) -> DatabaseUrl:
        return DatabaseUrl(self.database_url.get_secret_value())


def load(**overrides: Any) -> Settings:
    """
    Read the environment and `.env`; `overrides` (from the command line) win.

    Raises:
        Invalid: `settings`, with a sentence that names the variable; values are not shown, as they may be secret.
    """
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems = [
            f"ORDERMILL_{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ').removesuffix('.')}."
            for item in error.errors(include_input=False)
        ]
        raise Invalid(" ".join(problems), code="settings") from None
    if settings.database.embedded and Path(settings.database.path).is_dir():
        raise Invalid(f"{settings.database.path!r} is a directory; name a file for the database.", code="database_url")
    return settings


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
