"""A report of `process` as tables, and as a file in the format of its suffix."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from errno import ENOENT
from functools import partial
from pathlib import Path
from typing import Any, Final

from ordermill.cli.tables import Table, markdown, table
from ordermill.imports.report import Report, money
from ordermill.kit.errors import Invalid, Unavailable
from ordermill.kit.files import Replacement

# What was changed or left out in orders that were accepted all the same.
_ADJUSTMENTS: Final = {
    "unknown_country": "unknown countries left out",
    "nonexistent_time": "local times that a clock change skips, moved forward",
    "duplicate": "orders that the file says twice, taken once",
    "erased": "orders of buyers who were erased, taken without buyer, addresses and note",
}

REASONS_SHOWN: Final = 10  # of the rest the codes are told; JSON has all


def tables(report: Report) -> list[Table]:
    """Return what a person reads, most important first; a table without rows has nothing to say."""
    told = (_orders, _refused, _counts, _money, _reasons, _adjustments, _files)
    return [each(report) for each in told]


def _orders(report: Report) -> Table:
    names = tuple(report.tally.orders)
    shown = table("Orders", "file", *names, numbers=names)
    for file in report.files:
        shown.rows.append((file.file, *_figures(file.tally.orders)))
    if len(report.files) > 1:
        shown.rows.append(("together", *_figures(report.tally.orders)))
    return shown


def _refused(report: Report) -> Table:
    shown = table("Refused files", "file", "reason", "what to do")
    shown.rows.extend((file.file, file.code, file.message) for file in report.refused)
    return shown


def _counts(report: Report) -> Table:
    shown = table("Lines and customers", "what", "count", numbers=("count",))
    tally = report.tally
    for what, counts in (("lines", tally.lines), ("customers", tally.customers)):
        for name, count in counts.items():
            label = "guest orders" if name == "guests" else f"{what} {name}"
            shown.rows.append((label, f"{count:,}"))
    return shown


def _money(report: Report) -> Table:
    tally = report.tally
    shown = table(
        "Money", "currency", "total", "the files' own", "difference", numbers=("total", "the files' own", "difference")
    )
    for code in sorted(tally.money):
        total, stated, difference = (f"{Decimal(amount):,}" for amount in money(tally, code).values())
        says_none = not tally.money[code].source_total and not tally.money[code].difference
        shown.rows.append((code, total, *(("-", "-") if says_none else (stated, difference))))
    return shown


def _reasons(report: Report) -> Table:
    shown = table("Reasons for rejects", "reason", "orders", "for example", numbers=("orders",))
    for code, reason in report.reasons[:REASONS_SHOWN]:
        example = reason.example
        number = f" ({example['number']})" if example["number"] else ""
        message = example["message"].removeprefix(f"Line {example['line']}: ")
        shown.rows.append((code, f"{reason.count:,}", f"{example['file']}:{example['line']}{number}: {message}"))
    if rest := report.reasons[REASONS_SHOWN:]:
        orders = sum(reason.count for _, reason in rest)
        shown.rows.append((f"{len(rest)} more", f"{orders:,}", ", ".join(code for code, _ in rest)))
    return shown


def _adjustments(report: Report) -> Table:
    shown = table("Adjusted and accepted", "what", "times", numbers=("times",))
    for code, count in sorted(report.tally.adjustments.items()):
        shown.rows.append((_ADJUSTMENTS.get(code, code), f"{count:,}"))
    return shown


def _files(report: Report) -> Table:
    shown = table("Files", "file", "read as", "channel", "import", "rejects")
    for file in report.files:
        shown.rows.append((file.file, file.mapping, file.channel, file.import_id or "dry run", file.rejects_file or "-"))
    return shown


def _figures(counts: dict[str, int]) -> tuple[str, ...]:
    return tuple(f"{count:,}" for count in counts.values())


def pace(report: Report) -> str:
    """Return how long it took and how fast that was."""
    lines, seconds = report.tally.lines["read"], Decimal(report.seconds)
    rate = f" ({lines / seconds:,.0f} lines a second)" if seconds else ""
    return f"{report.tally.orders['read']:,} orders in {lines:,} lines took {seconds} s{rate}."


def _as_json(report: Report) -> str:
    return json.dumps(report.as_json(), indent=2) + "\n"


def _as_markdown(report: Report) -> str:
    title = "# Dry run: nothing was written" if report.dry_run else "# Import"
    return "\n".join([title, "", *(markdown(each) for each in tables(report) if each.rows), pace(report), ""])


def _as_csv(report: Report) -> str:
    """Return one figure a row: what it is about, what of it is told, its value."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    rows.writerow(("section", "name", "value"))
    for section, part in report.as_json().items():
        rows.writerows((section, name, _guarded(value)) for name, value in _flat(part))
    return text.getvalue()


def _flat(value: Any, name: str = "") -> list[tuple[str, Any]]:
    match value:
        case dict():
            parts = list(value.items())
        case list():
            parts = [(str(position), part) for position, part in enumerate(value, start=1)]
        case _:
            return [(name, value)]
    return [pair for key, part in parts for pair in _flat(part, f"{name}.{key}" if name else key)]


def _guarded(value: Any) -> Any:
    # A spreadsheet runs a text that begins like this as a formula; amounts of ours may begin with a minus.
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\0")) and not _is_amount(value):
        return f"'{value}"
    return value


def _is_amount(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


_WRITERS: Final[dict[str, Callable[[Report], str]]] = {".json": _as_json, ".csv": _as_csv, ".md": _as_markdown}


def writer(path: Path) -> Callable[[Report], None]:
    """
    Return what writes a report to `path`; to be asked for before the work starts.

    Raises:
        Invalid: `unknown_report_format`.
        Unavailable: `report_unwritable`, when its directory is not there.
    """
    form = _WRITERS.get(path.suffix.lower())
    if form is None:
        raise Invalid(
            f"A report is written as {', '.join(_WRITERS)}; {str(path)!r} ends with none of these.",
            code="unknown_report_format",
        )
    if not path.parent.is_dir():
        raise _unwritable(path, FileNotFoundError(ENOENT, "there is no such directory"))

    def write(report: Report) -> None:
        # Names of files may be no text at all; they are told somehow rather than not at all.
        text = form(report).encode(errors="backslashreplace").decode()
        with Replacement(path, refusal=partial(_unwritable, path)) as file:
            file.write(text)

    return write


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"The report cannot be written to {str(path)!r}: {error.strerror}.", code="report_unwritable")
