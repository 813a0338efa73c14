"""What is seen of a run while it goes on: a bar on a terminal, the rejects and batches when asked for."""

import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ordermill.cli.console import narrate
from ordermill.cli.interruption import Interruption
from ordermill.imports.model import Import, Reject
from ordermill.imports.process import Watcher

if TYPE_CHECKING:
    from rich.progress import TaskID


class Shown(Watcher):
    """One file's run, shown on stderr; without a terminal there is no bar, and lines only when `verbose`."""

    def __init__(self, file: str, *, verbose: bool, interruption: Interruption) -> None:
        self.lines = 0
        self._of = 0
        self._file = file
        self._verbose = verbose
        self._interruption = interruption
        self._bar = _Bar(file) if sys.stderr.isatty() else None
        self._tell: Callable[[str], None] = self._bar.print if self._bar else narrate
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        if self._bar:
            self._bar.stop()

    def scanned(self, position: int, size: int, lines: int) -> None:
        if self._bar:
            self._bar.show("reading", position, size, lines)

    def resumed(self, run: Import) -> None:
        self._tell(f"{self._file}: going on behind {run.tally.lines['read']:,} lines that an interrupted run has done.")

    def loaded(self, lines: int, of: int, rejects: Sequence[Reject]) -> None:
        if self._bar:
            self._bar.show("loading", lines, of, lines)
        if self._verbose:
            self._list(lines, rejects)
        self.lines = lines

    def should_stop(self) -> bool:
        return self._interruption.number is not None

    def _list(self, lines: int, rejects: Sequence[Reject]) -> None:
        now = time.monotonic()
        for reject in rejects:
            self._tell(
                f"{self._file}:{reject.line} {reject.number or '-'} {reject.field or '-'} {reject.code}: {reject.message}"
            )
        self._tell(f"{self._file}: {lines - self.lines:,} lines in {now - self._last:.2f} s, {lines:,} so far.")
        self._last = now


class _Bar:
    """One bar for each of the two passes, with rate and time left."""

    def __init__(self, file: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._file = file
        self._pass = ""
        self._task: TaskID | None = None
        self._began = self._now = time.monotonic()
        # Names of files are text and no markup.
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, markup=False, highlight=False),
            transient=True,
        )
        self.start, self.stop = self._progress.start, self._progress.stop

    def print(self, line: str) -> None:
        """Put a line above the bar."""
        self._progress.console.print(line)

    def show(self, name: str, done: int, of: int, lines: int) -> None:
        """Move the bar of the pass `name`; the first word of another pass begins a new one."""
        if name != self._pass or self._task is None:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._pass, self._began = name, self._now  # what leads to its first word belongs to it
            self._task = self._progress.add_task(f"{self._file}: {name}", total=of, rate="")
        self._now = time.monotonic()
        seconds = max(self._now - self._began, 0.001)
        self._progress.update(self._task, completed=done, total=of, rate=f"{lines / seconds:,.0f} lines/s")
