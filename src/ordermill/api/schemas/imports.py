"""Imports over HTTP: what is said beside a file, and how a run is shown."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from ordermill.api.paging import Listed


def _told(value: object) -> object:
    # A form has no booleans, only words; pydantic would take 0, on, y and others as well, which the description does not know.
    if isinstance(value, str) and value not in {"true", "false"}:
        raise PydanticCustomError("bool_parsing", "Write true or false.")
    return value


Flag = Annotated[bool, BeforeValidator(_told)]


class ImportOptions(BaseModel):
    """The options of `process`, as fields beside the file; what is left out is told from the file, or the settings."""

    model_config = ConfigDict(extra="forbid")

    format: str | None = Field(default=None, description="The file's format, where it cannot be recognised.")
    map: str | None = Field(
        default=None,
        description="The TOML of a map file, as text or as a file of its own: how a table's columns make up orders.",
    )
    channel: str | None = Field(default=None, description="Where the orders come from; else the format's name.")
    currency: str | None = Field(default=None, description="The currency where the file names none.", examples=["EUR"])
    timezone: str | None = Field(default=None, description="The zone of local times in the file.", examples=["Europe/Berlin"])
    encoding: str | None = Field(default=None, description="The file's encoding where it is not UTF-8.", examples=["cp1252"])
    delimiter: str | None = Field(default=None, description="The character between fields, such as ; or \\t.")
    no_guests: Flag = Field(default=False, description="Reject orders without an e-mail address.")
    no_merge: Flag = Field(default=False, description="Keep lines of one product at one price apart.")
    dry_run: Flag = Field(default=False, description="Say what would happen, and write nothing: answers 200 with the report.")


class MoneySums(BaseModel):
    """Sums of accepted orders in one currency."""

    total: str = Field(examples=["9.00"])
    source_total: str = Field(description="What the file itself says, where it does.", examples=["9.00"])
    difference: str = Field(examples=["0.00"])


class FirstReject(BaseModel):
    """Where a reason for rejects was met first."""

    file: str = Field(examples=["orders.csv"])
    line: int = Field(examples=[4])
    number: str | None = Field(examples=["S-2001"])
    field: str | None = Field(examples=["quantity"])
    value: str | None = Field(examples=["0"])
    message: str = Field(examples=["quantity: write a whole number from 1 to 1,000,000."])


class RejectReason(BaseModel):
    """Why orders were rejected, and how many."""

    code: str = Field(examples=["quantity"])
    count: int
    example: FirstReject


class Figures(BaseModel):
    """What a run has done so far, or a dry run would do."""

    orders: dict[str, int] = Field(
        description="read, new, updated, unchanged, kept, rejected, merged.",
        examples=[{"read": 3, "new": 2, "updated": 0, "unchanged": 0, "kept": 0, "rejected": 1, "merged": 0}],
    )
    lines: dict[str, int] = Field(description="read, accepted, rejected.", examples=[{"read": 5, "accepted": 4, "rejected": 1}])
    customers: dict[str, int] = Field(description="new, known, guests.", examples=[{"new": 1, "known": 0, "guests": 1}])
    money: dict[str, MoneySums]
    reasons: list[RejectReason]
    adjustments: dict[str, int] = Field(description="What was changed or left out in orders that were accepted all the same.")


class UndoFigures(BaseModel):
    """What an undo has done so far."""

    removed: int
    restored: int
    users_removed: int
    left: int = Field(description="Orders that were changed here since, or updated later.")


class ImportShape(Figures):
    """One run over one file. While it is `running`, `lines.read` of `records` are done; 0 while it waits for its turn."""

    id: UUID
    file: str = Field(examples=["orders.csv"])
    sha256: str = Field(examples=["2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"])
    size: int = Field(description="Bytes as stored.")
    records: int | None = Field(description="How many records the file has; null in runs of older versions.", examples=[5])
    format: str = Field(examples=["ordermill-csv"])
    mapping: str = Field(description="The format's name for people, or the map's.", examples=["Ordermill CSV"])
    channel: str = Field(examples=["ordermill"])
    state: Literal["running", "finished", "undoing", "undone"]
    started_at: datetime
    finished_at: datetime | None
    seconds: float = Field(description="From the beginning to the end, or until now.", examples=[0.4])
    undo: UndoFigures | None = Field(description="Null while nobody asked for one.")


class LeftOrder(BaseModel):
    """An order that an undo left as it is."""

    order_id: UUID
    number: str = Field(examples=["S-2001"])
    was: Literal["created", "updated"]
    reason: Literal["changed_since", "updated_later", "number_taken", "free"]
    message: str = Field(examples=["It was changed here since."])


class ImportDetail(ImportShape):
    """A run with the first orders that its undo had to leave."""

    left: list[LeftOrder] = Field(description="At most 100; empty unless it is `undone`.")


class ImportList(Listed[ImportShape]):
    """Runs, newest first."""


class DryRunFile(BaseModel):
    """How the file was read."""

    import_id: None = None
    file: str = Field(examples=["orders.csv"])
    format: str = Field(examples=["ordermill-csv"])
    mapping: str = Field(examples=["Ordermill CSV"])
    channel: str = Field(examples=["ordermill"])
    orders: dict[str, int]
    rejects_file: None = None


class DryRun(Figures):
    """The report of `process --dry-run --json`."""

    seconds: float
    dry_run: Literal[True]
    files: list[DryRunFile]
    refused: list[Any]
