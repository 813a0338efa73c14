"""What both ways of placing say alike."""

from typing import Final
from uuid import UUID

from ordermill.storage.statistics import SPREAD, STRIPE

# The channel of orders that are placed here.
API: Final = "api"
# As many answers as are forgotten in one transaction: some milliseconds, in which others wait.
FORGOTTEN: Final = 1000
# Columns of products and discounts that come as text: from JSON on PostgreSQL, as they are stored on SQLite.
MOMENTS: Final = ("starts_at", "ends_at", "created_at")


def stripe(order: UUID) -> int:
    """Return which of an hour's rows counts this order: `storage.statistics.counting` must find the same one."""
    return STRIPE + 1 + order.int % SPREAD
