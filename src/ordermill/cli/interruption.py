"""What Ctrl-C and SIGTERM do to work that can stop at a safe point: the first asks it to, the second ends it at once."""

import os
import signal
import sys
from types import FrameType, TracebackType
from typing import Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR: Final = b"\x1b[?25h"  # the progress bar has hidden it


class Interruption:
    """Catches the signals while the block is open; `number` is that of the first, and None before."""

    number: int | None = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._heard) for number in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def code(self) -> int:
        """The exit code that tells the shell of it."""
        return 128 + (self.number or 0)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        # os.write, since a signal may come in the middle of a print.
        if self.number is not None:
            if sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR)
            os._exit(128 + number)
        self.number = number
        os.write(2, b"\nStopping at the next safe point; once more stops at once.\n")
