"""What can be bought, how much of it there is, and what makes it cheaper."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from ordermill.schema.models.accounts import User


class Product(models.Model):
    """
    A product; `price` in minor units of `currency`, `stock` null where it is not tracked.

    `name_key` holds the words of the name as they are searched for: `kit.text.words_key`. `version` counts what staff
    changed; buyers take stock without it.
    """

    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    name_key = models.TextField(default="")
    price = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    stock = models.BigIntegerField(null=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    version = models.IntegerField(default=1)

    class Meta:
        db_table = "products"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sku"], name="products_sku"),
            models.CheckConstraint(condition=Q(price__gte=0), name="products_price_not_negative"),
            models.CheckConstraint(condition=Q(stock__isnull=True) | Q(stock__gte=0), name="products_stock_not_negative"),
        ]

    def __str__(self) -> str:
        return self.sku


class StockMovement(models.Model):
    """
    Stock that came or went: a product's movements add up to its stock (to 0 where it is not tracked), and `audit` proves it.

    Kinds: `set` (staff said how much there is), `order` (bought), `cancel` (came back, once for each order and product).
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="movements", db_index=False)
    change = models.BigIntegerField()
    kind = models.CharField(max_length=8)
    order_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        db_table = "stock_movements"
        indexes: ClassVar = [models.Index(fields=["product"], name="stock_movements_product")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_id", "product", "kind"], name="stock_movements_once"),
            models.CheckConstraint(condition=~Q(change=0), name="stock_movements_change_something"),
            models.CheckConstraint(
                condition=Q(kind="set", order_id__isnull=True)
                | Q(kind="order", order_id__isnull=False, change__lt=0)
                | Q(kind="cancel", order_id__isnull=False, change__gt=0),
                name="stock_movements_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change:+}"


class Discount(models.Model):
    """
    A code that makes an order cheaper.

    `value` is minor units of `currency` for `fixed`, hundredths of a percent for `percent`; `minimum` is minor units of
    `currency`. `uses` counts orders that were placed with it and not cancelled.
    """

    code = models.CharField(max_length=10)
    kind = models.CharField(max_length=8)
    value = models.BigIntegerField()
    currency = models.CharField(max_length=3, null=True)  # noqa: DJ001  # null: any
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    minimum = models.BigIntegerField(null=True)
    max_uses = models.IntegerField(null=True)
    max_uses_per_customer = models.IntegerField(null=True)
    uses = models.IntegerField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    version = models.IntegerField(default=1)

    class Meta:
        db_table = "discounts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code"], name="discounts_code"),
            models.CheckConstraint(
                condition=Q(kind="percent", value__gt=0, value__lte=10_000)
                | Q(kind="fixed", value__gt=0, currency__isnull=False),
                name="discounts_value_in_range",
            ),
            models.CheckConstraint(
                condition=Q(minimum__isnull=True) | Q(minimum__gt=0, currency__isnull=False),
                name="discounts_minimum_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(starts_at__lt=F("ends_at")),
                name="discounts_ends_after_start",
            ),
            models.CheckConstraint(condition=Q(uses__gte=0), name="discounts_uses_not_negative"),
        ]

    def __str__(self) -> str:
        return self.code


class DiscountUse(models.Model):
    """An order that was placed with a discount; gone when the order is cancelled."""

    order_id = models.UUIDField(primary_key=True)
    discount = models.ForeignKey(Discount, models.PROTECT, related_name="used_by", db_index=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="+", null=True, db_index=False)
    at = models.DateTimeField()

    class Meta:
        db_table = "discount_uses"
        indexes: ClassVar = [
            models.Index(fields=["discount", "user"], name="discount_uses_customer"),
            models.Index(fields=["user"], condition=Q(user__isnull=False), name="discount_uses_user"),
        ]

    def __str__(self) -> str:
        return str(self.order_id)
