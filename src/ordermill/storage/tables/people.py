"""Accounts, how people and programs come in, and who asked to be forgotten."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped

from ordermill.storage.tables.mapping import mapped, models, table


@mapped
class UserRow:
    __table__ = table(models.User)
    id: Mapped[int]
    email: Mapped[str]
    email_key: Mapped[str]
    name: Mapped[str]
    password: Mapped[str | None]
    is_active: Mapped[bool]
    is_staff: Mapped[bool]
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    version: Mapped[int]


@mapped
class SessionRow:
    __table__ = table(models.Session)
    id: Mapped[UUID]
    user_id: Mapped[int]
    current_hash: Mapped[str]
    previous_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    refreshed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


@mapped
class ApiKeyRow:
    __table__ = table(models.ApiKey)
    id: Mapped[UUID]
    name: Mapped[str]
    scope: Mapped[str]
    secret_hash: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


@mapped
class OneTimeTokenRow:
    __table__ = table(models.OneTimeToken)
    hash: Mapped[str]
    purpose: Mapped[str]
    user_id: Mapped[int | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


@mapped
class ThrottleRow:
    __table__ = table(models.SignInThrottle)
    key: Mapped[str]
    failures: Mapped[int]
    since: Mapped[datetime]
    until: Mapped[datetime]


@mapped
class ErasedRow:
    __table__ = table(models.ErasedEmail)
    hash: Mapped[str]
    at: Mapped[datetime]


@mapped
class BookKeyRow:
    __table__ = table(models.BookKey)
    name: Mapped[str]
    value: Mapped[str]
