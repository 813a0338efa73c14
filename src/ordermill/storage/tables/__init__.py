"""
SQLAlchemy's view of the schema: classes mapped to tables that are read off Django's models.

    mapping                              how a model becomes a table
    people, catalogue, orders, imports   the classes

Nothing here names a type or a constraint a second time; the annotations are for the type checker, and
tests/contracts/test_schema.py compares them with the models.
"""

from ordermill.storage.tables.catalogue import DiscountRow, MovementRow, ProductRow, UseRow
from ordermill.storage.tables.imports import ImportRow, RejectRow
from ordermill.storage.tables.mapping import MODELS
from ordermill.storage.tables.orders import (
    ChannelRow,
    EventRow,
    HourRow,
    IdempotencyRow,
    ItemRow,
    OrderRow,
    PaymentRow,
    RefundRow,
    VersionRow,
)
from ordermill.storage.tables.people import ApiKeyRow, BookKeyRow, ErasedRow, OneTimeTokenRow, SessionRow, ThrottleRow, UserRow

__all__ = [
    "MODELS",
    "ROWS",
    "ApiKeyRow",
    "BookKeyRow",
    "ChannelRow",
    "DiscountRow",
    "ErasedRow",
    "EventRow",
    "HourRow",
    "IdempotencyRow",
    "ImportRow",
    "ItemRow",
    "MovementRow",
    "OneTimeTokenRow",
    "OrderRow",
    "PaymentRow",
    "ProductRow",
    "RefundRow",
    "RejectRow",
    "SessionRow",
    "ThrottleRow",
    "UseRow",
    "UserRow",
    "VersionRow",
]

ROWS = {
    row.__table__.name: row
    for row in (
        UserRow, ProductRow, ChannelRow, OrderRow, ItemRow, PaymentRow, RefundRow, VersionRow, EventRow, ImportRow, RejectRow,
        HourRow, MovementRow, DiscountRow, UseRow, SessionRow, ApiKeyRow, OneTimeTokenRow, ThrottleRow, IdempotencyRow,
        ErasedRow, BookKeyRow,
    )
}  # fmt: skip
