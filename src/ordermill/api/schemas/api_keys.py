"""API keys: what is answered; what is sent is `accounts.api_keys.ApiKeyCreate`."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ordermill.accounts.principal import Scope
from ordermill.api.paging import Listed


class ApiKeyResponse(BaseModel):
    """A key that works, without its secret, which nobody can show again."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    id: UUID = Field(examples=["0192f1c4-7a1e-7000-8000-000000000001"])
    name: str = Field(examples=["Storefront"])
    scope: Scope
    created_at: datetime


class ApiKeyCreated(ApiKeyResponse):
    """A new key with its secret, which is shown this once."""

    secret: str = Field(
        description="Sent as `Authorization: Bearer om_…`.", examples=["om_Zm9yIHRoZSBkb2N1bWVudGF0aW9uIG9ubHkuLi4"]
    )


class ApiKeyList(Listed[ApiKeyResponse]):
    """A page of the keys that work, in the order of their making."""
