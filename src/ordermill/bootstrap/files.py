"""Order files: brought in, watched, taken back, at the terminal and beside a server."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from ordermill.bootstrap.parts import Parts
from ordermill.config import Settings

if TYPE_CHECKING:
    from ordermill.imports.ports import ImportStore
    from ordermill.imports.process import Imports
    from ordermill.imports.runs import Runs
    from ordermill.imports.shelf import Shelf
    from ordermill.imports.undo import Undoing
    from ordermill.imports.undo_requests import UndoRequests
    from ordermill.imports.uploads import Uploads


# SQLite has no queue of waiting writers: without a pause between an import's transactions others starve. Measured:
# with 1 ms others failed 7 times in 15 s, with 10 ms never (RELIABILITY.md 1.1).
WRITERS_TURN_S: Final = 0.01
# An import beside a server writes some 0.08 s at a time. Whoever waits for that asks every 25 ms in the end (SQLite's busy
# handler), so that a pause of this length is noticed by everybody who has waited for the transaction before it.
REQUESTS_TURN_S: Final = 0.03
# Imports that load at a time into a server database, from one machine: more would only wait for each other's cores.
SERVER_TURNS: Final = 2


class Files(Parts):
    """The services around imports."""

    @cached_property
    def imports(self) -> "Imports":
        from ordermill.imports.process import Imports

        return Imports(self._import_store, clock=self.clock, pause_s=self._pause_s)

    @cached_property
    def imports_beside_server(self) -> "Imports":
        """The same for uploads, which are brought in beside requests that nobody wants to wait for."""
        from ordermill.imports.process import Imports

        return Imports(self._import_store, clock=self.clock, pause_s=REQUESTS_TURN_S if self._database.embedded else 0)

    @cached_property
    def uploads(self) -> "Uploads":
        from ordermill.connectors.importer import ChildImporter
        from ordermill.imports.uploads import Uploads

        return Uploads(self._shelf, ChildImporter(_environment(self.settings)), self.runs)

    @cached_property
    def undo_requests(self) -> "UndoRequests":
        from ordermill.imports.undo_requests import UndoRequests

        return UndoRequests(self.undoing, self._shelf)

    @cached_property
    def runs(self) -> "Runs":
        from ordermill.imports.runs import Runs

        return Runs(self._import_store)

    @cached_property
    def undoing(self) -> "Undoing":
        from ordermill.imports.undo import Undoing
        from ordermill.storage.undo import SqlUndo

        return Undoing(SqlUndo(self._database), clock=self.clock, pause_s=self._pause_s)

    @cached_property
    def _shelf(self) -> "Shelf":
        return shelf_of(self.settings)

    @property
    def _import_store(self) -> "ImportStore":
        from ordermill.storage.imports import SqlImports

        return SqlImports(self._database)

    @property
    def _pause_s(self) -> float:  # allow float: a duration
        return WRITERS_TURN_S if self._database.embedded else 0


def shelf_of(settings: Settings) -> "Shelf":
    """Return the place of an order book's uploads: beside the embedded book, else in the platform's data directory."""
    from ordermill.imports.shelf import Shelf

    url = settings.database
    if url.embedded:
        # One writer at a time is all that SQLite has.
        return Shelf(Path(f"{url.path}.uploads").absolute(), limit=settings.upload_limit, turns=1)
    book = hashlib.sha256(str(url).encode()).hexdigest()[:16]
    place = platformdirs.user_data_path("ordermill") / "uploads" / book
    return Shelf(place, limit=settings.upload_limit, turns=SERVER_TURNS)


def _environment(settings: Settings) -> dict[str, str]:
    """Return what a process of our own must be told to stand on the same book with the same keys."""
    told = {"DATABASE_URL": settings.database.secret_url, "CURRENCY": settings.currency, "TIMEZONE": settings.timezone}
    if settings.secret_key is not None:
        told["SECRET_KEY"] = settings.secret_key.get_secret_value()
    return {f"ORDERMILL_{name}": value for name, value in told.items()}
