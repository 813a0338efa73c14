"""
Every refusal Ordermill can give, and nothing about how a door words it.

    ServiceError     the root; carries a sentence, a stable code and facts
    ├── NotFound     there is no such thing, or you may not know there is
    ├── Conflict     the thing exists, but not in a state that allows this
    ├── Forbidden    you may not do this
    ├── Invalid      what you sent cannot be understood or accepted
    └── Unavailable  something outside is missing or broken: database, disk, network, file

Doors map these five kinds and never a subclass. Anything else raised is a bug.
"""

from typing import Any, ClassVar, Self


class ServiceError(Exception):
    """
    A refusal: a whole sentence for a person, a code for a program, facts for both.

    A plain exception: it hashes by identity, prints its sentence and survives pickling,
    also for subclasses whose constructors take other arguments.
    """

    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.details: dict[str, Any] = dict(details or {})

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args), self.__dict__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, code={self.code!r})"


def _restore(kind: type[ServiceError], args: tuple[Any, ...]) -> ServiceError:
    # Subclasses have constructors of their own, so unpickling must not call them.
    error = kind.__new__(kind)
    error.args = args
    return error


class NotFound(ServiceError):
    """There is no such thing, or the caller may not know that there is."""

    default_code = "not_found"


class Conflict(ServiceError):
    """The thing exists, but not in a state that allows this."""

    default_code = "conflict"


class Forbidden(ServiceError):
    """The caller may not do this."""

    default_code = "forbidden"


class Invalid(ServiceError):
    """What was sent cannot be understood or accepted; nothing was done."""

    default_code = "invalid"

    @classmethod
    def field(cls, pointer: str, message: str, *, code: str = "invalid") -> Self:
        """Refuse one field; `pointer` is its RFC 6901 JSON pointer, such as `/items/0/quantity`."""
        problem = {"pointer": pointer, "detail": message, "code": code}
        return cls(message, code=code, details={"errors": [problem]})


class Unavailable(ServiceError):
    """Something outside is missing or broken; the same call may succeed later."""

    default_code = "unavailable"


class StaleVersion(Conflict):
    """Somebody else changed the thing since it was read."""

    default_code = "stale_version"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was changed by somebody else since you read it; read it again.", details={"what": what})


class Taken(Conflict):
    """A value that must be unique is in use; raised when a unit's changes reach the database."""

    default_code = "taken"

    def __init__(self, constraint: str) -> None:
        super().__init__(f"A value that must be unique is already in use ({constraint}).", details={"constraint": constraint})
        self.constraint = constraint
