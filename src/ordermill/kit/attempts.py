"""Another try after a lost race."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ordermill.kit.errors import StaleVersion

T = TypeVar("T")


async def retried(work: Callable[[], Awaitable[T]], *, attempts: int) -> T:
    """
    Do a use case, and again from its start when somebody else was faster: what they left decides.

    Raises:
        StaleVersion: it was overtaken each time.
    """
    for _ in range(attempts - 1):
        try:
            return await work()
        except StaleVersion:
            continue
    return await work()
