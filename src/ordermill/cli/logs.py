"""The program's log, to stderr: as lines for a person on a terminal and as JSON anywhere else."""

import logging
import sys
from typing import Any

import orjson
import structlog

_LEVELS = {logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "critical"}


def to_stderr(level: int = logging.WARNING) -> None:
    """
    Send the log to stderr, since stdout is for results; by default structlog would print it there.

    Args:
        level: the least that is shown; servers show what goes on (INFO), commands what goes wrong.
    """
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=level < logging.WARNING,  # a server logs each request
    )
    if level < logging.WARNING:
        logging.basicConfig(handlers=[_Forwarded(logging.WARNING)], level=logging.WARNING, force=True)


def _as_json(facts: Any, **_: Any) -> str:
    return orjson.dumps(facts, default=repr).decode()


class _Forwarded(logging.Handler):
    """Hands on what libraries log in Python's own way, without its traceback: those quote data."""

    def emit(self, record: logging.LogRecord) -> None:
        name = _LEVELS.get(record.levelno, "warning")
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        getattr(structlog.get_logger(record.name), name)(record.getMessage(), logger=record.name, error=kind)
