"""
Links that work once: what is in them, how long they last, and that only a hash of them is kept.

Not here: the mails they travel in (mails), and what they do when they are followed (links, first_staff).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ordermill.kit.errors import Invalid


class Purpose(StrEnum):
    """What a link is for; one for another purpose is refused like one that never was."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # the name of a purpose
    FIRST_STAFF = "first_staff"


LASTS: Final = {
    Purpose.VERIFY_EMAIL: timedelta(days=3),
    Purpose.RESET_PASSWORD: timedelta(hours=1),
    Purpose.FIRST_STAFF: timedelta(hours=1),
}
# 256 random bits: nobody guesses one, so a plain hash is enough and no salt is needed.
_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeToken:
    """What is kept of a link: whoever reads the book can follow none. `user_id` is None where it makes the first staff user."""

    hash: str
    purpose: Purpose
    user_id: int | None
    created_at: datetime
    expires_at: datetime


class LinkInvalid(Invalid):
    """A link that was used, is too old or never was; which of them is not told."""

    default_code = "link_invalid"

    def __init__(self) -> None:
        sentence = "This link is not valid any more; ask for a new one."
        problem = {"pointer": "/token", "detail": sentence, "code": self.default_code}
        super().__init__(sentence, details={"errors": [problem]})


def issue(purpose: Purpose, *, user_id: int | None, at: datetime) -> tuple[str, OneTimeToken]:
    """Return a new secret, to be sent and forgotten, and what is kept of it."""
    secret = secrets.token_urlsafe(_BYTES)
    expires_at = at + LASTS[purpose]
    return secret, OneTimeToken(hash=digest(secret), purpose=purpose, user_id=user_id, created_at=at, expires_at=expires_at)


def digest(secret: str) -> str:
    """Return the form in which a secret is kept and looked up; any text has one."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
