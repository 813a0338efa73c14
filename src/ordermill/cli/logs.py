"""The program's log: warnings and worse, to stderr, as lines for a person on a terminal and as JSON anywhere else."""

import logging
import sys

import structlog


def to_stderr() -> None:
    """Send the log to stderr, since stdout is for results; by default structlog would print it there."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
