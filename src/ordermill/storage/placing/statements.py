"""
The two statements that place an order in PostgreSQL: what they mean together is said in `postgres`.

Each takes its parameters by name (":name"), which become the driver's numbers here.
"""

import re
from typing import Final, NamedTuple

_NAMED: Final = re.compile(r"(?<!:):([a-z_]+)")


class Statement(NamedTuple):
    """A statement as the driver takes it, and which values it wants in which order."""

    text: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, named: str) -> "Statement":
        names = tuple(dict.fromkeys(_NAMED.findall(named)))
        return cls(_NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", named), names)


LOOK: Final = Statement.of("""
SELECT
    (SELECT json_agg(p)::text FROM (
        SELECT id, sku, name, price, currency, stock, is_active, created_at, version
        FROM products WHERE id = ANY (:products::bigint[])
    ) p) AS products,
    u.id AS user_id, u.email, u.is_active AND u.erased_at IS NULL AS may_order,
    CASE WHEN :reserve::boolean AND u.id IS NULL THEN nextval(pg_get_serial_sequence('users', 'id')) END AS next_user,
    row_to_json(d)::text AS discount,
    CASE WHEN d.max_uses_per_customer IS NOT NULL THEN (
        SELECT count(*) FROM discount_uses t WHERE t.discount_id = d.id AND t.user_id = u.id
    ) ELSE 0 END AS used,
    (SELECT id FROM channels WHERE name = :channel::text) AS channel_id,
    k.fingerprint, k.answer
FROM (SELECT) AS nothing
LEFT JOIN users u ON u.id = :user_id::bigint OR (u.email_key = :email_key::text AND u.erased_at IS NULL)
LEFT JOIN discounts d ON d.code = :discount_code::text
LEFT JOIN idempotency_keys k ON k.principal = :principal::text AND k.route = :route::text AND k.key = :key::text
""")

# The last SELECT asks for the parts in the order in which they take their locks.
WRITE: Final = Statement.of("""
WITH kept AS (
    INSERT INTO idempotency_keys (principal, route, key, fingerprint, answer, created_at)
    SELECT :principal::text, :route::text, :key::text, :fingerprint::text, :body::text, :at::timestamptz
    WHERE :key::text IS NOT NULL
    RETURNING 1
), used AS (
    UPDATE discounts SET uses = uses + 1
    WHERE id = :discount_id::bigint AND version = :discount_version::integer AND (max_uses IS NULL OR uses < max_uses)
        AND (max_uses_per_customer IS NULL OR max_uses_per_customer > (
            SELECT count(*) FROM discount_uses WHERE discount_id = :discount_id::bigint AND user_id = :user_id::bigint))
    RETURNING id
), applied AS (
    INSERT INTO discount_uses (order_id, discount_id, user_id, at)
    SELECT :order_id::uuid, (SELECT id FROM used), :user_id::bigint, :at::timestamptz
    WHERE :discount_id::bigint IS NOT NULL
    RETURNING 1
), locked AS MATERIALIZED (
    SELECT id FROM products WHERE id = ANY (:products::bigint[]) AND stock IS NOT NULL ORDER BY id FOR NO KEY UPDATE
), taken AS (
    UPDATE products p SET stock = p.stock - wanted.quantity
    FROM locked JOIN unnest(:products::bigint[], :quantities::bigint[]) AS wanted (id, quantity) ON wanted.id = locked.id
    WHERE p.id = locked.id
    RETURNING p.id, wanted.quantity
), moved AS (
    INSERT INTO stock_movements (product_id, change, kind, order_id, actor, at)
    SELECT id, -quantity, 'order', :order_id::uuid, :actor::text, :at::timestamptz FROM taken
    RETURNING 1
), buyer AS (
    SELECT id FROM users
    WHERE id = :user_id::bigint AND erased_at IS NULL AND (is_active OR NOT :placed_by_customer::boolean)
    FOR SHARE
), newcomer AS (
    INSERT INTO users (id, email, email_key, name, is_active, is_staff, created_at, version)
    SELECT :user_id::bigint, :email::text, :email_key::text, :name::text, true, false, :at::timestamptz, 1
    WHERE :email::text IS NOT NULL
    RETURNING id
), placed AS (
    INSERT INTO orders (
        id, channel_id, number, status, payment, currency, user_id, subtotal, discount, discount_code, shipping, tax,
        tax_included, total, paid, refunded, shipping_address, billing_address, note, placed_by_customer, placed_at,
        updated_at, version, status_set_here
    )
    SELECT
        :order_id::uuid, :channel_id::bigint, :number::text, :status::text, :payment::text, :currency::text, :user_id::bigint,
        :subtotal::bigint, :discount::bigint, :discount_code::text, :shipping::bigint, :tax::bigint, 0, :total::bigint, 0, 0,
        :shipping_address::text::jsonb, :billing_address::text::jsonb, :note::text, :placed_by_customer::boolean,
        :at::timestamptz, :at::timestamptz, 1, false
    WHERE :user_id::bigint IS NULL OR EXISTS (SELECT FROM buyer) OR EXISTS (SELECT FROM newcomer)
    RETURNING 1
), listed AS (
    INSERT INTO order_items (order_id, position, product_id, sku, name, quantity, unit_price, price_scale, total, discount)
    SELECT :order_id::uuid, position, product_id, sku, name, quantity, unit_price, :price_scale::integer, total, discount
    FROM unnest(
        :products::bigint[], :skus::text[], :names::text[], :quantities::bigint[], :unit_prices::bigint[], :totals::bigint[],
        :discounts::bigint[]
    ) WITH ORDINALITY AS item (product_id, sku, name, quantity, unit_price, total, discount, position)
    RETURNING 1
), told AS (
    INSERT INTO events (id, type, at, actor, order_id, sequence, data)
    VALUES (:event_id::uuid, :event_type::text, :at::timestamptz, :actor::text, :order_id::uuid, 1, :event_data::text::jsonb)
    RETURNING 1
), counted AS (
    INSERT INTO statistics_hours (hour, currency, stripe, count, total, refunded)
    SELECT hour, :currency::text, :stripe::smallint, count, total, 0
    FROM unnest(:hours::timestamptz[], :counts::bigint[], :sums::bigint[]) AS moved (hour, count, total)
    ON CONFLICT (hour, currency, stripe) DO UPDATE
    SET count = statistics_hours.count + excluded.count, total = statistics_hours.total + excluded.total
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM kept), (SELECT count(*) FROM applied), (SELECT count(*) FROM moved), (SELECT count(*) FROM placed),
    (SELECT count(*) FROM listed), (SELECT count(*) FROM told), (SELECT count(*) FROM counted)
""")

LOCK_DISCOUNT: Final = "SELECT FROM discounts WHERE id = $1 FOR UPDATE"
# Changes nothing where the channel has come into being meanwhile; only so is its id returned.
CHANNEL: Final = """
INSERT INTO channels (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id
"""
FORGET: Final = """
WITH old AS (
    SELECT principal, route, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM idempotency_keys k USING old
    WHERE k.principal = old.principal AND k.route = old.route AND k.key = old.key
    RETURNING 1
)
SELECT count(*) FROM gone
"""
