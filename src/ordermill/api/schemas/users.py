"""What the routes of accounts take and answer, beyond `accounts.drafts`."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, SecretStr, StrictBool, StringConstraints

from ordermill.accounts.drafts import Email, UserResponse
from ordermill.accounts.model import User
from ordermill.api.paging import Listed
from ordermill.kit.fields import storable
from ordermill.statistics.model import CustomerStatistics

_ADA: Final[dict[str, JsonValue]] = {
    "id": 12,
    "email": "ada@example.com",
    "name": "Ada",
    "is_active": True,
    "created_at": "2026-11-22T10:00:00Z",
}
_VERIFIED: Final[dict[str, JsonValue]] = {"is_staff": False, "email_verified_at": "2026-11-22T10:05:00Z"}
_IN = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
_TOKEN = "kPbZ0vS8mWm1VZk5q4n1l3cFbX9rT2uY7hJ6gD0eAaQ"  # noqa: S105  # an example that opens nothing

# Part of what is searched for; the same limits as the columns have.
SearchText = Annotated[str, StringConstraints(min_length=1, max_length=254), AfterValidator(storable)]


class OwnAccount(UserResponse):
    """An account as its owner sees it; older orders show once the address is verified."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ADA | _VERIFIED]})

    is_staff: bool
    email_verified_at: datetime | None


class UserDetails(OwnAccount):
    """An account as staff see it; an unclaimed one came with an order, and nobody can sign in with it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ADA | _VERIFIED | {"claimed": True}]})

    claimed: bool


class UserList(Listed[UserDetails]):
    """A page of accounts, in the order of their ids."""


class UserChange(BaseModel):
    """What staff change of an account."""

    model_config = _IN | ConfigDict(json_schema_extra={"examples": [{"is_active": False}]})

    is_active: StrictBool = Field(description="False closes the account and ends all its sign-ins.")


class CustomerFigures(BaseModel):
    """One customer's orders in one currency, cancelled ones left out; amounts are strings with the currency's decimals."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer_id": 12,
                    "email": "ada@example.com",
                    "currency": "EUR",
                    "total_orders": 3,
                    "total_spent": "30.00",
                    "avg_order_value": "10.00",
                    "first_order_at": "2026-10-01T08:00:00Z",
                    "last_order_at": "2026-11-22T10:00:00Z",
                }
            ]
        }
    )

    customer_id: int
    email: str
    currency: str
    total_orders: int
    total_spent: Decimal
    avg_order_value: Decimal | None = Field(description="Null where there is no order.")
    first_order_at: datetime | None
    last_order_at: datetime | None

    @classmethod
    def of(cls, user: User, statistics: CustomerStatistics) -> Self:
        return cls(customer_id=user.id or 0, email=user.email, **asdict(statistics))


class LinkWanted(BaseModel):
    """Who wants a link."""

    model_config = _IN | ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.com"}]})

    email: Email


class VerificationWanted(BaseModel):
    """Who wants a link that verifies; whoever is signed in may leave the address out."""

    model_config = _IN | ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.com"}, {}]})

    email: Email | None = None


class Verification(BaseModel):
    """What stands behind the # of the link in the mail."""

    model_config = _IN | ConfigDict(json_schema_extra={"examples": [{"token": _TOKEN}]})

    token: SecretStr


class PasswordReset(BaseModel):
    """What stands behind the # of the link in the mail, and the password that is chosen."""

    model_config = _IN | ConfigDict(json_schema_extra={"examples": [{"token": _TOKEN, "password": "correct horse battery"}]})

    token: SecretStr
    password: SecretStr


class Accepted(BaseModel):
    """What is said whether or not there is such an account."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"detail": "If there is such an account, a mail is on its way."}]}
    )

    detail: str


def details(user: User) -> dict[str, Any]:
    """Return what staff see of an account."""
    return UserDetails.model_validate(user).model_dump()
