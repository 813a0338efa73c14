"""What Django needs to know to own the schema, whatever the database; `setup.configure` adds which one."""

from typing import Any, Final

INSTALLED_APPS: Final = ["ordermill.schema.apps.SchemaConfig"]
AUTH_USER_MODEL: Final = "ordermill.User"
DEFAULT_AUTO_FIELD: Final = "django.db.models.BigAutoField"
USE_TZ: Final = True
TIME_ZONE: Final = "UTC"
DATABASES: dict[str, dict[str, Any]] = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
SECRET_KEY: Final = "unused: the schema signs nothing"  # noqa: S105  # Django refuses to start without one
# The defaults of `Settings`, which `setup.configure` replaces by what they are set to.
ORDERMILL_CURRENCY: Final = "EUR"
ORDERMILL_TIMEZONE: Final = "UTC"
