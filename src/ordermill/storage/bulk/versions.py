"""
What an import overwrites of orders: kept as one JSON document an order, and put back when the import is undone.

The database itself writes and reads the documents, so values come back as they were, whatever each database makes of
moments and UUIDs in JSON. A document has a list of rows for each table it tells of, under the table's name.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)

from ordermill.storage.statements import upsert
from ordermill.storage.tables import ItemRow, OrderRow, PaymentRow, RefundRow, VersionRow
from ordermill.storage.types import Instant

# What an import leaves alone, and what tells others that an order has changed: that only ever goes on.
_STAY: Final = {"id", "channel_id", "import_id", "updated_at", "version", "imported_version"}
_ORDERS, _ITEMS, _PAYMENTS, _REFUNDS = (row.__table__ for row in (OrderRow, ItemRow, PaymentRow, RefundRow))
_KEPT: Final[dict[Any, tuple[str, ...]]] = {
    _ORDERS: tuple(each.name for each in _ORDERS.c),
    _ITEMS: tuple(each.name for each in _ITEMS.c if each.name != "id"),
    _PAYMENTS: tuple(each.name for each in _PAYMENTS.c),
    _REFUNDS: tuple(each.name for each in _REFUNDS.c),
}


def keep(connection: Connection, run: UUID) -> None:
    """
    Keep the orders of the temporary table `changed_orders` as they are.

    What this very import created, or has changed before, is left out: an undo goes back behind the whole import.
    """
    changed = table("changed_orders", column("id"))
    kept = (
        select(literal(run, Uuid()), OrderRow.id, OrderRow.version, OrderRow.user_id, _document(connection))
        .join_from(changed, OrderRow, OrderRow.id == changed.c.id)
        .where(OrderRow.import_id.is_distinct_from(run))
    )
    statement = upsert(connection, VersionRow).from_select(["import_id", "order_id", "version", "user_id", "previous"], kept)
    connection.execute(statement.on_conflict_do_nothing())


def restore(connection: Connection, run: UUID, orders: Sequence[UUID], *, at: datetime) -> None:
    """Give orders back what the import `run` overwrote of them; what was paid and given back here since stays."""
    _put_back_rows(connection, run, orders, at)
    for row in (ItemRow, PaymentRow, RefundRow):
        connection.execute(delete(row).where(row.order_id.in_(orders), *_imported(row.__table__, row)))
        columns = ", ".join(_KEPT[row.__table__])
        statement = f"INSERT INTO {row.__table__.name} ({columns}) {_kept_rows(connection, row.__table__)}"
        connection.execute(_bound(statement), {"run": run, "orders": orders})
    connection.execute(delete(VersionRow).where(VersionRow.import_id == run, VersionRow.order_id.in_(orders)))


def _put_back_rows(connection: Connection, run: UUID, orders: Sequence[UUID], at: datetime) -> None:
    assigned = ", ".join(f"{name} = kept.{name}" for name in _KEPT[_ORDERS] if name not in _STAY)
    # An order that was as an earlier import had left it is so again, under the next version: numbers never come twice.
    left = "CASE WHEN kept.imported_version = kept.version THEN orders.version + 1 ELSE kept.imported_version END"
    statement = (
        f"UPDATE orders SET {assigned}, version = orders.version + 1, imported_version = {left}, updated_at = :at "  # noqa: S608  # names are ours
        f"FROM ({_kept_rows(connection, _ORDERS, 'kept.order_id AS of_order')}) kept "
        # By the id outside the document, and once more by name: else SQLite reads every document for every order of the book.
        "WHERE orders.id = kept.of_order AND orders.id IN :orders"
    )
    connection.execute(_bound(statement).bindparams(bindparam("at", at, Instant())), {"run": run, "orders": orders})


def _imported(kept: Table, columns: Any) -> list[ColumnElement[bool]]:
    """Return what holds of the rows that are an import's business: of money, what imports brought."""
    return [columns.import_id.is_not(None)] if kept in {_PAYMENTS, _REFUNDS} else []


def _document(connection: Connection) -> ColumnElement[Any]:
    embedded = connection.dialect.name == "sqlite"
    build, gather = (func.json_object, func.json_group_array) if embedded else (func.jsonb_build_object, func.jsonb_agg)

    def built(parts: dict[str, Any]) -> ColumnElement[Any]:
        return build(*chain.from_iterable((literal_column(f"'{name}'"), part) for name, part in parts.items()))

    def rows(kept: Table) -> ColumnElement[Any]:
        of_order = kept.alias()
        found = gather(built({name: of_order.c[name] for name in _KEPT[kept]}))
        own = of_order.c.id if kept is _ORDERS else of_order.c.order_id
        gathered = select(found).where(own == OrderRow.id, *_imported(kept, of_order.c))
        # A subquery's JSON is but text to SQLite until it is told, and PostgreSQL makes nothing of no rows.
        if embedded:
            return func.json(gathered.scalar_subquery())
        return func.coalesce(gathered.scalar_subquery(), literal_column("'[]'::jsonb"))

    return built({kept.name: rows(kept) for kept in _KEPT})


def _kept_rows(connection: Connection, kept: Any, *more: str) -> str:
    """Return the query for one table's rows, and `more` columns, in the documents of `:orders` that `:run` overwrote."""
    if connection.dialect.name == "sqlite":
        columns = [f"json_extract(was.value, '$.{name}') AS {name}" for name in _KEPT[kept]]
        rows = f"json_each(kept.previous, '$.{kept.name}')"
    else:
        columns = [f"was.{name}" for name in _KEPT[kept]]
        rows = f"LATERAL jsonb_populate_recordset(CAST(NULL AS {kept.name}), kept.previous -> '{kept.name}')"
    return (
        f"SELECT {', '.join([*columns, *more])} FROM order_versions kept CROSS JOIN {rows} was "  # noqa: S608  # names are ours
        "WHERE kept.import_id = :run AND kept.order_id IN :orders"
    )


def _bound(statement: str) -> Any:
    return text(statement).bindparams(bindparam("run", type_=Uuid()), bindparam("orders", type_=Uuid(), expanding=True))
