"""
What is done behind an answer: mails, and looking up who gets one.

It is begun after the commit and never waited for by whoever asked, so that nobody learns from the time an answer takes
whether an address is known. What fails is logged without the link, and the person can ask again. Not here: the way
a mail goes (connectors/mail).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from ordermill.accounts.mails import Mail
from ordermill.accounts.ports import Mailer
from ordermill.kit.errors import ServiceError, Unavailable

_log = structlog.get_logger(__name__)

# Connections to the mail server at once.
SENT_AT_ONCE: Final = 4
# Each is a few kilobytes; a mail server that is away must not fill the memory.
PENDING_LIMIT: Final = 1_000
FINISHED_WITHIN_S: Final = 10


class Post:
    """Errands of this process that somebody began and nobody waits for."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self._turns = asyncio.Semaphore(SENT_AT_ONCE)
        self._pending: set[asyncio.Task[None]] = set()

    def soon(self, errand: Callable[[], Awaitable[None]], *, kind: str) -> None:
        """
        Begin an errand and come back at once.

        Raises:
            Unavailable: `mail_busy`; very many are under way already.
        """
        if len(self._pending) >= PENDING_LIMIT:
            raise Unavailable("Very many mails wait to be sent; try again in a moment.", code="mail_busy")
        task = asyncio.create_task(_done(errand, kind=kind))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def send(self, mail: Mail) -> None:
        """
        Send one mail, when it is its turn; for errands.

        Raises:
            Unavailable: the mail server could not be reached, or did not take it.
        """
        async with self._turns:
            await self._mailer.send(mail)

    async def finish(self, *, within_s: int = FINISHED_WITHIN_S) -> None:
        """Wait for what is under way; what then still is not done is given up and logged."""
        if not self._pending:
            return
        _, late = await asyncio.wait(self._pending, timeout=within_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
            _log.warning("mails_given_up", count=len(late))


@contextmanager
def after_commit(kind: str) -> Iterator[None]:
    """Begin an errand about something that was done: when there is no room for it, that is logged, and nothing is refused."""
    try:
        yield
    except Unavailable as refusal:
        _log.warning("mail_not_sent", kind=kind, code=refusal.code)


async def _done(errand: Callable[[], Awaitable[None]], *, kind: str) -> None:
    try:
        await errand()
    except ServiceError as refusal:
        # Only the code: a sentence may come from a mail server, which repeats what it likes.
        _log.warning("mail_not_sent", kind=kind, code=refusal.code)
    except Exception as error:  # noqa: BLE001  # nobody waits for it: the log is the only place where it can be told
        _log.error("mail_failed", kind=kind, error=type(error).__name__)  # no traceback: its frames hold the link
