"""
A file of products or discounts is taken in: what is known by its key is changed, what is not is new.

In batches, each one transaction: a line that is refused stops no other one, and the same file again changes nothing.
Columns that a file does not have stay as they are.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from ordermill.catalogue.ports import CatalogueUnit
from ordermill.catalogue.sheets import Record, Sheet
from ordermill.kit.errors import Conflict, Invalid, StaleVersion, Taken
from ordermill.kit.events import By

C = TypeVar("C", bound=BaseModel)

BATCH: Final = 500
ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """Why a line was not taken in; `field` is None where it cannot be read at all."""

    line: int
    field: str | None
    code: str
    message: str


@dataclass(slots=True)
class Intake:
    """What became of a file's records."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[RefusedLine] = field(default_factory=list)

    @property
    def refused_lines(self) -> int:
        """How many lines were refused; one may have several faults."""
        return len({refusal.line for refusal in self.refused})

    def add(self, other: "Intake") -> None:
        self.read += other.read
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.refused += other.refused


class Named(Protocol):
    """What is taken in has an id once it is kept."""

    @property
    def id(self) -> int | None: ...


N = TypeVar("N", bound=Named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[N, C]):
    """
    How one kind of thing is found, made and changed.

    Args:
        change: the model of what a record says.
        known: return what there is, by key.
        make: return a new thing of what a record says.
        add: tell a unit of new things.
        change_in: tell a unit of a change; return the very same thing where there is none.
    """

    sheet: Sheet
    change: type[C]
    known: Callable[[CatalogueUnit, Sequence[str]], Awaitable[Mapping[str, N]]]
    make: Callable[[Mapping[str, Any], By], N]
    add: Callable[[CatalogueUnit, Sequence[N], By], Awaitable[None]]
    change_in: Callable[[CatalogueUnit, N, C, By], Awaitable[N]]


@dataclass(frozen=True, slots=True)
class _Entry(Generic[C]):
    line: int
    key: str
    said: Mapping[str, Any]
    draft: C


async def take_in(  # noqa: PLR0913  # each is a thing of its own, and all but three are named
    records: Iterator[Record],
    kind: Kind[N, C],
    units: Callable[[], CatalogueUnit],
    *,
    by: By,
    dry_run: bool,
    told: Callable[[Intake], None],
) -> Intake:
    """
    Take a file's records in.

    Args:
        dry_run: say what would become of them, and write nothing.
        told: is told how far it is, behind each batch.

    Raises:
        Conflict: others keep changing the same things.
    """
    taken = Intake()
    first: dict[str, int] = {}
    while batch := list(islice(records, BATCH)):
        entries = list(_entries(batch, kind, first, taken.refused))
        taken.read += len(batch)
        taken.add(await _again(entries, kind, units, by=by, dry_run=dry_run))
        told(taken)
    taken.refused.sort(key=lambda refusal: refusal.line)
    return taken


def _entries(
    batch: Sequence[Record], kind: Kind[Any, C], first: dict[str, int], refused: list[RefusedLine]
) -> Iterator[_Entry[C]]:
    """Go through what can be looked up; `first` keeps where each key stood first."""
    for record in batch:
        if record.defect is not None:
            refused.append(RefusedLine(record.line, None, "line_unreadable", record.defect))
            continue
        name = kind.sheet.key
        try:
            draft = kind.change.model_validate(record.said)
        except ValidationError as error:
            refused += _faults(record.line, error)
            continue
        key = getattr(draft, name)
        if key is None:
            refused.append(RefusedLine(record.line, name, "missing", "Field required."))
        elif first.setdefault(key, record.line) != record.line:
            refused.append(RefusedLine(record.line, name, "repeated", f"It stands in line {first[key]} already."))
        else:
            yield _Entry(record.line, key, record.said, draft)


async def _again(
    entries: Sequence[_Entry[C]], kind: Kind[N, C], units: Callable[[], CatalogueUnit], *, by: By, dry_run: bool
) -> Intake:
    """Take a batch in, again when somebody else was faster: what they left decides."""
    for _ in range(ATTEMPTS):
        try:
            return await _taken_in(entries, kind, units, by=by, dry_run=dry_run)
        except (StaleVersion, Taken):
            continue
    raise Conflict(f"Somebody else keeps changing the same {kind.sheet.noun}; try again.")


async def _taken_in(
    entries: Sequence[_Entry[C]], kind: Kind[N, C], units: Callable[[], CatalogueUnit], *, by: By, dry_run: bool
) -> Intake:
    taken = Intake()
    new: list[N] = []
    async with units() as unit:
        known = await kind.known(unit, [entry.key for entry in entries])
        # By id, as orders touch them: nobody waits for somebody who waits for them.
        for entry in sorted(entries, key=lambda entry: (known[entry.key].id or 0) if entry.key in known else 0):
            try:
                if entry.key not in known:
                    new.append(kind.make(entry.said, by))
                elif await kind.change_in(unit, known[entry.key], entry.draft, by) is known[entry.key]:
                    taken.unchanged += 1
                else:
                    taken.changed += 1
            except ValidationError as error:
                taken.refused += _faults(entry.line, error)
            except Invalid as refusal:
                taken.refused += _told(entry.line, refusal)
        taken.new = len(new)
        if not dry_run:
            if new:
                await kind.add(unit, new, by)
            await unit.commit()
    return taken


def _faults(line: int, error: ValidationError) -> list[RefusedLine]:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return [RefusedLine(line, _name(each["loc"]), each["type"], f"{each['msg'].removesuffix('.')}.") for each in problems]


def _name(loc: tuple[int | str, ...]) -> str | None:
    return str(loc[0]) if loc else None


def _told(line: int, refusal: Invalid) -> list[RefusedLine]:
    return [
        RefusedLine(line, each["pointer"].removeprefix("/"), each["code"], each["detail"])
        for each in refusal.details.get("errors", [])
    ]
