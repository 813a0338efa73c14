"""
Quotas at the door: what is said when one is used up, and how often somebody may guess discount codes.

Guessing a code must take longer than it is worth: whoever is told that a code does not apply learns nothing else, and whoever
has guessed wrong too often has to wait (RELIABILITY.md D5).
"""

import hashlib
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from ordermill.accounts.principal import Principal
from ordermill.bootstrap import Services
from ordermill.kit.errors import Conflict, Forbidden
from ordermill.kit.rates import Allowance, Quota
from ordermill.kit.text import email_key
from ordermill.orders.draft import BasketCreate, OrderCreate

_NOT_APPLICABLE: Final = "discount_not_applicable"
_TEN_MINUTES_S: Final = 600
# Wrong guesses. The shortest codes have 36 to the 6th power: at this rate half of them take seven hundred years.
_GUESSES: Final = Quota("discount-codes", count=30, window_s=_TEN_MINUTES_S)
# Of a whole storefront, whose customers we know only by the addresses that it names: half of them in thirty-five years.
_GUESSES_OF_A_SHOP: Final = Quota("discount-codes", count=600, window_s=_TEN_MINUTES_S)


def require_granted(allowance: Allowance) -> None:
    """
    Raises:
        Forbidden: `rate_limited`; nothing is left of the quota.
    """
    if not allowance.granted:
        wait = max(math.ceil(allowance.wait_s), 1)
        raise Forbidden(f"Too many requests; wait {wait} s.", code="rate_limited", details={"retry_after_s": wait})


@asynccontextmanager
async def counting_guesses(basket: OrderCreate | BasketCreate, services: Services, principal: Principal) -> AsyncIterator[None]:
    """
    Count a discount code that is refused inside the block: for the user, or for the storefront and the customer it names.

    Staff know the codes.

    Raises:
        Forbidden: `rate_limited`; too many were refused before.
    """
    if basket.discount_code is None or principal.acts_as_staff:
        yield
        return
    counted = _counted(basket, principal)
    for key, quota in counted:
        require_granted(await services.rates.look(key, quota))
    try:
        yield
    except Conflict as refusal:
        if refusal.code == _NOT_APPLICABLE:
            for key, quota in counted:
                await services.rates.take(key, quota)
        raise


def _counted(basket: OrderCreate | BasketCreate, principal: Principal) -> list[tuple[str, Quota]]:
    own = f"code:{principal.actor}"
    if principal.user_id is not None:
        return [(own, _GUESSES)]
    shop = [(own, _GUESSES_OF_A_SHOP)]
    if basket.customer_email is None:
        return shop
    customer = hashlib.sha256(email_key(basket.customer_email).encode()).hexdigest()[:32]
    return [*shop, (f"{own}:{customer}", _GUESSES)]
