"""What Django developers expect to ask of accounts and orders. Reading only: writes go through the services."""

from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.base_user import BaseUserManager
from django.db import models
from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Coalesce

from ordermill.kit.money import Currency
from ordermill.kit.text import email_key
from ordermill.schema.exact import MinorUnits
from ordermill.schema.monthly import default_currency

if TYPE_CHECKING:
    from ordermill.schema.models import User


class UserQuerySet(QuerySet["User"]):
    """Accounts to choose from."""

    def active(self) -> "UserQuerySet":
        """Leave out those who were deactivated or erased."""
        return self.filter(is_active=True, erased_at__isnull=True)

    def with_order_stats(self, currency: str | None = None) -> "UserQuerySet":
        """
        Annotate each account with its orders in one currency, cancelled ones left out.

        `total_orders`, `total_spent` and `avg_order_value` (exact decimals in major units, rounded half up;
        for nobody's orders 0, 0 and None), `first_order_at` and `last_order_at`.
        """
        money = Currency.of(currency or default_currency())
        counted = Q(orders__currency=money.code) & ~Q(orders__status="cancelled")
        spent = Cast(Coalesce(Sum("orders__total", filter=counted), Value(0)), models.BigIntegerField())
        exact = MinorUnits(money.exponent)
        # Whole division of twice the sum: SQLite has no exact decimals, and its floats would show.
        average = Case(
            When(total_orders=0, then=None),
            default=(2 * spent + F("total_orders")) / (2 * F("total_orders")),
            output_field=exact,
        )
        annotated: UserQuerySet = self.annotate(
            total_orders=Count("orders", filter=counted),
            total_spent=Cast(spent, exact),
            first_order_at=Min("orders__placed_at", filter=counted),
            last_order_at=Max("orders__placed_at", filter=counted),
        ).annotate(avg_order_value=average)
        return annotated


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]  # a base made at run time
    """`User.objects`."""

    def get_by_natural_key(self, username: str | None) -> "User":
        found: User = self.get(email_key=email_key(username or ""))
        return found


class RecordQuerySet(QuerySet[Any]):
    """Rows to choose from; there is no way to change them here."""

    def update(self, **_: Any) -> int:
        raise TypeError(_CHANGED)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError(_REMOVED)


class RecordManager(models.Manager.from_queryset(RecordQuerySet)):  # type: ignore[misc]  # a base made at run time
    """`Order.objects`, and those of what belongs to an order."""


class Record(models.Model):
    """An order, or what belongs to one: to be read, and changed through the services alone."""

    objects = RecordManager()

    class Meta:
        abstract = True

    def save(self, *_: Any, **__: Any) -> None:
        raise TypeError(_CHANGED)

    def delete(self, *_: Any, **__: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(_REMOVED)


_CHANGED: Final = "Orders are changed through the orders service, which keeps their ledger and statistics."
_REMOVED: Final = "Orders are removed by `ordermill imports undo` alone, which keeps their ledger and statistics."
