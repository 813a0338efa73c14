"""Figures that are kept, not computed: every transaction that changes an order moves them too."""

from django.db import models


class StatisticsHour(models.Model):
    """
    Orders placed in one UTC hour in one currency, cancelled ones left out; amounts in minor units.

    Hours are the grain from which the months of any zone are exact (PRODUCT.md section 7).
    `stripe` spreads concurrent writers over several rows of one hour; readers sum them.
    """

    pk = models.CompositePrimaryKey("hour", "currency", "stripe")
    hour = models.DateTimeField()
    currency = models.CharField(max_length=3)
    stripe = models.SmallIntegerField()
    count = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)

    class Meta:
        db_table = "statistics_hours"

    def __str__(self) -> str:
        return f"{self.hour} {self.currency}"
