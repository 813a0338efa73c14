"""What can be bought."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Product(models.Model):
    """A product; `price` in minor units of `currency`, `stock` null where it is not tracked."""

    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
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
