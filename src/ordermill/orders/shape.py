"""The shape of an order in every answer, webhook and JSON line: PRODUCT.md section 4, keys in its order."""

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ordermill.kit.money import Currency, unit_price, unit_price_units
from ordermill.orders.model import Address, Item, Order


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


def _item(item: Item, money: Currency) -> dict[str, Any]:
    price = unit_price(unit_price_units(item.unit_price), currency=money)
    return {
        "product_id": item.product_id,
        "sku": item.sku,
        "name": item.name,
        "quantity": item.quantity,
        "unit_price": f"{price:f}",
        "discount": _amount(item.discount, money),
        "total": _amount(item.total, money),
    }


def _amount(amount: Decimal, money: Currency) -> str:
    return f"{money.decimal(money.minor(amount)):f}"


def _address(address: Address | None) -> dict[str, str | None] | None:
    return None if address is None else asdict(address)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
