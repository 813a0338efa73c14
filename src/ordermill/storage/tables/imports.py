"""Runs of `process`, and what they refused."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from ordermill.storage.tables.mapping import mapped, models, table


@mapped
class ImportRow:
    __table__ = table(models.Import)
    id: Mapped[UUID]
    channel_id: Mapped[int]
    file_name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    records: Mapped[int | None]
    format: Mapped[str]
    mapping: Mapped[str]
    options_key: Mapped[str]
    header: Mapped[bytes | None]
    delimiter: Mapped[str | None]
    state: Mapped[str]
    checkpoint: Mapped[int]
    tally: Mapped[dict[str, Any]]
    actor: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    undo: Mapped[dict[str, Any] | None]


@mapped
class RejectRow:
    __table__ = table(models.ImportReject)
    id: Mapped[int]
    import_id: Mapped[UUID]
    position: Mapped[int]
    line: Mapped[int]
    number: Mapped[str | None]
    field: Mapped[str | None]
    value: Mapped[str | None]
    code: Mapped[str]
    message: Mapped[str]
    lines: Mapped[bytes | None]
