"""The shape of an order in every answer, webhook and JSON line: PRODUCT.md section 4, keys in its order."""

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import Any, Final

from ordermill.kit.events import Event
from ordermill.kit.money import Currency, unit_price, unit_price_units
from ordermill.orders.model import Address, Item, Movement, Order
from ordermill.orders.pricing import Priced

# Refuses to round, where the ordinary way is four times as slow; an amount's digits always fit.
_EXACT: Final = Context(prec=28, traps=[Inexact, InvalidOperation])
_UNITS: Final = {exponent: Decimal(1).scaleb(-exponent) for exponent in (0, 2, 3)}
_ADDRESS: Final = tuple(field.name for field in fields(Address))


def order_shape(order: Order) -> dict[str, Any]:
    """
    Return plain JSON values: amounts are strings with the currency's decimals, moments RFC 3339 in UTC.

    A unit price has more decimals where it needs them, up to four.
    """
    money = Currency.of(order.currency)
    return {
        "id": str(order.id),
        "number": order.number,
        "channel": order.channel,
        "external_id": order.external_id,
        "status": order.status.value,
        "payment": order.payment.value,
        "currency": order.currency,
        "customer_id": order.customer_id,
        "customer_email": order.customer_email,
        "items": [_item(item, money) for item in order.items],
        "subtotal": _amount(order.subtotal, money),
        "discount": _amount(order.discount, money),
        "discount_code": order.discount_code,
        "shipping": _amount(order.shipping, money),
        "tax": _amount(order.tax, money),
        "tax_included": _amount(order.tax_included, money),
        "total": _amount(order.total, money),
        "paid": _amount(order.paid, money),
        "refunded": _amount(order.refunded, money),
        "source_total": None if order.source_total is None else _amount(order.source_total, money),
        "shipping_address": _address(order.shipping_address),
        "billing_address": _address(order.billing_address),
        "carrier": order.carrier,
        "tracking_number": order.tracking_number,
        "note": order.note,
        "placed_at": _moment(order.placed_at),
        "updated_at": _moment(order.updated_at),
        "version": order.version,
    }


def quote_shape(priced: Priced, *, code: str | None) -> dict[str, Any]:
    """Return what a basket would cost, as plain JSON values; `available` says whether all of it, or of an item, is there."""
    money = Currency.of(priced.currency)
    return {
        "currency": priced.currency,
        "items": [
            {**_item(item, money), "available": position not in priced.short} for position, item in enumerate(priced.items)
        ],
        "subtotal": _amount(priced.subtotal, money),
        "discount": _amount(priced.discount, money),
        "discount_code": code,
        "shipping": _amount(priced.shipping, money),
        "tax": _amount(priced.tax, money),
        "total": _amount(priced.total, money),
        "available": not priced.short,
    }


def movement_shape(movement: Movement, *, order: Order | None = None) -> dict[str, Any]:
    """Return money received or given back as plain JSON values; with what it made of the order, where that is given."""
    money = Currency.of(movement.currency)
    shape = {
        "id": str(movement.id),
        "order_id": str(movement.order_id),
        "amount": _amount(movement.amount, money),
        "currency": movement.currency,
        "method": movement.method,
        "reference": movement.reference,
        "at": _moment(movement.at),
    }
    if order is None:
        return shape
    sums = {"paid": _amount(order.paid, money), "refunded": _amount(order.refunded, money)}
    return {**shape, "order": {"payment": order.payment.value, **sums, "version": order.version}}


def event_shape(event: Event) -> dict[str, Any]:
    """Return a fact of the ledger as plain JSON values."""
    return {
        "id": str(event.id),
        "type": event.type,
        "at": _moment(event.at),
        "actor": event.actor,
        "order_id": None if event.order_id is None else str(event.order_id),
        "sequence": event.sequence,
        "data": event.data,
    }


def _item(item: Item, money: Currency) -> dict[str, Any]:
    return {
        "product_id": item.product_id,
        "sku": item.sku,
        "name": item.name,
        "quantity": item.quantity,
        "unit_price": _price(item.unit_price, money),
        "discount": _amount(item.discount, money),
        "total": _amount(item.total, money),
    }


def _amount(amount: Decimal, money: Currency) -> str:
    try:
        return str(amount.quantize(_UNITS[money.exponent], context=_EXACT))
    except DecimalException:
        return f"{money.decimal(money.minor(amount)):f}"  # says what is wrong with it


def _price(price: Decimal, money: Currency) -> str:
    try:
        return str(price.quantize(_UNITS[money.exponent], context=_EXACT))
    except DecimalException:
        return f"{unit_price(unit_price_units(price), currency=money):f}"


def _address(address: Address | None) -> dict[str, str | None] | None:
    # Not `asdict`, which copies each text with care: an order placed would spend a quarter of its time in there.
    return None if address is None else {name: getattr(address, name) for name in _ADDRESS}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
