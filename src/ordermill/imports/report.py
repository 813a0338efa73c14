"""What happened to the files of one command, in numbers; the JSON of PRODUCT.md section 4."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

from ordermill.imports.model import Import, Left, Obstacle, Reason, Reject, Tally
from ordermill.kit.errors import Unavailable
from ordermill.kit.money import Currency

# Why an undo left an order, and what can be done.
LEFT: Final[dict[Obstacle, str]] = {
    "changed_since": "It was changed here since.",
    "updated_later": "A later import updated it; undo that one first, then this one again.",
    "number_taken": "Another order has the number or id that it would get back.",
    "free": "Nothing stands in its way any more; undo the import again.",
}


@dataclass(slots=True, kw_only=True)
class FileReport:
    """One file's part; without an `import_id` it was a dry run."""

    file: str
    format: str
    mapping: str
    channel: str
    tally: Tally
    import_id: str | None = None
    rejects_file: str | None = None
    rejects_refusal: Unavailable | None = None  # why there is none, although there are rejects

    @classmethod
    def of(cls, run: Import) -> Self:
        """Return what is known of a run afterwards."""
        file = run.file
        return cls(
            file=file.name,
            format=file.format,
            mapping=file.mapping,
            channel=file.channel,
            tally=run.tally,
            import_id=str(run.id),
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not brought in, or not to its end, and why."""

    file: str
    code: str
    message: str


@dataclass(slots=True, kw_only=True)
class Report:
    """One run of the command."""

    dry_run: bool
    seconds: str = "0.0"
    files: list[FileReport] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def tally(self) -> Tally:
        """The figures of all files together."""
        together = Tally()
        for file in self.files:
            together.add(file.tally)
        return together

    @property
    def reasons(self) -> list[tuple[str, Reason]]:
        """The reasons for rejects, most common first."""
        every = self.tally.reasons.items()
        return sorted(every, key=lambda entry: (-entry[1].count, entry[0]))

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; amounts are strings with the currency's decimals."""
        tally = self.tally
        return {
            "orders": tally.orders,
            "lines": tally.lines,
            "customers": tally.customers,
            "money": {code: money(tally, code) for code in sorted(tally.money)},
            "reasons": [_reason(code, reason) for code, reason in self.reasons],
            "adjustments": dict(sorted(tally.adjustments.items())),
            "seconds": float(self.seconds),  # allow float: a duration
            "dry_run": self.dry_run,
            "files": [_file(file) for file in self.files],
            "refused": [asdict(file) for file in self.refused],
        }


def money(tally: Tally, code: str) -> dict[str, str]:
    """Return one currency's sums as strings: total, source_total, difference."""
    sums, currency = tally.money[code], Currency.of(code)
    return {name: str(currency.decimal(getattr(sums, name))) for name in ("total", "source_total", "difference")}


def _reason(code: str, reason: Reason) -> dict[str, Any]:
    example = {name: reason.example[name] for name in ("file", "line", "number", "field", "value", "message")}
    return {"code": code, "count": reason.count, "example": example}


def _file(file: FileReport) -> dict[str, Any]:
    return {
        "import_id": file.import_id,
        "file": file.file,
        "format": file.format,
        "mapping": file.mapping,
        "channel": file.channel,
        "orders": file.tally.orders,
        "rejects_file": file.rejects_file,
    }


def import_shape(run: Import) -> dict[str, Any]:
    """Return one run as plain JSON values."""
    report = Report(dry_run=False, files=[FileReport.of(run)]).as_json()
    told = ("orders", "lines", "customers", "money", "reasons", "adjustments")
    return {
        "id": str(run.id),
        "file": run.file.name,
        "sha256": run.file.sha256,
        "size": run.file.size,
        "records": run.file.records,
        "format": run.file.format,
        "mapping": run.file.mapping,
        "channel": run.file.channel,
        "state": run.state,
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at) if run.finished_at else None,
        **{name: report[name] for name in told},
        "undo": run.undo.counts if run.undo else None,
    }


def left_shape(left: Left) -> dict[str, Any]:
    """Return one order that an undo left as plain JSON values."""
    told = {"order_id": str(left.order_id), "number": left.number, "was": "created" if left.created else "updated"}
    return {**told, "reason": left.reason, "message": LEFT[left.reason]}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def reject_shape(reject: Reject) -> dict[str, Any]:
    """Return one refused order as plain JSON values, without its records."""
    return {name: getattr(reject, name) for name in ("line", "number", "field", "value", "code", "message")}
