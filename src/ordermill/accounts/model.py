"""What an account is."""

from dataclasses import dataclass
from datetime import datetime

from ordermill.kit.text import email_key


@dataclass(slots=True, kw_only=True)
class User:
    """An account; a customer when seen as a buyer. `id` is set when the unit that adds it has committed."""

    email: str
    name: str
    created_at: datetime
    id: int | None = None
    password_hash: str | None = None
    is_active: bool = True
    is_staff: bool = False
    email_verified_at: datetime | None = None
    erased_at: datetime | None = None
    version: int = 1

    @property
    def email_key(self) -> str:
        """The form of the address that is unique."""
        return email_key(self.email)

    @property
    def claimed(self) -> bool:
        """Whether somebody can sign in with it; an unclaimed account came with an order."""
        return self.password_hash is not None
