"""
A person forgotten in SQL: the statements of one transaction, in the order in which locks are safe to take.

One transaction however many the orders are, since a person who is half erased is worse than one who waits: each table is
one statement over an index. The account's row is locked before its orders are looked for, so that an order that is being
placed at this moment is among them, or finds the account closed.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    case,
    cast,
    collate,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    update,
)

from ordermill.accounts.changes import UserNotFound
from ordermill.accounts.principal import actor_of
from ordermill.imports.model import Reject, Tally
from ordermill.privacy.mentions import addresses_in, fragment
from ordermill.privacy.model import NAME, PERSONAL, Erased, Erasure, forgotten, texts_of, without_examples
from ordermill.storage.erased import keep_imports_waiting, remember
from ordermill.storage.repositories.api_keys import revoke_made_by
from ordermill.storage.repositories.users import leave_staff
from ordermill.storage.tables import (
    EventRow,
    IdempotencyRow,
    ImportRow,
    OneTimeTokenRow,
    OrderRow,
    RejectRow,
    SessionRow,
    UserRow,
)

_AT_ONCE: Final = 500


def erase(connection: Connection, erasure: Erasure) -> Erased:
    """Forget a person; `privacy.ports.PersonStore.erase`."""
    keep_imports_waiting(connection)
    email_key = _closed(connection, erasure)
    # While the orders still name their buyer: rejects are found by them, too.
    rejects = _blank_rejects(connection, erasure, email_key)
    orders = _blank_orders(connection, erasure)
    _delete_answers(connection, erasure, email_key)
    for row in (SessionRow, OneTimeTokenRow):
        connection.execute(delete(row).where(row.user_id == erasure.user_id))
    revoke_made_by(connection, actor_of(erasure.user_id), at=erasure.at)
    remember(connection, email_key, new_key=erasure.new_key, at=erasure.at)
    event = {"id": erasure.event_id, "type": "user.erased", "at": erasure.at, "actor": erasure.actor}
    connection.execute(insert(EventRow).values(**event, user_id=erasure.user_id, data={"orders": orders}))
    return Erased(user_id=erasure.user_id, orders=orders, rejects=rejects)


def _closed(connection: Connection, erasure: Erasure) -> str:
    """
    Lock an account and blank it; return the address it had.

    Raises:
        UserNotFound: there is no such account, or it was erased.
        LastStaff: nobody else may use the back office.
    """
    living = (UserRow.id == erasure.user_id, UserRow.erased_at.is_(None))
    found = connection.execute(select(UserRow.email_key, UserRow.is_staff, UserRow.is_active).where(*living)).first()
    if found is None:
        raise UserNotFound
    if found.is_staff and found.is_active:
        leave_staff(connection, erasure.user_id)
    account = connection.execute(select(UserRow.email_key, UserRow.version).where(*living).with_for_update()).first()
    if account is None:
        raise UserNotFound
    blank = {"email": erasure.placeholder, "email_key": erasure.placeholder, "name": NAME, "password": None}
    closed = {"is_active": False, "is_staff": False, "email_verified_at": None, "erased_at": erasure.at}
    of_user = update(UserRow).where(UserRow.id == erasure.user_id)
    connection.execute(of_user.values(**blank, **closed, version=account.version + 1))
    email_key: str = account.email_key
    return email_key


def _blank_orders(connection: Connection, erasure: Erasure) -> int:
    nothing: dict[str, Any] = dict.fromkeys(PERSONAL, null())
    # Where an import left it, it still is as the import left it: an undo may take it back.
    left = case((OrderRow.imported_version == OrderRow.version, OrderRow.version + 1), else_=OrderRow.imported_version)
    mine = update(OrderRow).where(OrderRow.user_id == erasure.user_id)
    moved_on = {"version": OrderRow.version + 1, "imported_version": left, "updated_at": erasure.at}
    orders = connection.execute(mine.values(**nothing, **moved_on)).rowcount
    if connection.dialect.name == "sqlite":
        places = ", ".join(f"'$.orders[0].{name}', NULL" for name in PERSONAL)
        blanked = f"json_replace(previous, {places})"
    else:
        empty = json.dumps(dict.fromkeys(PERSONAL))
        blanked = f"jsonb_set(previous, '{{orders,0}}', (previous #> '{{orders,0}}') || CAST('{empty}' AS jsonb))"
    statement = (
        f"UPDATE order_versions SET previous = {blanked} "  # noqa: S608  # names are ours
        "WHERE user_id = :user OR order_id IN (SELECT id FROM orders WHERE user_id = :user)"
    )
    connection.execute(text(statement), {"user": erasure.user_id})
    return orders


def _blank_rejects(connection: Connection, erasure: Erasure, email_key: str) -> int:
    found = [row for row in _suspects(connection, erasure.user_id, email_key) if _is_about(row, email_key)]
    nothing = forgotten(_reject(found[0])) if found else None
    for some in _slices([row.id for row in found]):
        blank = update(RejectRow).where(RejectRow.id.in_(some))
        connection.execute(blank.values(lines=null(), value=null(), message=nothing and nothing.message))
    for run in sorted({row.import_id for row in found}):
        _blank_examples(connection, run, {(row.line, row.code) for row in found if row.import_id == run})
    return len(found)


def _suspects(connection: Connection, user_id: int, email_key: str) -> Sequence[Any]:
    """Return the rejects that may be about a person: that hold the address, or have the number of one of the orders."""
    part = fragment(email_key)
    lines: ColumnElement[Any] = cast(RejectRow.lines, String)
    if connection.dialect.name != "sqlite":
        lines = func.convert_from(RejectRow.lines, "UTF8", type_=String())
    number = exists().where(
        ImportRow.id == RejectRow.import_id,
        OrderRow.channel_id == ImportRow.channel_id,
        OrderRow.number == RejectRow.number,
        OrderRow.user_id == user_id,
    )
    texts = (lines, RejectRow.value)
    query = select(*RejectRow.__table__.c, number.label("same_number"))
    held = or_(*(_holds(connection, words, part) for words in texts))
    return connection.execute(query.where(RejectRow.lines.is_not(None), or_(held, number))).all()


def _is_about(row: Any, email_key: str) -> bool:
    """Whether a reject is about the person: it holds the address, or the number of an order and nobody else's address."""
    mentioned = addresses_in(texts_of(_reject(row)))
    return email_key in mentioned or (row.same_number and not mentioned)


def _reject(row: Any) -> Reject:
    lines = tuple((line, raw) for line, raw in json.loads(row.lines))
    return Reject(row.line, row.number, row.field, row.value, row.code, row.message, lines)


def _blank_examples(connection: Connection, run: UUID, rejects: set[tuple[int, str]]) -> None:
    """Blank what a run's report shows of rejects; the figures stay."""
    own = select(ImportRow.tally).where(ImportRow.id == run).with_for_update()
    tally = without_examples(Tally.from_json(connection.execute(own).scalar_one()), rejects)
    connection.execute(update(ImportRow).where(ImportRow.id == run).values(tally=tally.as_json()))


def _delete_answers(connection: Connection, erasure: Erasure, email_key: str) -> None:
    """Delete the answers that were kept for the person, and those with the person's orders that others were given."""
    table = IdempotencyRow
    own = table.principal == actor_of(erasure.user_id)
    connection.execute(delete(table).where(own))
    suspects = select(table.principal, table.route, table.key, table.answer).where(
        _holds(connection, table.answer, fragment(email_key))
    )
    for row in connection.execute(suspects).all():
        if email_key in addresses_in([row.answer]):
            same = and_(table.principal == row.principal, table.route == row.route, table.key == row.key)
            connection.execute(delete(table).where(same))


def _holds(connection: Connection, words: Any, part: str) -> ColumnElement[bool]:
    """Whether a text holds a part in lower case, by the letters of ASCII whatever the database's language is."""
    if connection.dialect.name == "sqlite":
        return func.instr(func.lower(words), literal(part)) > 0
    return func.strpos(func.lower(collate(words, "C")), literal(part)) > 0


def _slices(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))
