"""Mails on their way: by SMTP, or into the log where no mail server is set. Both fit `accounts.ports.Mailer`."""

import asyncio
import random
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

import structlog

from ordermill.accounts.mails import Mail
from ordermill.kit.clock import Clock
from ordermill.kit.errors import Unavailable
from ordermill.kit.ids import new_id

_log = structlog.get_logger(__name__)

# Of one attempt, for each answer of the server; greylisting servers ask to come back, hence several attempts.
TIMEOUT_S: Final = 10
ATTEMPTS: Final = 4
FIRST_PAUSE_S: Final = 1
_PORTS: Final = {"smtp": 587, "smtps": 465}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# A reply of 500 or more says that it will be the same next time (RFC 5321, 4.2.1).
_FOR_GOOD: Final = 500


def full_jitter(attempt: int) -> float:  # allow float: seconds
    """Return how long to wait behind the attempt of this number, which counts from 1."""
    return random.uniform(0, FIRST_PAUSE_S * 4.0**attempt)  # noqa: S311  # allow float: seconds, and no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpMailer:
    """
    Sends each mail over a connection of its own, in a thread.

    `smtp://` turns to TLS by STARTTLS where the server offers it, and gives a password to nobody without TLS but this very
    machine; `smtps://` speaks TLS from the start. Certificates are verified.

    Args:
        url: `smtp://USER:PASSWORD@HOST:PORT`, as the setting has it.
        pause_s: how long to wait behind an attempt that failed.
    """

    url: str = field(repr=False)
    sender: str
    clock: Clock
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    pause_s: Callable[[int], float] = field(default=full_jitter, repr=False)  # allow float: seconds

    async def send(self, mail: Mail) -> None:
        message = self._message(mail)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await asyncio.to_thread(self._deliver, message, mail.to)
            except (smtplib.SMTPException, OSError, ValueError) as error:
                if attempt == ATTEMPTS or _is_final(error):
                    # From None: the server's words repeat the address, and may repeat more.
                    raise Unavailable(f"The mail server did not take the mail ({_reply(error)}).", code="mail_failed") from None
            else:
                return
            await asyncio.sleep(self.pause_s(attempt))

    def _message(self, mail: Mail) -> EmailMessage:
        now = self.clock.now()
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = Address(username=mail.to.rpartition("@")[0], domain=_ascii(mail.to.rpartition("@")[2]))
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{new_id(now)}@{self.sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        message.set_content(mail.text)
        return message

    def _deliver(self, message: EmailMessage, to: str) -> None:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        local, _, domain = to.rpartition("@")
        with self._connected(parts.scheme, host, port) as server:
            server.ehlo()
            encrypted = parts.scheme == "smtps"
            if not encrypted and server.has_extn("starttls"):
                server.starttls(context=self.tls)
                encrypted = True
            if parts.username:
                if not encrypted and host not in _LOOPBACK:
                    raise smtplib.SMTPNotSupportedError("no TLS, no password")
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message, to_addrs=[f"{local}@{_ascii(domain)}"])

    def _connected(self, scheme: str, host: str, port: int) -> smtplib.SMTP:
        if scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=self.tls)
        return smtplib.SMTP(host, port, timeout=TIMEOUT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMailer:
    """
    Writes each mail to the log instead of sending it, where no mail server is set.

    Args:
        development: write the text too. The link in it is a key, and elsewhere others read the log.
    """

    development: bool

    async def send(self, mail: Mail) -> None:
        rest = {"text": mail.text} if self.development else {"needed": "ORDERMILL_SMTP_URL"}
        _log.warning("mail_not_sent_no_smtp_url", to=mail.to, subject=mail.subject, **rest)


def _is_final(error: Exception) -> bool:
    """Whether the same would happen again: a refusal for good, a wrong certificate, a mail that the server cannot take."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=replies):
            return all(code >= _FOR_GOOD for code, _ in replies.values())
        case smtplib.SMTPResponseException(smtp_code=code):
            return bool(code >= _FOR_GOOD)
        case smtplib.SMTPNotSupportedError() | ssl.SSLCertVerificationError() | ValueError():
            return True
    return False


def _reply(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=replies):
            return ", ".join(sorted({str(code) for code, _ in replies.values()}))
        case smtplib.SMTPResponseException(smtp_code=code):
            return str(code)
    return type(error).__name__


def _ascii(domain: str) -> str:
    """Return a domain as mail servers know it: names in other letters have an ASCII form."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
