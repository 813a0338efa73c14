"""
The ceiling: FastAPI, asyncpg and one statement a request, nothing else. PostgreSQL only.

No sign-in, no validation, no pricing, no refusals: the customer is a constant, the body goes to the database as it came. The
rows that are written and the answers are those of the real server. `DATABASE_URL` and `CUSTOMER` come from the environment.
"""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
from fastapi import FastAPI, Request, Response

CUSTOMER: Final = int(os.environ["CUSTOMER"])

_SHAPE: Final = """
json_build_object(
    'id', o.id, 'number', o.number, 'channel', c.name, 'external_id', o.external_id, 'status', o.status, 'payment', o.payment,
    'currency', o.currency, 'customer_id', o.user_id, 'customer_email', u.email,
    'items', (
        SELECT json_agg(json_build_object(
            'product_id', i.product_id, 'sku', i.sku, 'name', i.name, 'quantity', i.quantity,
            'unit_price', round(i.unit_price / 10000.0, 2)::text, 'discount', round(i.discount / 100.0, 2)::text,
            'total', round(i.total / 100.0, 2)::text) ORDER BY i.position)
        FROM order_items i WHERE i.order_id = o.id),
    'subtotal', round(o.subtotal / 100.0, 2)::text, 'discount', round(o.discount / 100.0, 2)::text,
    'discount_code', o.discount_code, 'shipping', round(o.shipping / 100.0, 2)::text, 'tax', round(o.tax / 100.0, 2)::text,
    'tax_included', round(o.tax_included / 100.0, 2)::text, 'total', round(o.total / 100.0, 2)::text,
    'paid', round(o.paid / 100.0, 2)::text, 'refunded', round(o.refunded / 100.0, 2)::text,
    'source_total', round(o.source_total / 100.0, 2)::text, 'shipping_address', o.shipping_address,
    'billing_address', o.billing_address, 'carrier', o.carrier, 'tracking_number', o.tracking_number, 'note', o.note,
    'placed_at', o.placed_at, 'updated_at', o.updated_at, 'version', o.version)
"""

_GET: Final = f"""
SELECT {_SHAPE}::text FROM orders o JOIN channels c ON c.id = o.channel_id LEFT JOIN users u ON u.id = o.user_id
WHERE o.id = $1 AND o.user_id = $2
"""

_LIST: Final = f"""
SELECT json_build_object('data', json_agg(shape), 'has_more', true)::text FROM (
    SELECT {_SHAPE} AS shape FROM orders o JOIN channels c ON c.id = o.channel_id LEFT JOIN users u ON u.id = o.user_id
    WHERE o.user_id = $1 ORDER BY o.placed_at DESC, o.id DESC LIMIT $2) page
"""

_PLACE: Final = """
WITH said AS (
    SELECT position, (item ->> 'product_id')::bigint AS product_id, (item ->> 'quantity')::bigint AS quantity
    FROM jsonb_array_elements($2::jsonb -> 'items') WITH ORDINALITY AS each (item, position)
), locked AS (
    SELECT id FROM products WHERE id IN (SELECT product_id FROM said) ORDER BY id FOR NO KEY UPDATE
), taken AS (
    UPDATE products p SET stock = p.stock - s.quantity FROM said s JOIN locked l ON l.id = s.product_id
    WHERE p.id = s.product_id AND p.stock >= s.quantity
    RETURNING p.id, p.sku, p.name, p.price, s.quantity, s.position, p.price * s.quantity AS total
), placed AS (
    INSERT INTO orders (id, channel_id, number, status, payment, currency, user_id, subtotal, discount, shipping, tax,
        tax_included, total, paid, refunded, shipping_address, billing_address, placed_at, updated_at, version,
        status_set_here, placed_by_customer)
    SELECT $1, c.id, $3, 'pending', 'unpaid', 'EUR', $4, t.total, 0, 0, 0, 0, t.total, 0, 0, $2::jsonb -> 'shipping_address',
        $2::jsonb -> 'shipping_address', now(), now(), 1, false, true
    FROM channels c, (SELECT sum(total)::bigint AS total FROM taken) t WHERE c.name = 'api'
    RETURNING *
), items AS (
    INSERT INTO order_items (order_id, position, product_id, sku, name, quantity, unit_price, price_scale, total, discount)
    SELECT $1, position, id, sku, name, quantity, price * 100, 100, total, 0 FROM taken
), movements AS (
    INSERT INTO stock_movements (product_id, change, kind, order_id, actor, at)
    SELECT id, -quantity, 'order', $1, 'user:' || $4, now() FROM taken
), told AS (
    INSERT INTO events (id, type, at, actor, order_id, sequence, data)
    VALUES ($5, 'order.placed', now(), 'user:' || $4, $1, 1, '{}')
), counted AS (
    INSERT INTO statistics_hours (hour, currency, stripe, count, total, refunded)
    SELECT date_trunc('hour', now()), 'EUR', $7, 1, total, 0 FROM placed
    ON CONFLICT (hour, currency, stripe) DO UPDATE
    SET count = statistics_hours.count + 1, total = statistics_hours.total + excluded.total
), shaped AS (
    SELECT json_build_object('id', o.id, 'number', o.number, 'channel', 'api', 'status', o.status, 'payment', o.payment,
        'currency', o.currency, 'customer_id', o.user_id,
        'items', (SELECT json_agg(json_build_object('product_id', t.id, 'sku', t.sku, 'name', t.name, 'quantity', t.quantity,
            'unit_price', round(t.price / 100.0, 2)::text, 'discount', '0.00', 'total', round(t.total / 100.0, 2)::text)
            ORDER BY t.position) FROM taken t),
        'subtotal', round(o.subtotal / 100.0, 2)::text, 'total', round(o.total / 100.0, 2)::text,
        'shipping_address', o.shipping_address, 'billing_address', o.billing_address, 'placed_at', o.placed_at, 'version', 1
    )::text AS answer FROM placed o
)
INSERT INTO idempotency_keys (principal, route, key, fingerprint, answer, created_at)
SELECT 'user:' || $4, 'POST /orders', $6, repeat('0', 64), answer, now() FROM shaped RETURNING answer
"""


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_life)


@app.post("/orders")
async def place(request: Request) -> Response:
    body = (await request.body()).decode()
    key = request.headers["idempotency-key"]
    stripe = secrets.randbelow(7) + 1
    answer = await _ask(_PLACE, uuid4(), body, secrets.token_hex(5), CUSTOMER, uuid4(), key, stripe)
    return Response(answer, 201, media_type="application/json")


@app.get("/orders/{id}")
async def get(id: UUID) -> Response:
    return Response(await _ask(_GET, id, CUSTOMER), media_type="application/json")


@app.get("/orders")
async def newest(limit: int = 50) -> Response:
    return Response(await _ask(_LIST, CUSTOMER, limit), media_type="application/json")


async def _ask(statement: str, *parameters: Any) -> str:
    answer: str = await app.state.pool.fetchval(statement, *parameters)
    return answer
