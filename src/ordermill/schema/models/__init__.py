"""Every table, by feature; import from here."""

from ordermill.schema.models.accounts import User
from ordermill.schema.models.catalogue import Product
from ordermill.schema.models.channels import Channel
from ordermill.schema.models.events import Event
from ordermill.schema.models.imports import Import, ImportReject
from ordermill.schema.models.orders import Item, Order, OrderVersion, Payment, Refund
from ordermill.schema.models.statistics import StatisticsHour

__all__ = [
    "Channel",
    "Event",
    "Import",
    "ImportReject",
    "Item",
    "Order",
    "OrderVersion",
    "Payment",
    "Product",
    "Refund",
    "StatisticsHour",
    "User",
]
