"""
The canonical columns of one line of an order file: what formats produce and the rules judge.

All are text; null means that the file does not say. A format leaves out what it never has.
Amounts are decimal strings with a point ("12.30", "-4"); a format removes currency signs,
thousands separators and decimal commas, but never a digit.
"""

from typing import Final

_ADDRESS = ("name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")

SHIPPING_ADDRESS: Final = tuple(f"shipping_{part}" for part in _ADDRESS)
BILLING_ADDRESS: Final = tuple(f"billing_{part}" for part in _ADDRESS)
ADDRESS: Final = _ADDRESS

# Where the lines of an order differ in one of these, the first line that says something is believed,
# except that currency and customer_email must agree.
ORDER: Final = (
    "channel",  # overrides the run's channel: Ordermill's own exports name it
    "number",
    "external_id",
    "status",  # pending, processing, shipped, delivered, cancelled; null: pending
    "payment",  # unpaid, partially_paid, paid, partially_refunded, refunded; null: from `paid` and `refunded`
    "currency",
    "customer_email",
    "customer_name",
    "discount",  # of the whole order, the items' shares included
    "discount_beyond_items",  # instead of `discount`: what comes on top of the items' own discounts
    "discount_code",
    "shipping",
    "tax",
    "tax_included",
    "source_total",
    "paid",  # null: the total, where payment says so
    "paid_at",
    "payment_method",
    "payment_reference",
    "refunded",
    "refunded_at",
    "carrier",
    "tracking_number",
    "note",
    "placed_at",  # ISO 8601 with or without an offset; without one it is a local time of the run's zone
    "updated_at",
    *SHIPPING_ADDRESS,
    *BILLING_ADDRESS,
)

ITEM: Final = (
    "sku",
    "name",  # null: the SKU
    "quantity",
    "unit_price",
    "item_total",  # where the source gives the line's total, before discount, that is the fact; the unit price is derived
    "item_discount",
)

# What a rejects file puts before each record; left out of everything when the file is read again.
ANNOTATIONS: Final = ("_line", "_reason")

# A format says with this that a line is not part of a sale, in a whole sentence; its order is rejected as `not_a_sale`.
REFUSED: Final = "_refused"

# The same for a record that has not the shape of an order, such as a document whose items are no list: `wrong_shape`.
MISSHAPEN: Final = "_misshapen"
