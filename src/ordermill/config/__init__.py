"""
Settings: every `ORDERMILL_*` variable, read once at the edge and refused with a sentence when wrong.

    database   where the order book lies
    values     what single settings must look like

Features never see this; `bootstrap` hands them values.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ordermill.config.database import DatabaseUrl, default_database_url, make_room
from ordermill.config.values import (
    Amount,
    CurrencyCode,
    MailFrom,
    Networks,
    Origins,
    PublicUrl,
    RedisUrl,
    SecretKeys,
    SmtpUrl,
    Zone,
)
from ordermill.kit.errors import Invalid

__all__ = ["DatabaseUrl", "Settings", "default_database_url", "load", "make_room"]

_MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """Everything that can be set from outside."""

    model_config = SettingsConfigDict(env_prefix="ORDERMILL_", env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        default_factory=lambda: SecretStr(default_database_url()), description="Where the order book lies."
    )
    redis_url: RedisUrl = Field(default=None, description="A Redis for rate limits and the cache that all processes share.")
    secret_key: SecretKeys = Field(default=None, description="What tokens and cursors are signed with; several for rotation.")
    timezone: Zone = Field(default="UTC", description="The zone of reports and of local times in files.")
    currency: CurrencyCode = Field(default="EUR", description="The ISO 4217 currency where none is said.")
    shipping: Amount = Field(default=Decimal(0), description="What shipping costs customers who order for themselves.")
    order_items: int = Field(default=50, ge=1, le=500, description="The most items of an order that is placed.")
    order_quantity: int = Field(default=100, ge=1, le=1_000_000, description="The most of one item.")

    public_url: PublicUrl = Field(default=None, description="Where the world reaches this server.")
    trusted_proxies: Networks = Field(default=(), description="Networks of proxies whose X-Forwarded-For is believed.")
    cors_origins: Origins = Field(default=(), description="Origins of web pages that may call the API.")
    docs: Literal["public", "staff", "off"] = Field(
        default="staff", description="Who else than this machine sees the API's documentation and metrics."
    )
    registration: Literal["open", "neutral"] = Field(
        default="open", description="Whether registering tells that an address is known (409), or says 202 always."
    )
    password_minimum: int = Field(default=8, ge=8, le=64, description="The least length of a password; 15 is advised.")
    session_days: int = Field(default=30, ge=1, le=365, description="How long a sign-in lasts without being used.")
    smtp_url: SmtpUrl = Field(default=None, description="The mail server; without one, mails go to the log.")
    mail_from: MailFrom = Field(default="ordermill@localhost", description="The sender of mails.")

    rate_limit: int = Field(default=600, ge=1, description="Requests a minute from one address or signed-in user.")
    body_limit: int = Field(default=_MEBIBYTE, ge=1024, description="The most bytes of a request, uploads apart.")
    upload_limit: int = Field(default=1024 * _MEBIBYTE, ge=1024, description="The most bytes of an uploaded file.")
    request_timeout: int = Field(default=30, ge=1, le=600, description="Seconds after which a request is given up.")
    idempotency_hours: int = Field(default=48, ge=24, le=24 * 30, description="How long an Idempotency-Key is remembered.")

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
    except UnicodeDecodeError as error:
        raise Invalid(f"The file '.env' is not UTF-8 at byte {error.start + 1}.", code="settings") from None
    except OSError as error:
        raise Invalid(f"The file '.env' cannot be read: {error.strerror}.", code="settings") from error
    if settings.database.embedded and Path(settings.database.path).is_dir():
        raise Invalid(f"{settings.database.path!r} is a directory; name a file for the database.", code="database_url")
    return settings
