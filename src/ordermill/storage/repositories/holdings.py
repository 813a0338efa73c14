"""What placed orders hold, in SQL: given back by cancelling. What placing takes: storage/placing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from ordermill.storage.gathering import Store, Told
from ordermill.storage.tables import DiscountRow, MovementRow, ProductRow, UseRow


class SqlHoldings:
    """`orders.ports.Holdings`."""

    def __init__(self, store: Store[Connection], told: Told[Connection]) -> None:
        self._store = store
        self._told = told

    async def release(self, order_id: UUID, *, actor: str, at: datetime) -> None:
        def give_back(connection: Connection) -> None:
            _end_use(connection, order_id)
            _return_stock(connection, order_id, actor=actor, at=at)

        self._told.change(give_back)


def _end_use(connection: Connection, order: UUID) -> None:
    # Whoever deletes the row is the one who counts it down.
    ended = connection.execute(delete(UseRow).where(UseRow.order_id == order).returning(UseRow.discount_id)).scalar()
    if ended is not None:
        connection.execute(update(DiscountRow).where(DiscountRow.id == ended).values(uses=DiscountRow.uses - 1))


def _return_stock(connection: Connection, order: UUID, *, actor: str, at: datetime) -> None:
    # In the order of the products, as placing takes them, and locked: whether stock is tracked may not change until it is back.
    taken = (
        select(MovementRow.product_id, -MovementRow.change)
        .join_from(MovementRow, ProductRow, ProductRow.id == MovementRow.product_id)
        .where(MovementRow.order_id == order, MovementRow.kind == "order", ProductRow.stock.is_not(None))
        .order_by(ProductRow.id)
        .with_for_update(of=ProductRow, key_share=True)
    )
    for product, quantity in connection.execute(taken).all():
        connection.execute(update(ProductRow).where(ProductRow.id == product).values(stock=ProductRow.stock + quantity))
        movement = {"product_id": product, "change": quantity, "kind": "cancel", "order_id": order}
        connection.execute(insert(MovementRow).values(**movement, actor=actor, at=at))
