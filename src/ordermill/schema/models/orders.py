"""
Orders, their items, payments and refunds. All amounts are whole minor units of the order's currency.

The checks keep one row right; what spans rows (an order's sums over its items) is kept by the
writers and proved by `ordermill audit`.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Abs, Greatest
from django.db.models.lookups import LessThanOrEqual

from ordermill.schema.managers import Record
from ordermill.schema.models.accounts import User
from ordermill.schema.models.catalogue import Product
from ordermill.schema.models.channels import Channel
from ordermill.schema.models.imports import Import
from ordermill.schema.monthly import MonthlyStats, monthly_stats

AMOUNTS = ("subtotal", "discount", "shipping", "tax", "tax_included", "total", "paid", "refunded")


class Order(Record):
    """
    What was bought, once, for a price that is fixed since.

    Addresses are values: the JSON object of the API's shape as it was at the time, or null.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        SHIPPED = "shipped"
        DELIVERED = "delivered"
        CANCELLED = "cancelled"

    class PaymentState(models.TextChoices):
        UNPAID = "unpaid"
        PARTIALLY_PAID = "partially_paid"
        PAID = "paid"
        PARTIALLY_REFUNDED = "partially_refunded"
        REFUNDED = "refunded"

    id = models.UUIDField(primary_key=True)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="orders", db_index=False)
    number = models.CharField(max_length=64)
    external_id = models.CharField(max_length=64, null=True)  # noqa: DJ001  # null: the number identifies it
    status = models.CharField(max_length=12, choices=Status)
    payment = models.CharField(max_length=20, choices=PaymentState)
    currency = models.CharField(max_length=3)
    user = models.ForeignKey(User, models.PROTECT, related_name="orders", null=True, db_index=False)
    subtotal = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    discount_code = models.CharField(max_length=64, null=True)  # noqa: DJ001  # null: no code was used
    shipping = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    tax_included = models.BigIntegerField(default=0)
    total = models.BigIntegerField()
    source_total = models.BigIntegerField(null=True)
    paid = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    shipping_address = models.JSONField(null=True)
    billing_address = models.JSONField(null=True)
    carrier = models.CharField(max_length=100, null=True)  # noqa: DJ001  # null: not known
    tracking_number = models.CharField(max_length=100, null=True)  # noqa: DJ001  # null: not known
    note = models.TextField(null=True)  # noqa: DJ001  # null: none
    # Placed by the customer's own sign-in: those that came by other ways are hidden from whoever has not verified the address.
    placed_by_customer = models.BooleanField(default=False, db_default=False)
    placed_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.IntegerField(default=1)
    # For orders that were imported: what the source said last, and whether we know better since.
    source_updated_at = models.DateTimeField(null=True)
    fingerprint = models.CharField(max_length=32, null=True)  # noqa: DJ001  # null: not from a file
    status_set_here = models.BooleanField(default=False)
    # The version that the latest import left; where `version` is another, somebody has changed the order here since.
    imported_version = models.IntegerField(null=True)
    # No index: an import's orders lie in one stretch of ids, since ids are in order of time.
    source_import = models.ForeignKey(
        Import, models.PROTECT, null=True, db_column="import_id", db_index=False, related_name="+"
    )

    class Meta:
        db_table = "orders"
        indexes: ClassVar = [
            models.Index(fields=["placed_at", "id"], name="orders_placed_at"),
            models.Index(fields=["user", "placed_at"], name="orders_user"),
            # Lists are filtered by these. Ten orders of a million take 2 ms, and 500 to 2,400 without; each costs 5 to 8 % of
            # inserting an order's row, and 50 MB a million.
            models.Index(fields=["status", "placed_at", "id"], name="orders_status"),
            models.Index(fields=["payment", "placed_at", "id"], name="orders_payment"),
            models.Index(fields=["channel", "placed_at", "id"], name="orders_channel"),
        ]
        constraints: ClassVar = [
            # The number first: people type it, and mostly without the channel.
            models.UniqueConstraint(fields=["number", "channel"], name="orders_channel_number"),
            models.UniqueConstraint(
                fields=["channel", "external_id"], condition=Q(external_id__isnull=False), name="orders_channel_external_id"
            ),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") - F("discount") + F("shipping") + F("tax")), name="orders_total_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(**{f"{amount}__gte": 0 for amount in AMOUNTS}) & Q(discount__lte=F("subtotal")),
                name="orders_amounts_in_range",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing", "shipped", "delivered", "cancelled"]),
                name="orders_status_known",
            ),
            models.CheckConstraint(
                condition=Q(payment__in=["unpaid", "partially_paid", "paid", "partially_refunded", "refunded"]),
                name="orders_payment_known",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def monthly_stats(cls, year: int, currency: str | None = None, timezone: str | None = None) -> list[MonthlyStats]:
        """
        Return the twelve months of `year` in order: `month` ("2026-01"), `count`, `total`, `avg` (None where count is 0).

        Exact decimals in major units of one currency (the setting's where none is given), cancelled orders left
        out; a month is a month of the named zone.
        """
        return monthly_stats(cls, year, currency=currency, timezone=timezone)


class Item(Record):
    """One line of an order; it keeps SKU, name and unit price as they were."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="items", db_index=False)
    position = models.IntegerField()
    product = models.ForeignKey(Product, models.PROTECT, related_name="items", null=True, db_index=False)
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=500)
    quantity = models.BigIntegerField()
    unit_price = models.BigIntegerField(help_text="Whole ten-thousandths of the major unit.")
    price_scale = models.IntegerField(help_text="Ten-thousandths per minor unit of the order's currency.")
    total = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)

    class Meta:
        db_table = "order_items"
        indexes: ClassVar = [
            models.Index(fields=["product"], condition=Q(product__isnull=False), name="order_items_product"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "position"], name="order_items_position"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, unit_price__gte=0, total__gte=0, discount__gte=0, discount__lte=F("total")),
                name="order_items_amounts_in_range",
            ),
            # The total is quantity x unit price rounded at the line (within half a minor unit), or the unit
            # price is derived from a given total (within half a ten-thousandth a piece).
            models.CheckConstraint(
                condition=LessThanOrEqual(
                    Abs(F("quantity") * F("unit_price") - F("total") * F("price_scale")) * 2,
                    Greatest(F("price_scale"), F("quantity")),
                ),
                name="order_items_total_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.sku


class Payment(Record):
    """Money received for an order; `import_id` names the import that brought it, null says it was recorded here."""

    id = models.UUIDField(primary_key=True)
    order = models.ForeignKey(Order, models.CASCADE, related_name="payments")
    amount = models.BigIntegerField()
    method = models.CharField(max_length=100, null=True)  # noqa: DJ001  # null: not known
    reference = models.CharField(max_length=255, null=True)  # noqa: DJ001  # null: none
    at = models.DateTimeField()
    import_id = models.UUIDField(null=True)

    class Meta:
        db_table = "payments"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(amount__gt=0), name="payments_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} received"


class Refund(Record):
    """Money given back; undated ones carry the order's moment, so that they count in its month; `import_id` as for payments."""

    id = models.UUIDField(primary_key=True)
    order = models.ForeignKey(Order, models.CASCADE, related_name="refunds")
    amount = models.BigIntegerField()
    method = models.CharField(max_length=100, null=True)  # noqa: DJ001  # null: not known
    reference = models.CharField(max_length=255, null=True)  # noqa: DJ001  # null: none
    at = models.DateTimeField()
    import_id = models.UUIDField(null=True)

    class Meta:
        db_table = "refunds"
        # Months of zones with half-hour offsets read the refunds of one hour.
        indexes: ClassVar = [models.Index(fields=["at"], name="refunds_at")]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(amount__gt=0), name="refunds_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} given back"


class OrderVersion(models.Model):
    """
    What an import overwrote of an order, kept so that the import can be undone.

    `version` is the one the order had, `previous` a JSON object with a list of rows for each of `orders`, `order_items`,
    `payments` and `refunds`, of the last two those that imports had brought. Values are as this database writes them.
    """

    source_import = models.ForeignKey(Import, models.PROTECT, db_column="import_id", db_index=False, related_name="+")
    order = models.ForeignKey(Order, models.CASCADE, related_name="+")
    version = models.IntegerField()
    # The buyer it had: an account that an undo may have to give the order back to is not removed.
    user = models.ForeignKey(User, models.PROTECT, related_name="+", null=True)
    previous = models.JSONField()

    class Meta:
        db_table = "order_versions"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source_import", "order"], name="order_versions_import_order"),
        ]

    def __str__(self) -> str:
        return f"version {self.version}"
