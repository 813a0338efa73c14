"""A real SMTP server on a port of this machine, as far as one is needed: greeting, TLS, sign-in, one mail after another."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass
class MailServer:
    """
    What the server has taken, and how it behaves.

    Args:
        tls: offers STARTTLS with it; from the first byte when `encrypted` is set.
        account: user and password without which no mail is taken.
        answers: what the next recipients are answered, before all others are taken.
        silent: greets nobody.
    """

    tls: ssl.SSLContext | None = None
    encrypted: bool = False
    account: tuple[str, str] | None = None
    answers: list[str] = field(default_factory=list)
    silent: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    visits: int = 0
    # Whether each mail came over TLS.
    protected: list[bool] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        if self.silent:
            await reader.read()
        else:
            with suppress(ConnectionError, ssl.SSLError):  # the other side had enough
                await _Conversation(self, reader, writer).hold()
        writer.close()


@asynccontextmanager
async def running(server: MailServer) -> AsyncIterator[MailServer]:
    """Listen on a free port of this machine."""
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=server.tls if server.encrypted else None)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


class _Conversation:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._protected = server.encrypted
        self._known = server.account is None

    async def hold(self) -> None:
        await self._say("220 mail.example.org ready")
        while line := (await self._reader.readline()).decode().strip():
            word, _, rest = line.partition(" ")
            match word.upper():
                case "EHLO":
                    await self._introduce()
                case "STARTTLS" if self._server.tls is not None:
                    await self._say("220 go ahead")
                    await self._writer.start_tls(self._server.tls)
                    self._protected = True
                case "AUTH":
                    await self._sign_in(rest)
                case "MAIL" if not self._known:
                    await self._say("530 sign in first")
                case "RCPT":
                    await self._receiver(rest)
                case "DATA":
                    await self._take()
                case "QUIT":
                    await self._say("221 bye")
                    return
                case _:
                    await self._say("250 fine")

    async def _introduce(self) -> None:
        offers = ["mail.example.org", "SMTPUTF8"]
        if self._server.tls is not None and not self._protected:
            offers.append("STARTTLS")
        if self._server.account is not None:
            offers.append("AUTH PLAIN")
        for offer in offers[:-1]:
            await self._say(f"250-{offer}")
        await self._say(f"250 {offers[-1]}")

    async def _sign_in(self, rest: str) -> None:
        _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        self._known = (user, password) == self._server.account
        await self._say("235 welcome" if self._known else "535 no")

    async def _receiver(self, rest: str) -> None:
        answer = self._server.answers.pop(0) if self._server.answers else "250 fine"
        if answer.startswith("250"):
            self._server.receivers.append(rest.partition("<")[2].partition(">")[0])
        await self._say(answer)

    async def _take(self) -> None:
        await self._say("354 go on")
        lines = []
        while (line := await self._reader.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(message, EmailMessage)
        self._server.mails.append(message)
        self._server.protected.append(self._protected)
        await self._say("250 taken")

    async def _say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()
