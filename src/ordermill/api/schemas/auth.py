"""Signing in, refreshing and signing out: what is sent and answered (RFC 6749)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class SignIn(BaseModel):
    """The form of OAuth 2's password grant; fields that RFC 6749 does not know are passed over, as it demands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"grant_type": "password", "username": "ada@example.com", "password": "correct horse battery"}]
        }
    )

    grant_type: Literal["password"] = Field(default="password", description="May be left out.")
    username: str = Field(description="The e-mail address.", examples=["ada@example.com"])
    password: str = Field(json_schema_extra={"format": "password"}, examples=["correct horse battery"])


class RefreshToken(BaseModel):
    """The refresh token that was answered last."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    refresh_token: SecretStr = Field(max_length=200, examples=["omr_AZLxxEyRcA…"])


class Tokens(BaseModel):
    """An access token for `expires_in` seconds, and the refresh token that then gets new ones."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiIs…"])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # a kind of token
    expires_in: int = Field(description="Seconds.", examples=[900])
    refresh_token: str = Field(description="Works once.", examples=["omr_AZLxxEyRcA…"])
