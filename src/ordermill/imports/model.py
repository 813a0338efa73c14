"""
What an import is made of, as plain values: the run, its undo, the reject that is handed back, the tally that is reported.

Not here: the batches of columns that carry the bulk (batch), so that who only asks about runs loads no Polars.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Rules:
    """The switches of PRODUCT.md section 2, "Orders from files and channels"."""

    guests: bool = True  # an order without an e-mail is a guest order; otherwise a reject
    merge: bool = True  # a product repeated at one price becomes one item
    unknown_country: Literal["null", "reject"] = "null"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where the file does not say: the command's word, else the map's, else the setting's."""

    channel: str
    currency: str
    timezone: str
    rules: Rules = Rules()


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused order, or one record that belongs to none: what, where, why, and its text as it stood."""

    line: int  # physical line of the first faulty record, from 1
    number: str | None
    field: str | None  # the column's name in the file
    value: str | None  # shortened
    code: str
    message: str
    lines: tuple[tuple[int, str], ...]  # every record of the order: physical line and text


@dataclass(slots=True)
class Money:
    """Sums of accepted orders in one currency, minor units; `difference` is total minus source_total where one is given."""

    total: int = 0
    source_total: int = 0
    difference: int = 0


@dataclass(slots=True)
class Reason:
    """How often one reason occurred, and its first example."""

    count: int
    example: dict[str, Any]  # file, line, number, field, value, message


@dataclass(slots=True)
class Tally:
    """What a run has done so far; kept with its checkpoint, so that a resumed run reports like an unbroken one."""

    orders: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("read", "new", "updated", "unchanged", "kept", "rejected", "merged"), 0)
    )
    lines: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("read", "accepted", "rejected"), 0))
    customers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("new", "known", "guests"), 0))
    money: dict[str, Money] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)
    adjustments: dict[str, int] = field(default_factory=dict)  # unknown_country, nonexistent_time, …

    def add(self, other: "Tally") -> None:
        """Add another tally's figures to this one; a reason keeps its first example."""
        for mine, theirs in ((self.orders, other.orders), (self.lines, other.lines), (self.customers, other.customers)):
            for key, count in theirs.items():
                mine[key] += count
        for currency, money in other.money.items():
            sums = self.money.setdefault(currency, Money())
            sums.total += money.total
            sums.source_total += money.source_total
            sums.difference += money.difference
        for code, reason in other.reasons.items():
            kept = self.reasons.setdefault(code, Reason(0, reason.example))
            kept.count += reason.count
        for code, count in other.adjustments.items():
            self.adjustments[code] = self.adjustments.get(code, 0) + count

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` reads them back."""
        return {
            "orders": self.orders,
            "lines": self.lines,
            "customers": self.customers,
            "money": {code: [sums.total, sums.source_total, sums.difference] for code, sums in self.money.items()},
            "reasons": {code: [reason.count, reason.example] for code, reason in self.reasons.items()},
            "adjustments": self.adjustments,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Tally":
        empty = cls()
        return cls(
            # In our order: PostgreSQL keeps an object's keys in one of its own.
            orders=empty.orders | stored["orders"],
            lines=empty.lines | stored["lines"],
            customers=empty.customers | stored["customers"],
            money={code: Money(*sums) for code, sums in stored["money"].items()},
            reasons={code: Reason(*reason) for code, reason in stored["reasons"].items()},
            adjustments=dict(stored["adjustments"]),
        )


@dataclass(slots=True)
class ImportFile:
    """What identifies one run: the same file, options and channel, interrupted, is the same import."""

    name: str
    sha256: str
    size: int
    format: str
    mapping: str
    channel: str
    options_key: str  # everything that changes how the file is read, digested
    header: str | None = None  # a table's, with its delimiter: what is needed to write its records again; JSON has none
    delimiter: str | None = None
    records: int | None = None  # how many the first pass has counted; runs of older programs do not know


State = Literal["running", "finished", "undoing", "undone"]


@dataclass(slots=True)
class Undo:
    """How far the undo of a run has come, and what it has done so far."""

    step: Literal["updated", "created"] = "updated"  # which orders are gone through; the created ones come last
    after: UUID | None = None  # the last order of that step that was looked at
    removed: int = 0
    restored: int = 0
    users: int = 0  # accounts removed
    left: int = 0
    actor: str = "undo"  # whose events they are: "undo" where somebody at the command line asked for it

    @property
    def counts(self) -> dict[str, int]:
        """What it has done, under the names that reports and events use."""
        return {"removed": self.removed, "restored": self.restored, "users_removed": self.users, "left": self.left}

    def again(self, *, actor: str) -> "Undo":
        """Return an undo at its beginning; what this one has done still counts."""
        return Undo(removed=self.removed, restored=self.restored, users=self.users, actor=actor)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; `from_json` reads them back."""
        return asdict(self) | {"after": self.after.hex if self.after else None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Undo":
        return cls(**{**stored, "after": UUID(stored["after"]) if stored["after"] else None})


# `changed_since`: somebody changed the order here. `updated_later`: a later import did. `number_taken`: another order has
# the number or id that it would get back. `free`: none of these holds any more; a second undo takes it back.
Obstacle = Literal["changed_since", "updated_later", "number_taken", "free"]


@dataclass(frozen=True, slots=True)
class Left:
    """An order that an undo leaves as it is, and why."""

    order_id: UUID
    number: str
    created: bool  # by the import; else updated by it
    reason: Obstacle


@dataclass(slots=True)
class Import:
    """One run of `process` over one file."""

    id: UUID
    file: ImportFile
    state: State
    checkpoint: int  # batches whose transaction has committed
    tally: Tally
    started_at: datetime
    finished_at: datetime | None = None
    undo: Undo | None = None

    @property
    def undoable(self) -> bool:
        """Whether it can be undone, or undone once more for the orders that were left."""
        return self.state == "finished" or (self.state == "undone" and self.undo is not None and self.undo.left > 0)
