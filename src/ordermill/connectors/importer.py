"""
A process that brings in one upload: `python -m ordermill.cli.uploaded DIRECTORY`, as the server sees it.

    server ── stdin, held open ──> child    closed: stop at the next safe point; a killed server closes it, too
           <── messages, a line each ──     on stdout; what it logs goes to the server's stderr

The child inherits the upload's claim, which thus holds as long as either of the two lives.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from ordermill.imports.messages import Message, message_of
from ordermill.imports.upload import Claim, Upload

# A refusal may list the columns of a file.
MESSAGE_LIMIT: Final = 1 << 20


class ChildImporter:
    """`imports.ports.Importer`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """
        Args:
            environment: what the child must know besides our own, such as the database; it may be secret, so it is no argument.
        """
        self._environment = environment

    @asynccontextmanager
    async def started(self, upload: Upload, claim: Claim) -> "AsyncIterator[Child]":
        """See `imports.ports.Importer`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ordermill.cli.uploaded", str(upload.directory.absolute())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MESSAGE_LIMIT,
            env={**os.environ, **self._environment},
            pass_fds=(claim.handle,),
            start_new_session=True,  # Ctrl-C is for the server, which then stops it in order
        )
        try:
            yield Child(process)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()


class Child:
    """`imports.ports.ImportProcess`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def messages(self) -> AsyncIterator[Message]:
        assert self._process.stdout is not None  # noqa: S101  # for the type checker: it is a pipe
        async for line in self._process.stdout:
            yield message_of(line)
        await self._process.wait()

    def ask_to_stop(self) -> None:
        assert self._process.stdin is not None  # noqa: S101  # for the type checker: it is a pipe
        self._process.stdin.close()
