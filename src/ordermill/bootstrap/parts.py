"""What every group of services stands on. A service, and what it works with, is imported when it is first asked for."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from ordermill.config import Settings
from ordermill.kit.clock import Clock

if TYPE_CHECKING:
    from ordermill.storage.database import Database
    from ordermill.storage.unit import SqlUnit


class Parts:
    """Settings, the time and the open database."""

    def __init__(self, settings: Settings, database: "Database", *, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._database = database
        self._closing = AsyncExitStack()

    def _unit(self) -> "SqlUnit":
        from ordermill.storage.unit import SqlUnit

        return SqlUnit(self._database)
