"""A whole book as plain values, so that two books can be compared; ids and stamps that differ from run to run left out."""

from typing import Any

from sqlalchemy import text

from ordermill.bootstrap import connect
from ordermill.config import DatabaseUrl

# What must be equal however often a run was interrupted. Items and events by their order's number, users by their address.
QUERIES = {
    "orders": (
        "SELECT c.name, o.number, o.external_id, o.status, o.payment, o.currency, u.email_key, o.subtotal, "
        "o.discount, o.shipping, o.tax, o.total, o.source_total, o.paid, o.refunded, o.fingerprint, o.version FROM orders o "
        "JOIN channels c ON c.id = o.channel_id LEFT JOIN users u ON u.id = o.user_id ORDER BY c.name, o.number"
    ),
    "items": (
        "SELECT o.number, i.position, i.sku, i.name, i.quantity, i.unit_price, i.total, i.discount FROM order_items i "
        "JOIN orders o ON o.id = i.order_id ORDER BY o.number, i.position"
    ),
    "users": "SELECT email_key, email, name, is_active FROM users ORDER BY email_key",
    "money": "SELECT 'p', o.number, p.amount FROM payments p JOIN orders o ON o.id = p.order_id "
    "UNION ALL SELECT 'r', o.number, r.amount FROM refunds r JOIN orders o ON o.id = r.order_id ORDER BY 1, 2, 3",
    "events": "SELECT type, count(*) FROM events WHERE order_id IS NOT NULL GROUP BY type ORDER BY type",
    "hours": "SELECT hour, currency, sum(count), sum(total), sum(refunded) FROM statistics_hours GROUP BY 1, 2 ORDER BY 1, 2",
    "rejects": "SELECT position, line, number, field, value, code, message FROM import_rejects ORDER BY import_id, position",
    "imports": "SELECT state, checkpoint, file_name, channel_id FROM imports WHERE size > 100 ORDER BY id",
}


async def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every table's rows that must not depend on how the run went."""
    database = connect(DatabaseUrl(url))
    try:
        return await database.read(
            lambda connection: {
                name: [tuple(row) for row in connection.execute(text(query))] for name, query in QUERIES.items()
            }
        )
    finally:
        await database.close()


async def tally(url: str) -> Any:
    """Return the counts of the import of the largest file."""
    database = connect(DatabaseUrl(url))
    try:
        return await database.read(
            lambda connection: connection.execute(text("SELECT tally FROM imports ORDER BY size DESC LIMIT 1")).scalar_one()
        )
    finally:
        await database.close()
