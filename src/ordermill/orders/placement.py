"""
What passes between placing and storage: what is asked, what is known, and what is to be written.

All of it is about one moment of one order; nothing here decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson

from ordermill.accounts.model import User
from ordermill.catalogue.model import Discount, Product
from ordermill.kit.events import Event
from ordermill.orders.idempotency import Answer, Once
from ordermill.orders.model import Order
from ordermill.orders.shape import order_shape
from ordermill.statistics.model import Bucket, Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What must be known to price a basket: whose it is (by account, or by the key of an address), and what is in it."""

    product_ids: tuple[int, ...]
    user_id: int | None = None
    email_key: str | None = None
    discount_code: str | None = None
    once: Once | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """An account that is there. `may_order` for itself: it is active and was not erased."""

    id: int
    email: str
    may_order: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What storage knows of what was asked; `used` is how often the customer used the discount, `answer` a replayed one."""

    products: Mapping[int, Product]
    customer: Customer | None = None
    discount: Discount | None = None
    used: int = 0
    answer: Answer | None = None


@dataclass(slots=True, kw_only=True)
class Placement:
    """
    Everything that one order brings, to be written together or not at all.

    Args:
        newcomer: the account to be made for the order; without one, the order's own customer is there, or it has none.
        placed_by_customer: by the customer's own sign-in, which must still be allowed when this is written.
        discount: whose use is counted, as it was when the order was priced.
        figures: what the order adds to the kept statistics.
    """

    order: Order
    event: Event
    figures: Mapping[Bucket, Figures]
    newcomer: User | None = None
    placed_by_customer: bool = False
    discount: Discount | None = None
    once: Once | None = None

    def answer(self, customer_id: int | None) -> str:
        """Give the order its customer, and return the exact body of the answer."""
        self.order.customer_id = customer_id
        return orjson.dumps(order_shape(self.order)).decode()

    @property
    def taken(self) -> list[tuple[int, int]]:
        """Return what is taken from the shelf, in order of the products: (product, quantity)."""
        return sorted((item.product_id, item.quantity) for item in self.order.items if item.product_id is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An order that is in the book, and the exact body of its answer; `replayed` when both were there already."""

    id: UUID
    body: str
    replayed: bool = False
