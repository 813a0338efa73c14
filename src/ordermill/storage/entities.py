"""
Entities become rows and back, under the names of the columns: amounts in minor units, addresses as JSON objects.

Pure, and the same for every storage. Rows of `orders` come with the channel's and the customer's own words,
`channel` and `customer_email`, beside them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any, Final

from ordermill.accounts.api_keys import ApiKey
from ordermill.accounts.model import User
from ordermill.accounts.one_time import OneTimeToken, Purpose
from ordermill.accounts.principal import Scope
from ordermill.accounts.sessions import Session
from ordermill.imports.model import Reject
from ordermill.kit.money import UNIT_PRICE_EXPONENT, Currency, unit_price, unit_price_units
from ordermill.orders.model import Address, Item, Movement, Order, PaymentState, Status

Row = Mapping[Any, Any]

_ADDRESS: Final = tuple(field.name for field in fields(Address))
AMOUNTS: Final = ("subtotal", "discount", "shipping", "tax", "tax_included", "total", "paid", "refunded")


def user_row(user: User) -> dict[str, Any]:
    """Return an account's columns without its id."""
    return {
        "email": user.email,
        "email_key": user.email_key,
        "name": user.name,
        "password": user.password_hash,
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "email_verified_at": user.email_verified_at,
        "created_at": user.created_at,
        "erased_at": user.erased_at,
        "version": user.version,
    }


def user(row: Row) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        created_at=row["created_at"],
        password_hash=row["password"],
        is_active=row["is_active"],
        is_staff=row["is_staff"],
        email_verified_at=row["email_verified_at"],
        erased_at=row["erased_at"],
        version=row["version"],
    )


def one_time_token_row(token: OneTimeToken) -> dict[str, Any]:
    """Return the columns of a link that works once."""
    return {**asdict(token), "purpose": token.purpose.value}


def one_time_token(row: Row) -> OneTimeToken:
    return OneTimeToken(**{**row, "purpose": Purpose(row["purpose"])})


def session_row(session: Session) -> dict[str, Any]:
    """Return a session's columns."""
    return asdict(session)


def session(row: Row) -> Session:
    return Session(**row)


def api_key_row(key: ApiKey) -> dict[str, Any]:
    """Return an API key's columns."""
    return {**asdict(key), "scope": key.scope.value}


def api_key(row: Row) -> ApiKey:
    return ApiKey(**{**row, "scope": Scope(row["scope"])})


def order_row(order: Order) -> dict[str, Any]:
    """Return an order's columns without its id, its channel and what only imports set."""
    money = Currency.of(order.currency)
    return {
        "number": order.number,
        "external_id": order.external_id,
        "status": order.status.value,
        "payment": order.payment.value,
        "currency": order.currency,
        "user_id": order.customer_id,
        **{amount: money.minor(getattr(order, amount)) for amount in AMOUNTS},
        "source_total": None if order.source_total is None else money.minor(order.source_total),
        "discount_code": order.discount_code,
        "shipping_address": _address_row(order.shipping_address),
        "billing_address": _address_row(order.billing_address),
        "carrier": order.carrier,
        "tracking_number": order.tracking_number,
        "note": order.note,
        "placed_at": order.placed_at,
        "updated_at": order.updated_at,
        "version": order.version,
    }


def item_rows(order: Order) -> list[dict[str, Any]]:
    """Return the rows of an order's items, in their order."""
    money = Currency.of(order.currency)
    return [
        {
            "order_id": order.id,
            "position": position,
            "product_id": item.product_id,
            "sku": item.sku,
            "name": item.name,
            "quantity": item.quantity,
            "unit_price": unit_price_units(item.unit_price),
            "price_scale": 10 ** (UNIT_PRICE_EXPONENT - money.exponent),
            "total": money.minor(item.total),
            "discount": money.minor(item.discount),
        }
        for position, item in enumerate(order.items, start=1)
    ]


def order(row: Row, items: Iterable[Row]) -> Order:
    money = Currency.of(row["currency"])
    return Order(
        id=row["id"],
        number=row["number"],
        currency=row["currency"],
        placed_at=row["placed_at"],
        updated_at=row["updated_at"],
        channel=row["channel"],
        external_id=row["external_id"],
        status=Status(row["status"]),
        payment=PaymentState(row["payment"]),
        customer_id=row["user_id"],
        customer_email=row["customer_email"],
        items=[_item(item, money) for item in items],
        **{amount: money.decimal(row[amount]) for amount in AMOUNTS},
        discount_code=row["discount_code"],
        source_total=_decimal(row["source_total"], money),
        shipping_address=_address(row["shipping_address"]),
        billing_address=_address(row["billing_address"]),
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        note=row["note"],
        version=row["version"],
    )


def movement_row(movement: Movement) -> dict[str, Any]:
    """Return the columns of a payment or refund; its currency is its order's."""
    return {
        "id": movement.id,
        "order_id": movement.order_id,
        "amount": Currency.of(movement.currency).minor(movement.amount),
        "method": movement.method,
        "reference": movement.reference,
        "at": movement.at,
        "import_id": movement.import_id,
    }


def movement(row: Row, *, currency: str) -> Movement:
    return Movement(
        id=row["id"],
        order_id=row["order_id"],
        currency=currency,
        amount=Currency.of(currency).decimal(row["amount"]),
        at=row["at"],
        method=row["method"],
        reference=row["reference"],
        import_id=row["import_id"],
    )


def storable(reject: Reject) -> Reject:
    """Return a reject whose texts every database takes: PostgreSQL has no NUL in text. Its records are kept as bytes."""
    return Reject(
        reject.line,
        _without_nul(reject.number),
        _without_nul(reject.field),
        _without_nul(reject.value),
        reject.code,
        reject.message.replace("\0", "\N{SYMBOL FOR NULL}"),
        reject.lines,
    )


def _item(row: Row, money: Currency) -> Item:
    return Item(
        sku=row["sku"],
        name=row["name"],
        quantity=row["quantity"],
        unit_price=unit_price(row["unit_price"], currency=money),
        total=money.decimal(row["total"]),
        discount=money.decimal(row["discount"]),
        product_id=row["product_id"],
    )


def _decimal(minor: int | None, money: Currency) -> Decimal | None:
    return None if minor is None else money.decimal(minor)


def _address_row(address: Address | None) -> dict[str, str | None] | None:
    return None if address is None else {name: getattr(address, name) for name in _ADDRESS}


def _address(stored: Mapping[str, str | None] | None) -> Address | None:
    return None if stored is None else Address(**stored)


def _without_nul(text: str | None) -> str | None:
    return None if text is None else text.replace("\0", "\N{SYMBOL FOR NULL}")
