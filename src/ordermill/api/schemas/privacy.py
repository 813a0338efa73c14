"""What leaving for good takes, and what a person's data looks like."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr

from ordermill.api.schemas.orders import EventResponse, MovementResponse, OrderResponse

_PERSON: Final[dict[str, JsonValue]] = {
    "exported_at": "2026-11-22T13:00:00Z",
    "account": {
        "id": 12,
        "email": "ada@example.com",
        "name": "Ada",
        "is_active": True,
        "is_staff": False,
        "email_verified_at": None,
        "created_at": "2026-11-22T12:00:00Z",
        "has_password": True,
    },
    "sessions": [],
    "discount_uses": [],
    "events": [],
    "orders": [],
}


class Leaving(BaseModel):
    """The wish to be forgotten, by somebody who knows the password and not only has the token."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"current_password": "correct horse battery"}]},
    )

    current_password: SecretStr


class PersonalAccount(BaseModel):
    """The account itself."""

    id: int = Field(examples=[12])
    email: str = Field(examples=["ada@example.com"])
    name: str = Field(examples=["Ada"])
    is_active: bool
    is_staff: bool
    email_verified_at: datetime | None
    created_at: datetime
    has_password: bool


class SignedInOnce(BaseModel):
    """A sign-in; its secrets are not kept."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None


class DiscountUsed(BaseModel):
    """A discount that was used."""

    order_id: UUID
    code: str = Field(examples=["SPRING10"])
    at: datetime


class Purchase(OrderResponse):
    """An order with the money that moved, and what happened to it."""

    payments: list[MovementResponse]
    refunds: list[MovementResponse]
    events: list[EventResponse]


class PersonalData(BaseModel):
    """Everything the book knows of a person."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PERSON]})

    exported_at: datetime
    account: PersonalAccount
    sessions: list[SignedInOnce]
    discount_uses: list[DiscountUsed]
    events: list[EventResponse]
    orders: list[Purchase]
