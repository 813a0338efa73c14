"""What comes of `process`, gathered file by file, so that it can be told however the command ends."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ordermill.cli import report as reporting
from ordermill.cli.console import complain, narrate, print_json, say, show
from ordermill.cli.program import Code, code_of
from ordermill.imports.report import FileReport, Refused, Report
from ordermill.imports.source import STANDARD_INPUT
from ordermill.kit.errors import ServiceError, Unavailable
from ordermill.kit.text import printable


@dataclass(slots=True)
class Outcome:
    """`code` only ever gets worse."""

    report: Report
    code: int = Code.DONE

    def worse(self, code: int) -> None:
        self.code = max(self.code, code)

    def done(self, file: FileReport) -> None:
        """Take down a file that was brought in; rejects, and totals that are not the file's own, are differences."""
        self.report.files.append(file)
        if file.tally.orders["rejected"] or any(sums.difference for sums in file.tally.money.values()):
            self.worse(Code.DIFFERENCES)

    def refused(self, path: str, refusal: ServiceError, *, code: Code | None = None, advice: str = "") -> None:
        """
        Take down a file that was not brought in, and say so at once.

        Args:
            code: else that of the refusal's kind.
            advice: a sentence behind the refusal's own.
        """
        name = "standard input" if path == STANDARD_INPUT else printable(Path(path).name)
        self.report.refused.append(Refused(name, refusal.code, refusal.message))
        complain(f"{refusal.message}{advice}")
        self.worse(code or code_of(refusal))

    def tell(self, *, as_json: bool, database: str, output: Path | None, write: Callable[[Report], None] | None) -> None:
        """Print the report and write it; what cannot be written is complained of and hides nothing."""
        if as_json:
            print_json(self.report.as_json())
        elif self.report.files:
            show(*reporting.tables(self.report))
            say(reporting.pace(self.report))
            say("Dry run: nothing was written." if self.report.dry_run else f"Written to {database}.")
        if write:
            try:
                write(self.report)
            except Unavailable as refusal:
                complain(refusal.message)
                self.worse(code_of(refusal))
            else:
                narrate(f"Report: {output}")
        for file in self.report.files:
            if file.rejects_refusal:
                way_out = f"They are kept in the book: ordermill imports rejects {file.import_id} --output FILE"
                complain(f"{file.rejects_refusal.message} {way_out}")
                self.worse(code_of(file.rejects_refusal))
