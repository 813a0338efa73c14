"""Answers for batches of which a part may fail; a single use case raises instead."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from ordermill.kit.errors import ServiceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServiceResult(Generic[T]):
    """One member's outcome: `data` when it succeeded, `error` when it was refused, never both."""

    data: T | None
    error: ServiceError | None

    def __post_init__(self) -> None:
        if self.error is not None and self.data is not None:
            raise ValueError("A failed ServiceResult carries no data.")

    @classmethod
    def ok(cls, data: T) -> "ServiceResult[T]":
        """Report success; `None` is a legitimate result."""
        return cls(data=data, error=None)

    @classmethod
    def fail(cls, error: ServiceError) -> "ServiceResult[T]":
        """Report the refusal without raising it."""
        return cls(data=None, error=error)

    @property
    def success(self) -> bool:
        return self.error is None

    def unwrap(self) -> T:
        """
        Return the data of a success.

        Raises:
            ServiceError: the refusal this result carries.
        """
        if self.error is not None:
            raise self.error
        return self.data  # type: ignore[return-value]  # None is data when T admits it
