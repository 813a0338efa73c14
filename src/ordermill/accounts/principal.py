"""Who is asking, as a door has made sure of; what they may do is for the use cases and the doors to say."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What an API key may do: all that staff may, place orders for a shop's customers, or look at what staff may see."""

    STAFF = "staff"
    STOREFRONT = "storefront"
    READ = "read"


def actor_of(user_id: int | None) -> str:
    """Return how the ledger names a user."""
    return f"user:{user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """
    A signed-in user (`user_id` is set) or a program with an API key (`scope` is set), never both.

    `actor` is how the ledger names them: "user:12" or "key:0192f1c4-…".
    """

    actor: str
    user_id: int | None = None
    scope: Scope | None = None
    is_staff: bool = False

    @property
    def acts_as_staff(self) -> bool:
        """Whether everything that staff may do is allowed."""
        return self.is_staff or self.scope is Scope.STAFF

    @property
    def reads_as_staff(self) -> bool:
        """Whether everything that staff may see may be seen."""
        return self.acts_as_staff or self.scope is Scope.READ
