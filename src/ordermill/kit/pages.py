"""
One page of a list that is read by the values of its last row (a keyset), as services hand it to doors.

Not here: how a door words the place where the next page begins (api/cursors).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, in its order; `more` says whether others follow."""

    rows: Sequence[T]
    more: bool = False

    @classmethod
    def cut(cls, found: Sequence[T], *, limit: int) -> "Page[T]":
        """
        Make a page of what was found when one row more than `limit` was asked for: that one is not shown.

            >>> Page.cut(["a", "b", "c"], limit=2)
            Page(rows=['a', 'b'], more=True)
        """
        return cls(found[:limit], len(found) > limit)

    @property
    def last(self) -> T | None:
        """The row behind which the next page begins; None when there is no next page."""
        return self.rows[-1] if self.more and self.rows else None

    def map(self, shape: Callable[[T], U]) -> "Page[U]":
        """Return the page with another form of each row."""
        return Page([shape(row) for row in self.rows], self.more)
