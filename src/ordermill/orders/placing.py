"""
Placing an order, and saying beforehand what it would cost.

    look (products, customer, discount, earlier answer)  ->  decide  ->  write everything, or nothing
                                                              pure

`decide` runs where the storage wants it: inside the transaction, or between a look and a write that proves again what it
was decided on. It may be run again from the start.

Not here: what is done in which statement (storage/placing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson

from ordermill.accounts.model import User
from ordermill.accounts.principal import Principal, Scope
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Forbidden, Invalid, Taken
from ordermill.kit.events import Event
from ordermill.kit.ids import new_id, order_number
from ordermill.kit.money import Currency
from ordermill.kit.text import email_key
from ordermill.orders.draft import MAX_ITEMS, MAX_QUANTITY, BasketCreate, OrderCreate
from ordermill.orders.idempotency import Answer, KeyMissing, Once
from ordermill.orders.model import ZERO, Order
from ordermill.orders.placement import Asked, Known, Placed, Placement
from ordermill.orders.ports import PlacingStore
from ordermill.orders.pricing import Extras, Offer, OutOfStock, Priced, Wanted, price
from ordermill.orders.shape import quote_shape
from ordermill.orders.status import payment_state
from ordermill.statistics.delta import OrderFigures, delta

NAME_LIMIT: Final = 100
# 40 random bits: among a million orders the second attempt is needed once in a million.
ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """
    How this shop sells.

    Args:
        shipping: what it costs users who order for themselves, in the order's currency.
        items, quantity: the most of an order, and of one item.
        remembered: how long the answer to a request with a key is kept.
    """

    shipping: Decimal = ZERO
    items: int = MAX_ITEMS
    quantity: int = MAX_QUANTITY
    remembered: timedelta = timedelta(hours=48)


class Placing:
    """Prices baskets and places orders."""

    def __init__(self, store: PlacingStore, *, clock: Clock, terms: Terms) -> None:
        self._store = store
        self._clock = clock
        self._terms = terms

    async def quote(self, basket: BasketCreate, *, by: Principal) -> dict[str, Any]:
        """
        Say what a basket would cost, and whether all of it is there; changes nothing.

        Raises:
            ServiceError: as `place` does, but not that something is out of stock.
        """
        _may_place(by)
        known = await self._store.look(_asked(basket, by))
        return quote_shape(self._price(basket, known, by=by, at=self._clock.now()), code=basket.discount_code)

    async def place(self, draft: OrderCreate, *, by: Principal, once: Once | None = None) -> Placed:
        """
        Place an order: everything that belongs to it is in the book when this returns, and nothing when it raises.

        Args:
            once: the request's key; the same request again gives the same answer, as long as it is remembered.

        Raises:
            KeyMissing: a program places an order for a shop's customer without a key.
            KeyReused, InFlight: the key stands for another request, or for one that is being carried out.
            Forbidden: the account is not active, or the draft says what this caller may not.
            ProductNotFound, CurrencyMismatch, PriceChanged, OutOfStock, DiscountNotApplicable: as they say.
            Invalid: a limit of this shop is passed, or an amount is one that the currency does not have.
            Unavailable: the database failed; with a key the same request may be sent again, whatever became of it.
        """
        _may_place(by)
        if once is None and by.scope is Scope.STOREFRONT:
            raise KeyMissing

        def decide(known: Known) -> Placement | Answer:
            return self._decide(draft, known, by=by, once=once)

        asked = _asked(draft, by, once=once)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _placed(await self._store.place(asked, decide))
            except Taken as refusal:
                if refusal.constraint != "orders_channel_number" or attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def prune(self) -> int:
        """Forget answers that need not be remembered any more; return how many. One that is being given is not there yet."""
        return await self._store.forget(before=self._clock.now() - self._terms.remembered)

    def _decide(self, draft: OrderCreate, known: Known, *, by: Principal, once: Once | None) -> Placement | Answer:
        at = self._clock.now()
        _require_own(draft, known, by)
        if known.answer is not None:
            return known.answer
        priced = self._price(draft, known, by=by, at=at)
        if priced.short:
            raise OutOfStock(priced.items, priced.short)
        order = _order(draft, priced, at=at)
        newcomer = None
        if known.customer is not None:
            order.customer_id, order.customer_email = known.customer.id, known.customer.email
        elif draft.customer_email is not None:
            newcomer = _unclaimed(draft, draft.customer_email, at=at)
            order.customer_email = newcomer.email
        return Placement(
            order=order,
            event=_event(order, actor=by.actor),
            figures=delta(None, _figures(order)),
            newcomer=newcomer,
            placed_by_customer=_for_oneself(by),
            discount=known.discount,
            once=once,
        )

    def _price(self, basket: OrderCreate | BasketCreate, known: Known, *, by: Principal, at: datetime) -> Priced:
        _require_own(basket, known, by)
        self._require_limits(basket)
        offer = None
        if basket.discount_code is not None:
            used = None if _is_nobody(basket, by) else known.used
            offer = Offer(code=basket.discount_code, discount=known.discount, used=used, at=at)
        return price(basket.items, known.products, extras=self._extras(basket, known, by), offer=offer)

    def _extras(self, basket: OrderCreate | BasketCreate, known: Known, by: Principal) -> Extras:
        if not _for_oneself(by):
            return Extras(shipping=basket.shipping or ZERO, tax=basket.tax or ZERO)
        if not self._terms.shipping:
            return Extras()
        # Any product's will do: a basket of several currencies is refused all the same.
        currency = next((product.currency for product in known.products.values()), None)
        return Extras(shipping=self._terms.shipping if currency is None else Currency.of(currency).round(self._terms.shipping))

    def _require_limits(self, basket: OrderCreate | BasketCreate) -> None:
        items: Sequence[Wanted] = basket.items
        if len(items) > self._terms.items:
            raise Invalid.field("/items", f"An order has at most {self._terms.items} items.", code="too_many_items")
        for position, item in enumerate(items):
            if item.quantity > self._terms.quantity:
                sentence = f"An order has at most {self._terms.quantity} of one item."
                raise Invalid.field(f"/items/{position}/quantity", sentence, code="quantity_too_large")


def _may_place(by: Principal) -> None:
    if by.scope is Scope.READ:
        raise Forbidden("This is not for API keys that only read.")


def _for_oneself(by: Principal) -> bool:
    """Whether the caller is a customer, who orders for nobody else; staff and programs order for anybody."""
    return by.user_id is not None and not by.acts_as_staff


def _is_nobody(basket: OrderCreate | BasketCreate, by: Principal) -> bool:
    return basket.customer_email is None and not _for_oneself(by)


def _asked(basket: OrderCreate | BasketCreate, by: Principal, *, once: Once | None = None) -> Asked:
    own = _for_oneself(by)
    return Asked(
        product_ids=tuple(item.product_id for item in basket.items),
        user_id=by.user_id if own else None,
        email_key=None if own or basket.customer_email is None else email_key(basket.customer_email),
        discount_code=basket.discount_code,
        once=once,
    )


def _require_own(basket: OrderCreate | BasketCreate, known: Known, by: Principal) -> None:
    """
    Refuse a customer who may not order, or says what is for the shop to say.

    Raises:
        Forbidden: `account_inactive` or `field_not_allowed`.
    """
    if not _for_oneself(by):
        return
    if known.customer is None or not known.customer.may_order:
        raise Forbidden("This account is not active.", code="account_inactive")
    if basket.customer_email is not None and email_key(basket.customer_email) != email_key(known.customer.email):
        raise _not_for_customers("/customer_email", "You can order for your own e-mail address only; leave it out.")
    for name in ("shipping", "tax"):
        if getattr(basket, name) is not None:
            raise _not_for_customers(f"/{name}", f"The shop says what {name} costs; leave it out.")


def _not_for_customers(pointer: str, sentence: str) -> Forbidden:
    error = {"pointer": pointer, "detail": sentence, "code": "field_not_allowed"}
    return Forbidden(sentence, code="field_not_allowed", details={"errors": [error]})


def _order(draft: OrderCreate, priced: Priced, *, at: datetime) -> Order:
    return Order(
        id=new_id(at),
        number=order_number(),
        currency=priced.currency,
        placed_at=at,
        updated_at=at,
        payment=payment_state(total=priced.total, paid=ZERO, refunded=ZERO),
        items=priced.items,
        subtotal=priced.subtotal,
        discount=priced.discount,
        discount_code=draft.discount_code,
        shipping=priced.shipping,
        tax=priced.tax,
        total=priced.total,
        shipping_address=draft.shipping_address.address(),
        billing_address=draft.billing_address.address(),
        note=draft.note,
    )


def _unclaimed(draft: OrderCreate, email: str, *, at: datetime) -> User:
    # Without a name, the part of the address before the @ is what people would call them by.
    name = draft.shipping_address.name or draft.billing_address.name or email.partition("@")[0]
    return User(email=email, name=name[:NAME_LIMIT], created_at=at)


def _event(order: Order, *, actor: str) -> Event:
    # Without the address and the note, which are a person's.
    facts = {"total": f"{order.total:f}", "currency": order.currency}
    return Event(
        id=new_id(order.placed_at),
        type="order.placed",
        at=order.placed_at,
        actor=actor,
        order_id=order.id,
        sequence=1,
        data=facts,
    )


def _figures(order: Order) -> OrderFigures:
    total = Currency.of(order.currency).minor(order.total)
    return OrderFigures(order.status.value, order.currency, order.placed_at, total)


def _placed(answer: Answer) -> Placed:
    # An answer that was kept says by itself which order it is about.
    return Placed(id=UUID(orjson.loads(answer.body)["id"]), body=answer.body, replayed=answer.replayed)
