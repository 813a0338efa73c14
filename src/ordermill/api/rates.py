"""
Quotas at the door: what is said when one is used up, and how often somebody may try discount codes.

Guessing a code must take longer than it is worth: whoever is told that a code does not apply learns nothing else, and whoever
tries many has to wait (RELIABILITY.md D5).
"""

import math
from typing import Final

from ordermill.accounts.principal import Principal
from ordermill.bootstrap import Services
from ordermill.kit.errors import Forbidden
from ordermill.kit.rates import Allowance, Quota
from ordermill.kit.text import email_key
from ordermill.orders.draft import BasketCreate, OrderCreate

_TEN_MINUTES_S: Final = 600
# The shortest codes have 36 to the 6th power: at this rate half of them take seven hundred thousand years.
_CODES: Final = Quota("discount-codes", count=30, window_s=_TEN_MINUTES_S)
# A storefront's guests are one to us; its own pages are where single ones are told apart.
_CODES_OF_GUESTS: Final = Quota("discount-codes", count=600, window_s=_TEN_MINUTES_S)


def require_granted(allowance: Allowance) -> None:
    """
    Raises:
        Forbidden: `rate_limited`; nothing is left of the quota.
    """
    if not allowance.granted:
        wait = max(math.ceil(allowance.wait_s), 1)
        raise Forbidden(f"That were too many requests; wait {wait} s.", code="rate_limited", details={"retry_after_s": wait})


async def count_code(basket: OrderCreate | BasketCreate, services: Services, principal: Principal) -> None:
    """
    Count a request that tries a discount code: for the user, or for the customer that a storefront names. Staff know the codes.

    Raises:
        Forbidden: `rate_limited`.
    """
    if basket.discount_code is None or principal.acts_as_staff:
        return
    customer = email_key(basket.customer_email or "")
    quota = _CODES_OF_GUESTS if principal.user_id is None and not customer else _CODES
    require_granted(await services.rates.take(f"code:{principal.actor}:{customer}", quota))
