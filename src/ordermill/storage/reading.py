"""
Orders as JSON text: one statement, one trip, whatever is asked. `orders.ports.OrderReader`.

What the reader may see is a condition of the same statement, so that it cannot have changed since it was looked up.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from ordermill.kit.pages import Page
from ordermill.kit.text import email_key
from ordermill.orders.model import PaymentState, Status
from ordermill.orders.ports import OrderFilter, Place, Seen
from ordermill.storage.database import Database
from ordermill.storage.order_json import Dialect, PostgresJson, SqliteJson, order_json
from ordermill.storage.types import moment_of, text_of

# What a user sees: `orders.ports.OrderReader`.
_SEEN: Final = "v.is_active AND v.erased_at IS NULL AND (v.email_verified_at IS NOT NULL OR o.placed_by_customer)"
_CUSTOMER: Final = "(SELECT id FROM users WHERE email_key = {})"


class SqlOrderReader:
    """Reads orders without making objects of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def one(self, id: UUID, *, viewer: int | None) -> Seen | None:
        asked = _Asked(embedded=self._database.embedded)
        asked.require("o.id = {}", id)
        asked.seen_by(viewer)
        rows = await self._database.ask(*asked.statement(limit=1))
        return _seen(rows[0]) if rows else None

    async def page(self, wanted: OrderFilter, *, viewer: int | None, limit: int, behind: Place | None = None) -> Page[Seen]:
        asked = _Asked(embedded=self._database.embedded)
        asked.seen_by(viewer)
        asked.matching(wanted)
        if wanted.channel is not None:
            channel = await self._channel(wanted.channel)
            if channel is None:
                return Page([])
            asked.require(f"o.channel_id = {channel}")
        if behind is not None:
            asked.require("(o.placed_at, o.id) < ({}, {})", behind.placed_at, behind.id)
        rows = await self._database.ask(*asked.statement(limit=limit + 1))
        return Page.cut([_seen(row) for row in rows], limit=limit)

    async def _channel(self, name: str) -> int | None:
        mark = "?1" if self._database.embedded else "$1"
        rows = await self._database.ask(f"SELECT id FROM channels WHERE name = {mark}", [name])  # noqa: S608  # a parameter
        return rows[0][0] if rows else None


class _Asked:
    """One question's statement as it grows: its text is the same for the same kind of question, so that it is planned once."""

    def __init__(self, *, embedded: bool) -> None:
        self._embedded = embedded
        self._conditions: list[str] = []
        self._parameters: list[Any] = []
        self._viewed = False

    def require(self, condition: str, *values: Any) -> None:
        marks = [self._mark(value) for value in values]
        self._conditions.append(condition.format(*marks))

    def seen_by(self, viewer: int | None) -> None:
        if viewer is not None:
            self._viewed = True
            self.require(f"v.id = {{}} AND {_SEEN}", viewer)

    def matching(self, wanted: OrderFilter) -> None:
        """
        Add all conditions but that of the channel.

        Words of few values stand in the text, as the channel's id does: PostgreSQL plans a parameter for the average value,
        and would then look for ten unpaid orders among a million paid ones, newest first.
        """
        if wanted.status is not None:
            self.require(f"o.status = '{Status(wanted.status)}'")
        if wanted.payment is not None:
            self.require(f"o.payment = '{PaymentState(wanted.payment)}'")
        for condition, value in (
            ("o.number = {}", wanted.number),
            (f"o.user_id = {_CUSTOMER}", None if wanted.customer is None else email_key(wanted.customer)),
            ("o.placed_at >= {}", wanted.placed_from),
            ("o.placed_at < {}", wanted.placed_to),
        ):
            if value is not None:
                self.require(condition, value)

    def statement(self, *, limit: int) -> tuple[str, Sequence[Any]]:
        mark = self._mark(limit)
        viewed = " JOIN users v ON v.id = o.user_id" if self._viewed else ""
        conditions = f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""
        return _statement(self._embedded, f"{viewed}{conditions}", mark), self._parameters

    def _mark(self, value: Any) -> str:
        self._parameters.append(_as_stored(value) if self._embedded else value)
        return f"{'?' if self._embedded else '$'}{len(self._parameters)}"


# Each has 5 kB; there are as many as there are kinds of questions that people ask.
@lru_cache(maxsize=256)
def _statement(embedded: bool, which: str, limit: str) -> str:  # noqa: FBT001  # a cache takes no names
    sql: Dialect = SqliteJson() if embedded else PostgresJson()
    newest = "ORDER BY {0}.placed_at DESC, {0}.id DESC".format
    # Its parts are words of this module; values are parameters.
    page = f"SELECT o.*, {sql.unit} AS unit FROM orders o{which} {newest('o')} LIMIT {limit}"  # noqa: S608  # see above
    named = "JOIN channels c ON c.id = p.channel_id LEFT JOIN users u ON u.id = p.user_id"
    return f"SELECT {order_json(sql)}, p.version, p.placed_at, p.id FROM ({page}) p {named} {newest('p')}"  # noqa: S608  # see above


def _as_stored(value: Any) -> Any:
    """Return a value as Django writes it into SQLite."""
    if isinstance(value, UUID):
        return value.hex
    return text_of(value) if isinstance(value, datetime) else value


def _seen(row: Sequence[Any]) -> Seen:
    text, version, placed_at, id = row
    if isinstance(id, str):
        placed_at, id = moment_of(placed_at), UUID(id)
    return Seen(text.encode(), version, Place(placed_at, id))
