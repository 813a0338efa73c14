"""All that is kept of one person, in memory: the rules of an erasure are those of storage/erasing.py."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from ordermill.accounts.changes import UserNotFound
from ordermill.accounts.model import User
from ordermill.accounts.principal import actor_of
from ordermill.imports.model import Reject
from ordermill.kit.events import Event
from ordermill.kit.text import email_key
from ordermill.orders.model import Movement
from ordermill.privacy.mentions import addresses_in
from ordermill.privacy.model import (
    NAME,
    PERSONAL,
    Erased,
    Erasure,
    Purchase,
    SignIn,
    Use,
    forgotten,
    texts_of,
    without_examples,
)
from ordermill.storage import entities
from ordermill.storage.entities import Row
from ordermill.storage.gathering import Store
from ordermill.storage.memory.api_keys import revoke_made_by
from ordermill.storage.memory.book import Book
from ordermill.storage.memory.erased import remember
from ordermill.storage.memory.table import Table
from ordermill.storage.memory.users import leave_staff


class MemoryPersons:
    """`privacy.ports.PersonStore`."""

    def __init__(self, store: Store[Book]) -> None:
        self._store = store

    async def user(self, id: int) -> User | None:
        return await self._store.read(lambda book: _user(book, id))

    async def by_email(self, email: str) -> User | None:
        return await self._store.read(lambda book: _user(book, book.users.owner("users_email_key", email_key(email))))

    async def purchases(self, user_id: int, *, placed_by_customer: bool) -> AsyncIterator[Purchase]:
        for purchase in await self._store.read(
            lambda book: [_purchase(book, row) for row in _orders(book, user_id, placed_by_customer=placed_by_customer)]
        ):
            yield purchase

    async def sessions(self, user_id: int) -> Sequence[SignIn]:
        known = ("id", "created_at", "refreshed_at", "expires_at", "revoked_at")

        def look(book: Book) -> list[SignIn]:
            rows = (row for row in book.sessions.rows.values() if row["user_id"] == user_id)
            return [SignIn(**{name: row[name] for name in known}) for row in sorted(rows, key=lambda row: row["id"])]

        return await self._store.read(look)

    async def discount_uses(self, user_id: int, *, placed_by_customer: bool) -> Sequence[Use]:
        def look(book: Book) -> list[Use]:
            mine = {row["id"] for row in _orders(book, user_id, placed_by_customer=placed_by_customer)}
            uses = [
                Use(order_id=order, code=book.discounts.rows[row["discount_id"]]["code"], at=row["at"])
                for order, row in book.discount_uses.rows.items()
                if row["user_id"] == user_id and (order in mine or not placed_by_customer)
            ]
            return sorted(uses, key=lambda use: (use.at, use.order_id))

        return await self._store.read(look)

    async def events(self, user_id: int) -> Sequence[Event]:
        def look(book: Book) -> list[Event]:
            rows = book.events.rows.values()
            return [_event(row) for row in rows if row["user_id"] == user_id and row["order_id"] is None]

        return sorted(await self._store.read(look), key=lambda event: event.id)

    async def erase(self, erasure: Erasure) -> Erased:
        return await self._store.write(lambda book: _erase(book, erasure))


def _erase(book: Book, erasure: Erasure) -> Erased:
    account = book.users.rows.get(erasure.user_id)
    if account is None or account["erased_at"] is not None:
        raise UserNotFound
    leave_staff(book, erasure.user_id)
    rejects = _blank_rejects(book, erasure.user_id, account["email_key"])
    blank = {"email": erasure.placeholder, "email_key": erasure.placeholder, "name": NAME, "password": None}
    closed = {"is_active": False, "is_staff": False, "email_verified_at": None, "erased_at": erasure.at}
    book.users.replace(erasure.user_id, {**account, **blank, **closed, "version": account["version"] + 1})
    orders = _blank_orders(book, erasure)
    _delete_what_was_for(book, erasure.user_id, account["email_key"])
    revoke_made_by(book, actor_of(erasure.user_id), at=erasure.at)
    remember(book, account["email_key"], new_key=erasure.new_key, at=erasure.at)
    event = {"id": erasure.event_id, "type": "user.erased", "at": erasure.at, "actor": erasure.actor}
    book.add_event({**event, "user_id": erasure.user_id, "data": json.dumps({"orders": orders})})
    return Erased(user_id=erasure.user_id, orders=orders, rejects=rejects)


def _blank_orders(book: Book, erasure: Erasure) -> int:
    nothing = dict.fromkeys(PERSONAL)
    mine = [row for row in book.orders.rows.values() if row["user_id"] == erasure.user_id]
    for row in mine:
        version = row["version"] + 1
        left = version if row.get("imported_version") == row["version"] else row.get("imported_version")
        moved_on = {"version": version, "imported_version": left, "updated_at": erasure.at}
        book.put_order(row["id"], {**row, **nothing, **moved_on}, book.items[row["id"]])
    ids = {row["id"] for row in mine}
    for order, versions in book.order_versions.items():
        book.order_versions[order] = tuple(
            {**kept, "order": {**kept["order"], **nothing}} if order in ids or kept["user_id"] == erasure.user_id else kept
            for kept in versions
        )
    return len(mine)


def _blank_rejects(book: Book, user_id: int, email_key: str) -> int:
    numbers = {(row["channel"], row["number"]) for row in book.orders.rows.values() if row["user_id"] == user_id}
    blanked = 0
    for id, rejects in book.rejects.items():
        run = book.imports[id]
        gone = {
            place
            for place, reject in enumerate(rejects)
            if reject.lines and _is_about(reject, email_key, same_number=(run.file.channel, reject.number) in numbers)
        }
        book.rejects[id] = tuple(forgotten(each) if place in gone else each for place, each in enumerate(rejects))
        examples = {(rejects[place].line, rejects[place].code) for place in gone}
        book.imports[id] = replace(run, tally=without_examples(run.tally, examples))
        blanked += len(gone)
    return blanked


def _is_about(reject: Reject, email_key: str, *, same_number: bool) -> bool:
    mentioned = addresses_in(texts_of(reject))
    return email_key in mentioned or (same_number and not mentioned)


def _delete_what_was_for(book: Book, user_id: int, email_key: str) -> None:
    _remove(book.sessions, lambda row: row["user_id"] == user_id)
    _remove(book.one_time_tokens, lambda row: row["user_id"] == user_id)
    actor = actor_of(user_id)
    _remove(book.idempotency_keys, lambda row: row["principal"] == actor or email_key in addresses_in([row["answer"]]))


def _remove(table: Table[Any], which: Callable[[Row], bool]) -> None:
    for key in [key for key, row in table.rows.items() if which(row)]:
        table.remove(key)


def _user(book: Book, id: int | None) -> User | None:
    row = None if id is None else book.users.rows.get(id)
    return None if row is None else entities.user(row)


def _orders(book: Book, user_id: int, *, placed_by_customer: bool) -> Iterator[Row]:
    mine = (row for row in book.orders.rows.values() if row["user_id"] == user_id)
    kept = (row for row in mine if row.get("placed_by_customer") or not placed_by_customer)
    return iter(sorted(kept, key=lambda row: row["id"]))


def _purchase(book: Book, row: Row) -> Purchase:
    id = row["id"]
    events = (_event(event) for event in book.events.rows.values() if event["order_id"] == id)
    return Purchase(
        order=entities.order({**row, "customer_email": book.users.rows[row["user_id"]]["email"]}, book.items[id]),
        payments=_movements(book.payments, row),
        refunds=_movements(book.refunds, row),
        events=tuple(sorted(events, key=lambda event: event.sequence or 0)),
    )


def _movements(kept: Mapping[UUID, Sequence[Row]], order: Row) -> tuple[Movement, ...]:
    rows: Any = sorted(kept.get(order["id"], ()), key=lambda row: (row["at"], row["id"]))
    return tuple(entities.movement(row, currency=order["currency"]) for row in rows)


def _event(row: Row) -> Event:
    return Event(**{**row, "data": json.loads(row["data"])})
