"""A clock that goes only when a test says so."""

from datetime import datetime, timedelta
from typing import Any

from builders import NOON


class HandClock:
    """`kit.clock.Clock`, set by hand."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def goes(self, **by: Any) -> None:
        """Go on by a `timedelta`, which may be negative."""
        self.moment += timedelta(**by)
