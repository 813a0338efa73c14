"""Every table, by feature; import from here."""

from ordermill.schema.models.access import ApiKey, IdempotencyKey, OneTimeToken, Session, SignInThrottle
from ordermill.schema.models.accounts import User
from ordermill.schema.models.catalogue import Discount, DiscountUse, Product, StockMovement
from ordermill.schema.models.channels import Channel
from ordermill.schema.models.events import Event
from ordermill.schema.models.imports import Import, ImportReject
from ordermill.schema.models.orders import Item, Order, OrderVersion, Payment, Refund
from ordermill.schema.models.privacy import BookKey, ErasedEmail
from ordermill.schema.models.statistics import StatisticsHour

__all__ = [
    "ApiKey",
    "BookKey",
    "Channel",
    "Discount",
    "DiscountUse",
    "ErasedEmail",
    "Event",
    "IdempotencyKey",
    "Import",
    "ImportReject",
    "Item",
    "OneTimeToken",
    "Order",
    "OrderVersion",
    "Payment",
    "Product",
    "Refund",
    "Session",
    "SignInThrottle",
    "StatisticsHour",
    "StockMovement",
    "User",
]
