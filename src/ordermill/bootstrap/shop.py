"""The catalogue, orders, and numbers about them."""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ordermill.bootstrap.parts import Parts

if TYPE_CHECKING:
    from ordermill.catalogue.discounts import Discounts
    from ordermill.catalogue.products import Products
    from ordermill.operations.audit import Audit
    from ordermill.orders.desk import Desk
    from ordermill.orders.placing import Placing
    from ordermill.orders.ports import OrderReader
    from ordermill.orders.reading import Reading
    from ordermill.orders.service import Orders
    from ordermill.statistics.service import Statistics


class Shop(Parts):
    """The services around orders."""

    @cached_property
    def orders(self) -> "Orders":
        from ordermill.orders.service import Orders

        return Orders(self._unit, clock=self.clock)

    @cached_property
    def reading(self) -> "Reading":
        """Orders as doors pass them on, by who looks."""
        from ordermill.orders.reading import Reading

        return Reading(self._order_reader, self._unit)

    @cached_property
    def desk(self) -> "Desk":
        """Orders changed by who asks for it."""
        from ordermill.orders.desk import Desk

        return Desk(self._unit, self._order_reader, clock=self.clock)

    @cached_property
    def placing(self) -> "Placing":
        from ordermill.orders.placing import Placing, Terms
        from ordermill.storage.placing import placing_store

        terms = Terms(
            shipping=self.settings.shipping,
            items=self.settings.order_items,
            quantity=self.settings.order_quantity,
            remembered=timedelta(hours=self.settings.idempotency_hours),
        )
        return Placing(placing_store(self._database), clock=self.clock, terms=terms)

    @cached_property
    def products(self) -> "Products":
        from ordermill.catalogue.products import Products

        return Products(self._unit, clock=self.clock, currency=self.settings.currency)

    @cached_property
    def discounts(self) -> "Discounts":
        from ordermill.catalogue.discounts import Discounts

        return Discounts(self._unit, clock=self.clock)

    @cached_property
    def statistics(self) -> "Statistics":
        from ordermill.statistics.service import Statistics
        from ordermill.storage.statistics import SqlStatistics

        return Statistics(SqlStatistics(self._database))

    @cached_property
    def audit(self) -> "Audit":
        from ordermill.operations.audit import Audit
        from ordermill.storage.audit import SqlAudit

        return Audit(SqlAudit(self._database))

    @property
    def _order_reader(self) -> "OrderReader":
        from ordermill.storage.reading import SqlOrderReader

        return SqlOrderReader(self._database)
