"""
What is compared with: the API's three hottest routes as the documentation of FastAPI and SQLAlchemy would write them.

Models with relationships, a session for each request, one object at a time; the rules and the tables are the same: signed-in
customer, idempotency key, stock, ledger, statistics. `DATABASE_URL` and `SECRET` come from the environment.
"""

import os
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, DateTime, ForeignKey, event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

DATABASE_URL = os.environ["DATABASE_URL"]
SECRET = os.environ["SECRET"]

engine = create_async_engine(DATABASE_URL, pool_size=10, max_overflow=0, pool_timeout=60)
new_session = async_sessionmaker(engine, expire_on_commit=False)

if engine.dialect.name == "sqlite":
    # As SQLAlchemy's documentation has it: without this, concurrent orders would oversell or be refused at once.
    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSON}  # noqa: RUF012  # as documented


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    price: Mapped[int]
    currency: Mapped[str]
    stock: Mapped[int | None]
    is_active: Mapped[bool]


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    is_active: Mapped[bool]


class Channel(Base):
    __tablename__ = "channels"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    number: Mapped[str]
    external_id: Mapped[str | None]
    status: Mapped[str]
    payment: Mapped[str]
    currency: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    subtotal: Mapped[int]
    discount: Mapped[int]
    discount_code: Mapped[str | None]
    shipping: Mapped[int]
    tax: Mapped[int]
    tax_included: Mapped[int]
    total: Mapped[int]
    paid: Mapped[int]
    refunded: Mapped[int]
    source_total: Mapped[int | None]
    shipping_address: Mapped[dict[str, Any] | None]
    billing_address: Mapped[dict[str, Any] | None]
    carrier: Mapped[str | None]
    tracking_number: Mapped[str | None]
    note: Mapped[str | None]
    placed_by_customer: Mapped[bool]
    status_set_here: Mapped[bool]
    placed_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int]
    items: Mapped[list["Item"]] = relationship(order_by="Item.position", lazy="selectin")
    user: Mapped[User | None] = relationship(lazy="selectin")
    channel: Mapped[Channel] = relationship(lazy="selectin")


class Item(Base):
    __tablename__ = "order_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    sku: Mapped[str]
    name: Mapped[str]
    quantity: Mapped[int]
    unit_price: Mapped[int]
    price_scale: Mapped[int]
    total: Mapped[int]
    discount: Mapped[int]


class Movement(Base):
    __tablename__ = "stock_movements"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    change: Mapped[int]
    kind: Mapped[str]
    order_id: Mapped[UUID | None]
    actor: Mapped[str]
    at: Mapped[datetime]


class Event(Base):
    __tablename__ = "events"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    order_id: Mapped[UUID | None]
    sequence: Mapped[int | None]
    data: Mapped[dict[str, Any]]


class Answer(Base):
    __tablename__ = "idempotency_keys"
    principal: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[str]
    created_at: Mapped[datetime]


class Hour(Base):
    __tablename__ = "statistics_hours"
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    stripe: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    total: Mapped[int]
    refunded: Mapped[int]


class ItemIn(BaseModel):
    product_id: int
    quantity: Annotated[int, Field(ge=1, le=100)]
    unit_price: Decimal


class OrderIn(BaseModel):
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=50)]
    shipping_address: dict[str, str | None]


class ItemOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    product_id: int | None
    sku: str
    name: str
    quantity: int
    unit_price: str
    discount: str
    total: str


class OrderOut(BaseModel):
    id: UUID
    number: str
    channel: str
    external_id: str | None
    status: str
    payment: str
    currency: str
    customer_id: int | None
    customer_email: str | None
    items: list[ItemOut]
    subtotal: str
    discount: str
    discount_code: str | None
    shipping: str
    tax: str
    tax_included: str
    total: str
    paid: str
    refunded: str
    source_total: str | None
    shipping_address: dict[str, Any] | None
    billing_address: dict[str, Any] | None
    carrier: str | None
    tracking_number: str | None
    note: str | None
    placed_at: datetime
    updated_at: datetime
    version: int


class Page(BaseModel):
    data: list[OrderOut]
    has_more: bool


app = FastAPI()
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(token: Annotated[str, Depends(oauth2_scheme)], session: Session) -> User:
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401, "Not signed in") from None
    user = await session.get(User, int(claims["sub"]))
    if user is None or not user.is_active:
        raise HTTPException(401, "Not signed in")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


@app.post("/orders", status_code=201)
async def place(
    draft: OrderIn, user: CurrentUser, session: Session, idempotency_key: Annotated[str, Header(max_length=255)]
) -> Response:
    await session.commit()  # the reading transaction of the sign-in
    await session.connection(execution_options={"writes": True})
    principal = f"user:{user.id}"
    known = await session.get(Answer, (principal, "POST /orders", idempotency_key))
    if known is not None:
        return Response(known.answer, 201, media_type="application/json")
    order = await _order(draft, user, session)
    session.add(order)
    now = order.placed_at
    session.add(
        Event(
            id=uuid4(), type="order.placed", at=now, actor=principal, order_id=order.id, sequence=1, data={"total": order.total}
        )
    )
    await _count(order, session)
    answer = _shape(order).model_dump_json()
    session.add(
        Answer(
            principal=principal, route="POST /orders", key=idempotency_key, fingerprint="0" * 64, answer=answer, created_at=now
        )
    )
    await session.commit()
    return Response(answer, 201, media_type="application/json")


async def _order(draft: OrderIn, user: User, session: AsyncSession) -> Order:
    now = datetime.now(UTC)
    id = uuid4()
    items = []
    for position, wanted in enumerate(sorted(draft.items, key=lambda item: item.product_id), start=1):
        product = await session.get(Product, wanted.product_id, with_for_update=True)
        if product is None or not product.is_active:
            raise HTTPException(404, "No such product")
        if product.price != wanted.unit_price * 100:
            raise HTTPException(409, "The price changed")
        if product.stock is not None:
            if product.stock < wanted.quantity:
                raise HTTPException(409, "Out of stock")
            product.stock -= wanted.quantity
            session.add(
                Movement(
                    product_id=product.id, change=-wanted.quantity, kind="order", order_id=id, actor=f"user:{user.id}", at=now
                )
            )
        total = wanted.quantity * product.price
        items.append(
            Item(
                position=position, product_id=product.id, sku=product.sku, name=product.name, quantity=wanted.quantity,
                unit_price=product.price * 100, price_scale=100, total=total, discount=0,
            )
        )  # fmt: skip
    subtotal = sum(item.total for item in items)
    channel = (await session.scalars(select(Channel).where(Channel.name == "api"))).one()
    return Order(
        id=id, channel=channel, number=secrets.token_hex(5), status="pending", payment="unpaid", currency="EUR", user=user,
        items=items, subtotal=subtotal, discount=0, shipping=0, tax=0, tax_included=0, total=subtotal, paid=0, refunded=0,
        shipping_address=draft.shipping_address, billing_address=draft.shipping_address, placed_by_customer=True,
        status_set_here=False, placed_at=now, updated_at=now, version=1,
    )  # fmt: skip


async def _count(order: Order, session: AsyncSession) -> None:
    key = (order.placed_at.replace(minute=0, second=0, microsecond=0), order.currency, secrets.randbelow(7) + 1)
    hour = await session.get(Hour, key, with_for_update=True)
    if hour is None:
        hour = Hour(hour=key[0], currency=key[1], stripe=key[2], count=0, total=0, refunded=0)
        session.add(hour)
    hour.count += 1
    hour.total += order.total


@app.get("/orders/{id}")
async def get(id: UUID, user: CurrentUser, session: Session) -> OrderOut:
    order = await session.get(Order, id)
    if order is None or order.user_id != user.id:
        raise HTTPException(404, "No such order")
    return _shape(order)


@app.get("/orders")
async def newest(user: CurrentUser, session: Session, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Page:
    query = select(Order).where(Order.user_id == user.id).order_by(Order.placed_at.desc(), Order.id.desc()).limit(limit + 1)
    orders = (await session.scalars(query)).all()
    return Page(data=[_shape(order) for order in orders[:limit]], has_more=len(orders) > limit)


def _shape(order: Order) -> OrderOut:
    amounts = ("subtotal", "discount", "shipping", "tax", "tax_included", "total", "paid", "refunded")
    plain = (
        "id",
        "number",
        "external_id",
        "status",
        "payment",
        "currency",
        "discount_code",
        "shipping_address",
        "billing_address",
    )
    more = ("carrier", "tracking_number", "note", "placed_at", "updated_at", "version")
    return OrderOut(
        **{name: getattr(order, name) for name in (*plain, *more)},
        **{name: _money(getattr(order, name)) for name in amounts},
        channel=order.channel.name,
        customer_id=order.user_id if order.user is None else order.user.id,
        customer_email=None if order.user is None else order.user.email,
        source_total=None if order.source_total is None else _money(order.source_total),
        items=[
            ItemOut(
                product_id=item.product_id, sku=item.sku, name=item.name, quantity=item.quantity,
                unit_price=_money(item.unit_price // item.price_scale), discount=_money(item.discount),
                total=_money(item.total),
            )
            for item in order.items
        ],
    )  # fmt: skip


def _money(minor: int) -> str:
    return str(Decimal(minor).scaleb(-2))
