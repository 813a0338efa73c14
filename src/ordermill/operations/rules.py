"""What must hold across the rows of a book."""

from enum import StrEnum
from typing import Final


class Rule(StrEnum):
    """A rule, by a stable name."""

    ITEM_TOTAL = "item_total"
    PRICE_SCALE = "price_scale"
    SUBTOTAL = "subtotal"
    DISCOUNT = "discount"
    TOTAL = "total"
    PAID = "paid"
    REFUNDED = "refunded"
    EVENT_SEQUENCE = "event_sequence"
    IMPORTED_EVENT = "imported_event"
    STATISTICS = "statistics"
    STOCK = "stock"
    STOCK_MOVEMENTS = "stock_movements"
    STOCK_RETURNED = "stock_returned"
    DISCOUNT_USES = "discount_uses"
    DISCOUNT_USED_BY = "discount_used_by"
    IMPORT_ORDERS = "import_orders"
    IMPORT_REJECTS = "import_rejects"
    IMPORT_READ = "import_read"

    @property
    def sentence(self) -> str:
        """What must hold, for a person."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    Rule.ITEM_TOTAL: "An item's total is its quantity times its unit price, rounded at the line.",
    Rule.PRICE_SCALE: "An item's price scale is that of its order's currency.",
    Rule.SUBTOTAL: "An order's subtotal is the sum of its items' totals.",
    Rule.DISCOUNT: "An order's discount is the sum of its items' shares.",
    Rule.TOTAL: "An order's total is subtotal - discount + shipping + tax.",
    Rule.PAID: "What an order says was paid is the sum of its payments.",
    Rule.REFUNDED: "What an order says was given back is the sum of its refunds.",
    Rule.EVENT_SEQUENCE: "The events of an order are numbered from 1 without a gap.",
    Rule.IMPORTED_EVENT: "Every imported order has an event in the ledger.",
    Rule.STATISTICS: "The kept statistics of every hour are those of its orders and refunds.",
    Rule.STOCK: "No product has less than nothing in stock.",
    Rule.STOCK_MOVEMENTS: "A product's stock is the sum of its movements, and that of one that is not tracked is 0.",
    Rule.STOCK_RETURNED: "Stock that a cancelled order gave back is what it had taken.",
    Rule.DISCOUNT_USES: "A discount was used as often as there are orders that use it.",
    Rule.DISCOUNT_USED_BY: "Every order that uses a discount is there and not cancelled.",
    Rule.IMPORT_ORDERS: "There are as many orders of an import as it reports, without those that an undo removed.",
    Rule.IMPORT_REJECTS: "An import kept as many rejects as it reports.",
    Rule.IMPORT_READ: "Every order that an import read was new, updated, unchanged or rejected.",
}
