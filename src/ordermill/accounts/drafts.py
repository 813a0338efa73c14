"""
What a person sends to register and what is answered, with the type of address that other drafts build on.

Not here: whether a password is good enough, and whether the address is free (service).
"""

import unicodedata
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from ordermill.kit.fields import storable

# The database's column is as wide; that of the key is three times as wide, for folding makes up to three letters of one.
EMAIL_LIMIT: Final = 254
_LOCAL_LIMIT: Final = 64
_LABEL_LIMIT: Final = 63
_NOT_IN_LOCAL: Final = frozenset('"(),:;<>[]\\')


def email_address(value: str) -> str:
    """
    Refuse what has not the form of an e-mail address; whether it exists is not asked, so `.invalid` is fine.

    One @; before it 1 to 64 symbols without space, quotation marks, brackets, comma, colon, semicolon and backslash;
    behind it names of letters, digits and inner hyphens with points between. The rule that order files are read by.
    """
    local, at, domain = value.rpartition("@")
    if not (at and len(value) <= EMAIL_LIMIT and _is_local(local) and all(map(_is_label, domain.split(".")))):
        raise PydanticCustomError("email_malformed", "Write an e-mail address such as ada@example.com.")
    return value


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    AfterValidator(storable),
    AfterValidator(email_address),
    Field(json_schema_extra={"format": "email", "maxLength": EMAIL_LIMIT}, examples=["ada@example.com"]),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(storable)]


class UserCreate(BaseModel):
    """The wish to have an account; `password` shows in no text form of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    email: Email
    name: Name = Field(examples=["Ada"])
    password: SecretStr


class StaffSetUp(UserCreate):
    """The wish to be the first staff user; `token` is what stands behind the # of the link that `serve` printed."""

    token: SecretStr = Field(examples=["kPbZ0vS8mWm1VZk5q4n1l3cFbX9rT2uY7hJ6gD0eAaQ"])


class OwnChange(BaseModel):
    """What people change of their own account; a new password needs the current one beside it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {"name": "Ada Lovelace"},
                {"password": "correct horse battery", "current_password": "a mill by the river"},
            ]
        },
    )

    name: Name | None = Field(default=None, examples=["Ada Lovelace"])
    password: SecretStr | None = None
    current_password: SecretStr | None = None

    @model_validator(mode="after")
    def _current_for_a_new_one(self) -> Self:
        if self.current_password is not None and self.password is None:
            raise PydanticCustomError("password_missing", "The current password is asked for only with a new one.")
        return self


class UserResponse(BaseModel):
    """An account as the outside sees it: `UserResponse.model_validate(user)`."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    id: int = Field(examples=[12])
    email: str = Field(examples=["ada@example.com"])
    name: str = Field(examples=["Ada"])
    is_active: bool
    created_at: datetime


def _is_local(text: str) -> bool:
    plain = not any(symbol.isspace() or symbol in _NOT_IN_LOCAL or symbol == "@" for symbol in text)
    return plain and 1 <= len(text) <= _LOCAL_LIMIT


def _is_label(text: str) -> bool:
    if not 1 <= len(text) <= _LABEL_LIMIT:
        return False
    inner = all(symbol.isalnum() or symbol in "-_" or _is_mark(symbol) for symbol in text)
    return inner and text[0].isalnum() and (text[-1].isalnum() or _is_mark(text[-1]))


def _is_mark(symbol: str) -> bool:
    # Accents and vowel signs that follow their letter as symbols of their own.
    return unicodedata.category(symbol).startswith("M")
