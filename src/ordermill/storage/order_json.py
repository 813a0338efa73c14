"""
The JSON of an order built where its rows lie, in one statement, byte for byte what `orders.shape` gives.

No object is built of an order that is only passed on: that is what makes reading one several times as fast.
Both databases have a function that fills a template; they differ in how a value becomes its text.

Not here: which orders (reading).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Protocol

from ordermill.kit.money import EXPONENTS
from ordermill.orders.model import Address

_AMOUNTS_BEFORE: Final = ("subtotal", "discount")
_AMOUNTS_BEHIND: Final = ("shipping", "tax", "tax_included", "total", "paid", "refunded")
_ADDRESS: Final = tuple(field.name for field in fields(Address))


class Dialect(Protocol):
    """How one database writes values as JSON. `p` is a row of `orders` with its currency's `unit` beside it, `i` an item."""

    template: str  # the function that fills a template
    unit: str  # what amounts need to become text, of the order `o`; asked once an order

    def text(self, column: str) -> str:
        """Return a JSON string, or null."""

    def identity(self, column: str) -> str:
        """Return a UUID without its quotation marks."""

    def amount(self, column: str) -> str:
        """Return an amount without its quotation marks."""

    def unit_price(self, column: str) -> str: ...

    def moment(self, column: str) -> str: ...

    def part(self, address: str, name: str) -> str:
        """Return a member of a stored address as JSON."""

    def together(self, item: str) -> str:
        """Return the items of `p`, separated by commas, first ones first."""


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    hole: str
    value: str


def order_json(sql: Dialect) -> str:
    """Return the expression for the order `p`, of the channel `c`, of the buyer `u`."""
    members = (
        _Member("id", '"%s"', sql.identity("p.id")),
        _Member("number", "%s", sql.text("p.number")),
        _Member("channel", "%s", sql.text("c.name")),
        _Member("external_id", "%s", sql.text("p.external_id")),
        _Member("status", '"%s"', "p.status"),
        _Member("payment", '"%s"', "p.payment"),
        _Member("currency", '"%s"', "p.currency"),
        _Member("customer_id", "%s", "coalesce(CAST(p.user_id AS text), 'null')"),
        _Member("customer_email", "%s", sql.text("u.email")),
        _Member("items", "[%s]", f"coalesce({sql.together(_item(sql))}, '')"),
        *(_amount(sql, name) for name in _AMOUNTS_BEFORE),
        _Member("discount_code", "%s", sql.text("p.discount_code")),
        *(_amount(sql, name) for name in _AMOUNTS_BEHIND),
        _Member("source_total", "%s", _or_null("p.source_total", f"'\"' || {sql.amount('p.source_total')} || '\"'")),
        *(_Member(name, "%s", _address(sql, f"p.{name}")) for name in ("shipping_address", "billing_address")),
        *(_Member(name, "%s", sql.text(f"p.{name}")) for name in ("carrier", "tracking_number", "note")),
        *(_Member(name, '"%s"', sql.moment(f"p.{name}")) for name in ("placed_at", "updated_at")),
        _Member("version", "%s", "p.version"),
    )
    return _filled(sql, members)


def _item(sql: Dialect) -> str:
    members = (
        _Member("product_id", "%s", "coalesce(CAST(i.product_id AS text), 'null')"),
        _Member("sku", "%s", sql.text("i.sku")),
        _Member("name", "%s", sql.text("i.name")),
        _Member("quantity", "%s", "i.quantity"),
        _Member("unit_price", '"%s"', sql.unit_price("i.unit_price")),
        _Member("discount", '"%s"', sql.amount("i.discount")),
        _Member("total", '"%s"', sql.amount("i.total")),
    )
    return _filled(sql, members)


def _amount(sql: Dialect, name: str) -> _Member:
    return _Member(name, '"%s"', sql.amount(f"p.{name}"))


def _address(sql: Dialect, column: str) -> str:
    members = [_Member(name, "%s", sql.part(column, name)) for name in _ADDRESS]
    return _or_null(column, _filled(sql, members))


def _or_null(column: str, value: str) -> str:
    return f"CASE WHEN {column} IS NULL THEN 'null' ELSE {value} END"


def _filled(sql: Dialect, members: Sequence[_Member]) -> str:
    template = ",".join(f'"{member.name}":{member.hole}' for member in members)
    return f"{sql.template}('{{{template}}}', {', '.join(member.value for member in members)})"


def _currencies(exponent: int) -> str:
    return ", ".join(f"'{code}'" for code, decimals in EXPONENTS.items() if decimals == exponent)


class PostgresJson:
    """Amounts are numerics, whose text has as many decimals as the factor they were multiplied with."""

    template = "format"
    unit = (
        f"CASE WHEN o.currency IN ({_currencies(0)}) THEN 1::numeric "
        f"WHEN o.currency IN ({_currencies(3)}) THEN 0.001 ELSE 0.01 END"
    )

    def text(self, column: str) -> str:
        return f"coalesce(to_json({column})::text, 'null')"

    def identity(self, column: str) -> str:
        return column

    def amount(self, column: str) -> str:
        return f"({column} * p.unit)"

    def unit_price(self, column: str) -> str:
        return f"round({column} * 0.0001, greatest(scale(p.unit), min_scale({column} * 0.0001)))"

    def moment(self, column: str) -> str:
        # A fraction is written with all its digits or not at all, as Python does.
        utc, second = f"{column} AT TIME ZONE 'UTC'", 'YYYY-MM-DD"T"HH24:MI:SS'
        return (
            f"CASE WHEN date_trunc('second', {column}) = {column} "
            f"THEN to_char({utc}, '{second}\"Z\"') ELSE to_char({utc}, '{second}.US\"Z\"') END"
        )

    def part(self, address: str, name: str) -> str:
        return f"coalesce(({address} -> '{name}')::text, 'null')"

    def together(self, item: str) -> str:
        return f"(SELECT string_agg({item}, ',' ORDER BY i.position) FROM order_items i WHERE i.order_id = p.id)"  # noqa: S608  # our own words


class SqliteJson:
    """Amounts are cut into whole and decimals; moments and UUIDs are texts as Django writes them."""

    template = "printf"
    unit = f"CASE WHEN o.currency IN ({_currencies(0)}) THEN 0 WHEN o.currency IN ({_currencies(3)}) THEN 3 ELSE 2 END"

    def text(self, column: str) -> str:
        return f"json_quote({column})"

    def identity(self, column: str) -> str:
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(f"substr({column}, {start}, {length})" for start, length in parts)

    def amount(self, column: str) -> str:
        # Only a file's own total may be below 0; of all others the schema says that they are not.
        sign, size = ("", column) if column != "p.source_total" else (f"iif({column} < 0, '-', '') || ", f"abs({column})")
        return (
            f"CASE p.unit WHEN 2 THEN {sign}printf('%d.%02d', {size} / 100, {size} % 100) "
            f"WHEN 0 THEN CAST({column} AS text) ELSE {sign}printf('%d.%03d', {size} / 1000, {size} % 1000) END"
        )

    def unit_price(self, column: str) -> str:
        whole, rest = f"{column} / 10000", f"{column} % 10000"
        return (
            f"CASE WHEN p.unit = 2 AND {column} % 100 = 0 THEN printf('%d.%02d', {whole}, {rest} / 100) "
            f"WHEN p.unit = 0 AND {rest} = 0 THEN CAST({whole} AS text) "
            f"WHEN p.unit = 3 AND {column} % 10 = 0 THEN printf('%d.%03d', {whole}, {rest} / 10) "
            f"ELSE rtrim(printf('%d.%04d', {whole}, {rest}), '0') END"
        )

    def moment(self, column: str) -> str:
        return f"replace({column}, ' ', 'T') || 'Z'"

    def part(self, address: str, name: str) -> str:
        return f"json_quote(json_extract({address}, '$.{name}'))"

    def together(self, item: str) -> str:
        # The index of the position hands them over in order; no group_concat of before 3.44 can be told one.
        lines = "SELECT * FROM order_items WHERE order_id = p.id ORDER BY position"
        return f"(SELECT group_concat({item}, ',') FROM ({lines}) i)"  # noqa: S608  # our own words
