"""Amounts out of aggregates as exact decimals; neither database's own decimals are (SQLite's are floats)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _Whole = models.BigIntegerField[int, Decimal]
else:
    _Whole = models.BigIntegerField


class MinorUnits(_Whole):
    """Whole minor units in SQL, a Decimal in major units in Python. For annotations, never for a table."""

    def __init__(self, exponent: int = 2, **options: Any) -> None:
        super().__init__(**options)
        self.exponent = exponent

    def from_db_value(self, value: int | None, *_: Any) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-self.exponent)
