"""The ledger of events can be added to and read; the database itself refuses anything else."""

from collections.abc import Callable
from typing import Any

from django.db import migrations

# SQLite loses a table's triggers when Django rebuilds the table to alter it: a migration that alters
# `events` must run FORWARD again. tests/contracts/test_schema.py notices when it does not.
# An INSERT OR REPLACE deletes, and fires the trigger where `recursive_triggers` is on, as it is on all our connections; a
# trigger on INSERT would protect from other programs' too, but makes adding events, of which an import adds
# one an order, take half as long again.
FORWARD = {
    "sqlite": [
        f"CREATE TRIGGER events_refuse_{verb.lower()} BEFORE {verb} ON events "
        "BEGIN SELECT RAISE(ABORT, 'the ledger of events is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger of events is append-only' USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER events_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_refuse()",
    ],
}
BACKWARD = {
    "sqlite": [f"DROP TRIGGER events_refuse_{verb}" for verb in ("update", "delete")],
    "postgresql": ["DROP TRIGGER events_refuse ON events", "DROP FUNCTION events_refuse"],
}


def run(statements: dict[str, list[str]]) -> Callable[[Any, Any], None]:
    def operation(_apps: Any, schema_editor: Any) -> None:
        for statement in statements[schema_editor.connection.vendor]:
            schema_editor.execute(statement)

    return operation


class Migration(migrations.Migration):
    dependencies = [("ordermill", "0001_the_book")]
    operations = [migrations.RunPython(run(FORWARD), run(BACKWARD))]
