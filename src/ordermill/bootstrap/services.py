"""All services of an order book, and what a server does beside its answers."""

from functools import cached_property
from typing import TYPE_CHECKING, Final

from ordermill.bootstrap.files import Files
from ordermill.bootstrap.people import People
from ordermill.bootstrap.shop import Shop
from ordermill.schema.migrate import compared, refuse_unless_current

if TYPE_CHECKING:
    from ordermill.kit.periodic import Periodic
    from ordermill.kit.rates import RateCounter


HOUSEKEEPING_S: Final = 3600


class Services(People, Shop, Files):
    """
    Everything a door may ask for; open as long as `open_services` is.

    A service is put together, and what it works with imported, when it is first asked for: a command that lists
    orders loads no Polars, and the server never does.
    """

    @cached_property
    def rates(self) -> "RateCounter":
        """How often somebody asked; all processes count together where there is a Redis."""
        from ordermill.caching.rates import MemoryRates, SharedRates

        alone = MemoryRates()
        if self.settings.redis_url is None:
            return alone
        shared = SharedRates(self.settings.redis_url.get_secret_value(), alone=alone)
        self._closing.push_async_callback(shared.aclose)
        return shared

    async def require_ready(self) -> None:
        """
        Make sure that requests can be answered.

        Raises:
            Unavailable: the database does not answer, or its schema is not this program's.
        """
        from ordermill.storage.readiness import applied_migrations

        refuse_unless_current(compared(await applied_migrations(self._database)), self.settings.database)

    @cached_property
    def housekeeping(self) -> "Periodic":
        """What a server does now and then beside everything else."""
        from ordermill.kit.periodic import Periodic

        return Periodic([self.placing.prune, self._sweep_sign_ins], every_s=HOUSEKEEPING_S)

    async def _sweep_sign_ins(self) -> None:
        await self.throttles.sweep()
        await self.access.sweep()

    def load(self) -> dict[str, int]:
        """Return how busy the database is on this process's side."""
        return self._database.load()

    def start(self) -> None:
        """Go on with what an earlier server process had begun behind its answers: uploads and undos. For servers only."""
        self.uploads.start()
        self.undo_requests.start()
        self.housekeeping.start()

    async def finish(self) -> None:
        """Let what was begun behind an answer come to its end, or to a safe point; nothing is begun only to be finished."""
        for name in ("housekeeping", "uploads", "undo_requests"):
            if name in self.__dict__:
                await getattr(self, name).close()
        if "post" in self.__dict__:
            await self.post.finish()
        await self._closing.aclose()
