"""Which constraint a database says was violated, under its one name on both databases."""

import re
from functools import cache

import asyncpg

from ordermill.storage.tables import MODELS

_UNIQUE = re.compile(r"UNIQUE constraint failed: (?:index '(?P<index>\w+)'|(?P<columns>[\w., ]+))")
_KINDS = {
    asyncpg.UniqueViolationError: "",
    asyncpg.CheckViolationError: "check:",
    asyncpg.ForeignKeyViolationError: "foreign key:",
}
_CHECK = re.compile(r"CHECK constraint failed: (\w+)")


def violated(error: BaseException) -> str | None:
    """
    Return which constraint a driver's integrity error is about.

    A unique constraint's name as it is, another one's as `KIND:NAME`, None where the database does not say.
    """
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        kind = _KINDS.get(type(error), "other:")
        return f"{kind}{error.constraint_name or error.column_name}"
    text = str(error)
    if check := _CHECK.search(text):
        return f"check:{check[1]}"
    if unique := _UNIQUE.search(text):
        return unique["index"] or _unique_names().get(unique["columns"])
    return None


@cache
def _unique_names() -> dict[str, str]:
    """SQLite names the columns ("users.email_key") and not the constraint; primary keys get PostgreSQL's name."""
    names: dict[str, str] = {}
    for model in MODELS:
        options = model._meta  # noqa: SLF001  # Django's documented Model _meta API
        column = {field.name: f"{options.db_table}.{field.column}" for field in options.local_concrete_fields}
        unique = {f"{options.db_table}_pkey": [field.name for field in options.pk_fields]}
        unique |= {constraint.name: getattr(constraint, "fields", []) for constraint in options.constraints}
        names |= {", ".join(column[field] for field in fields): name for name, fields in unique.items() if fields}
    return names
