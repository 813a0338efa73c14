"""
Configures Django once per process, for every entry point; nothing else calls `django.setup`.

Source of the SQLite options: RELIABILITY.md E8; Django 5.1 release notes (`transaction_mode`, `init_command`).
"""

from typing import Any, Final

import django
from django.conf import settings

from ordermill.config import DatabaseUrl
from ordermill.schema import settings as base

CONNECT_TIMEOUT_S: Final = 5
# The second lets the ledger's triggers see also the row that an INSERT OR REPLACE takes away.
INIT_COMMAND: Final = "PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;"


def configure(database: DatabaseUrl | None = None, *, currency: str | None = None, timezone: str | None = None) -> None:
    """
    Make the models importable, and point Django at `database`.

    Without a database the models can be imported (SQLAlchemy's mapping needs no more), but not queried.
    A second call in one process only changes what it names.

    Args:
        currency: what managers count in where none is said, `Settings.currency`; else EUR.
        timezone: the zone of their months, `Settings.timezone`; else UTC.
    """
    databases = {"default": connection(database)} if database else base.DATABASES
    if not settings.configured:
        options = {name: value for name, value in vars(base).items() if name.isupper()}
        settings.configure(**{**options, "DATABASES": databases})
        django.setup()
    elif database:
        _point_at(databases["default"])
    for name, value in (("ORDERMILL_CURRENCY", currency), ("ORDERMILL_TIMEZONE", timezone)):
        if value is not None:
            setattr(settings, name, value)


def connection(database: DatabaseUrl) -> dict[str, Any]:
    """Return Django's settings of one database."""
    if database.embedded:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": database.path,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 5, "init_command": INIT_COMMAND},
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database.name,
        "USER": database.user,
        "PASSWORD": database.password,
        "HOST": database.host,
        "PORT": database.port,
        "OPTIONS": {"connect_timeout": CONNECT_TIMEOUT_S, **database.options},
        "CONN_MAX_AGE": 0,
    }


def _point_at(wanted: dict[str, Any]) -> None:
    from django.db import connections  # noqa: PLC0415  # importable only once settings are configured

    connections["default"].close()
    del connections["default"]
    settings.DATABASES["default"] = wanted
    connections.settings = connections.configure_settings({"default": wanted})
