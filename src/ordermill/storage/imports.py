"""
Runs of `process` in SQL: the checkpoint is the guard.

What loads a batch (bulk/) is imported when there is one: whoever only asks about runs loads no Polars.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, insert, select, update

from ordermill.imports.model import Import, ImportFile, Reject, Tally, Undo
from ordermill.kit.errors import Conflict, Unavailable
from ordermill.kit.ids import new_id
from ordermill.storage.channels import channel_id
from ordermill.storage.database import Database
from ordermill.storage.entities import storable
from ordermill.storage.erased import wait_for_erasures, without_erased
from ordermill.storage.statements import insert_ignoring
from ordermill.storage.tables import ChannelRow, EventRow, ImportRow, RejectRow

if TYPE_CHECKING:
    from ordermill.imports.batch import Batch, Loaded

# How often a batch is tried again when somebody else adds or changes one of its orders, or an undo removes one of its
# buyers, between our look and our write, or keeps the embedded book to itself longer than a writer of live orders would wait.
ATTEMPTS: Final = 6
PAGE: Final = 500


@dataclass(slots=True)
class _Done:
    loaded: "Loaded"
    tally: Tally


class SqlImports:
    """`imports.ports.ImportStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, file: ImportFile, *, at: datetime, actor: str) -> Import:
        def work(connection: Connection) -> Import:
            channel = channel_id(connection, file.channel, at=at)
            values = _values(file, channel) | {"id": new_id(at), "actor": actor, "started_at": at}
            unfinished = {"state": "running", "checkpoint": 0, "tally": Tally().as_json()}
            connection.execute(insert_ignoring(connection, ImportRow).values(**values, **unfinished))
            same = (ImportRow.channel_id == channel, ImportRow.sha256 == file.sha256, ImportRow.options_key == file.options_key)
            return find_runs(connection, *same, ImportRow.state == "running")[0]

        return await self._database.write(work)

    async def load(self, run: Import, batch: "Batch", *, at: datetime) -> "Loaded | None":
        for attempt in range(1, ATTEMPTS + 1):
            try:
                done = await self._database.write(lambda connection: _load(connection, run, batch, at))
                break
            except (Conflict, Unavailable) as refusal:
                if attempt == ATTEMPTS or (isinstance(refusal, Unavailable) and refusal.code != "database_busy"):
                    raise
        if done is None:
            return None
        run.checkpoint, run.tally = batch.index + 1, done.tally
        return done.loaded

    async def compare(self, batch: "Batch", *, file: str) -> "Loaded":
        from ordermill.storage.bulk import loader  # noqa: PLC0415  # see the module's docstring

        return await self._database.read(lambda connection: loader.compare(connection, batch, file=file))

    async def finish(self, run: Import, *, at: datetime) -> Import:
        def work(connection: Connection) -> Import:
            unfinished = (ImportRow.id == run.id, ImportRow.state == "running")
            kept = connection.execute(select(ImportRow.tally).where(*unfinished).with_for_update()).scalar()
            if kept is not None:
                # All but the buyers is kept already; an erasure may have blanked an example since the last batch.
                tally = kept | {"customers": run.tally.customers}
                connection.execute(update(ImportRow).where(*unfinished).values(state="finished", finished_at=at, tally=tally))
                data = {"orders": run.tally.orders, "lines": run.tally.lines}
                event = {"id": new_id(at), "type": "import.finished", "at": at, "actor": "import", "import_id": run.id}
                connection.execute(insert(EventRow).values(**event, data=data))
            return find_runs(connection, ImportRow.id == run.id)[0]

        return await self._database.write(work)

    async def get(self, id: UUID) -> Import | None:
        found = await self._database.read(lambda connection: find_runs(connection, ImportRow.id == id))
        return found[0] if found else None

    async def recent(self, *, limit: int, after: UUID | None = None) -> Sequence[Import]:
        older = () if after is None else (ImportRow.id < after,)
        return await self._database.read(lambda connection: find_runs(connection, *older, limit=limit))

    async def rejects(self, id: UUID) -> AsyncIterator[Reject]:
        query = select(*RejectRow.__table__.c).where(RejectRow.import_id == id).order_by(RejectRow.position).limit(PAGE)
        position = 0
        while True:
            page = await self._database.read(partial(_mappings, query=query.where(RejectRow.position > position)))
            for row in page:
                yield _reject(row)
            if len(page) < PAGE:
                return
            position = page[-1]["position"]


def _mappings(connection: Connection, *, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).mappings().all()


def _load(connection: Connection, run: Import, batch: "Batch", at: datetime) -> _Done | None:
    from ordermill.storage.bulk import loader  # noqa: PLC0415  # see the module's docstring
    from ordermill.storage.bulk.rows import Stamp  # noqa: PLC0415  # likewise

    wait_for_erasures(connection)
    guard = update(ImportRow).where(ImportRow.id == run.id, ImportRow.checkpoint == batch.index, ImportRow.state == "running")
    if not connection.execute(guard.values(checkpoint=batch.index + 1)).rowcount:
        return None
    before = find_runs(connection, ImportRow.id == run.id)[0].tally
    loaded = loader.load(connection, batch, Stamp(run.id.hex, at), file=run.file.name)
    rejects, tallies = without_erased(connection, [*batch.rejects, *loaded.rejects], [batch.tally, loaded.tally])
    _keep_rejects(connection, run.id, before.orders["rejected"], rejects)
    after = before
    for tally in tallies:
        after.add(tally)
    connection.execute(update(ImportRow).where(ImportRow.id == run.id).values(tally=after.as_json()))
    return _Done(loaded, after)


def _keep_rejects(connection: Connection, run: UUID, so_far: int, rejects: Sequence[Reject]) -> None:
    if rejects:
        rows = [_reject_row(run, position, storable(reject)) for position, reject in enumerate(rejects, start=so_far + 1)]
        connection.execute(insert(RejectRow), rows)


def _reject_row(run: UUID, position: int, reject: Reject) -> dict[str, Any]:
    return {
        "import_id": run,
        "position": position,
        "line": reject.line,
        "number": reject.number,
        "field": reject.field,
        "value": reject.value,
        "code": reject.code,
        "message": reject.message,
        "lines": json.dumps(reject.lines, ensure_ascii=False).encode() if reject.lines else None,
    }


def _reject(row: Any) -> Reject:
    lines = json.loads(row["lines"]) if row["lines"] is not None else []
    return Reject(
        row["line"], row["number"], row["field"], row["value"], row["code"], row["message"],
        tuple((line, raw) for line, raw in lines),
    )  # fmt: skip


def _values(file: ImportFile, channel: int) -> dict[str, Any]:
    return {
        "channel_id": channel,
        "file_name": file.name,
        "sha256": file.sha256,
        "size": file.size,
        "records": file.records,
        "format": file.format,
        "mapping": file.mapping,
        "options_key": file.options_key,
        "header": None if file.header is None else file.header.encode(),
        "delimiter": file.delimiter,
    }


def find_runs(connection: Connection, *conditions: Any, limit: int | None = None) -> list[Import]:
    """Return the runs of which the conditions hold, latest first."""
    query = (
        select(*ImportRow.__table__.c, ChannelRow.name.label("channel"))
        .join(ChannelRow, ChannelRow.id == ImportRow.channel_id)
        .where(*conditions)
        .order_by(ImportRow.id.desc())
    )
    return [_import(row) for row in connection.execute(query.limit(limit)).mappings()]


def _import(row: Any) -> Import:
    file = ImportFile(
        name=row["file_name"],
        sha256=row["sha256"],
        size=row["size"],
        format=row["format"],
        mapping=row["mapping"],
        channel=row["channel"],
        options_key=row["options_key"],
        header=None if row["header"] is None else row["header"].decode(),
        delimiter=row["delimiter"],
        records=row["records"],
    )
    return Import(
        id=row["id"],
        file=file,
        state=row["state"],
        checkpoint=row["checkpoint"],
        tally=Tally.from_json(row["tally"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        undo=None if row["undo"] is None else Undo.from_json(row["undo"]),
    )
