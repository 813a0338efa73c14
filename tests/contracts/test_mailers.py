"""Mails by SMTP against a real server: what arrives, what is tried again, and what is told of a failure."""

import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from builders import NOON
from mail_server import MailServer, running
from structlog.testing import capture_logs

from ordermill.accounts import mails
from ordermill.connectors import mail as connector
from ordermill.connectors.mail import ATTEMPTS, LogMailer, SmtpMailer
from ordermill.kit.clock import FixedClock
from ordermill.kit.errors import Unavailable

pytestmark = pytest.mark.anyio

# A certificate of localhost, signed by itself and valid until 2126-10-31, and its key. No system trusts it, so whoever has the
# key can pretend to be nobody; made by a test run it would need openssl or a package, which not every machine has.
CERTIFICATE: Final = Path(__file__).parents[1] / "localhost.pem"
SECRET: Final = "canary-Zk3v9QwX"
MAIL: Final = mails.password_reset("ada@example.com", link=f"https://orders.example.com/reset-password#{SECRET}")


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def mailer(server: MailServer, *, scheme: str = "smtp", account: str = "", **said: Any) -> SmtpMailer:
    url = f"{scheme}://{account}localhost:{server.port}"
    facts: dict[str, Any] = {"url": url, "sender": "Orders <orders@example.com>", "clock": FixedClock(NOON), "tls": trusting()}
    return SmtpMailer(**facts | {"pause_s": lambda attempt: 0} | said)


class TestDelivery:
    async def test_brings_the_mail_to_its_receiver(self) -> None:
        async with running(MailServer()) as server:
            await mailer(server).send(MAIL)

        (mail,) = server.mails
        assert server.receivers == ["ada@example.com"]
        assert (mail["From"], mail["To"], mail["Subject"]) == ("Orders <orders@example.com>", "ada@example.com", MAIL.subject)
        assert mail["Date"] == "Sun, 22 Nov 2026 12:00:00 +0000"
        assert mail["Message-ID"].endswith("@example.com>")
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail.get_content().replace("\r\n", "\n") == MAIL.text

    @pytest.mark.parametrize(
        ("typed", "receiver"),
        [("zoë@example.com", "zoë@example.com"), ("ada@bücher.example", "ada@xn--bcher-kva.example")],
    )
    async def test_reaches_addresses_in_other_letters(self, typed: str, receiver: str) -> None:
        async with running(MailServer()) as server:
            await mailer(server).send(replace(MAIL, to=typed))

        assert server.receivers == [receiver]

    async def test_turns_to_tls_where_it_is_offered(self) -> None:
        async with running(MailServer(tls=server_tls())) as server:
            await mailer(server).send(MAIL)

        assert server.protected == [True]

    async def test_speaks_tls_from_the_start(self) -> None:
        async with running(MailServer(tls=server_tls(), encrypted=True)) as server:
            await mailer(server, scheme="smtps").send(MAIL)

        assert server.protected == [True]

    async def test_signs_in(self) -> None:
        async with running(MailServer(tls=server_tls(), account=("orders", "p@ss:word"))) as server:
            await mailer(server, account="orders:p%40ss%3Aword@").send(MAIL)

        assert len(server.mails) == 1


class TestFailure:
    @pytest.mark.parametrize("answer", ["451 come back later", "421 busy"])
    async def test_that_may_pass_is_tried_again(self, answer: str) -> None:
        async with running(MailServer(answers=[answer] * (ATTEMPTS - 1))) as server:
            await mailer(server).send(MAIL)

        assert (server.visits, len(server.mails)) == (ATTEMPTS, 1)

    async def test_is_not_tried_for_ever(self) -> None:
        async with running(MailServer(answers=["451 come back later"] * 99)) as server:
            with pytest.raises(Unavailable) as caught:
                await mailer(server).send(MAIL)

        assert (caught.value.code, server.visits, server.mails) == ("mail_failed", ATTEMPTS, [])

    async def test_for_good_is_tried_once(self) -> None:
        async with running(MailServer(answers=["550 no such user"] * 99)) as server:
            with pytest.raises(Unavailable, match=r"\(550\)"):
                await mailer(server).send(MAIL)

        assert server.visits == 1

    async def test_of_the_connection_is_tried_again(self) -> None:
        server = MailServer()
        async with running(server):
            pass
        began = time.monotonic()

        with pytest.raises(Unavailable, match="ConnectionRefusedError"):
            await mailer(server).send(MAIL)

        assert time.monotonic() - began < 5

    async def test_of_a_server_that_says_nothing_takes_no_longer_than_its_timeout(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connector, "TIMEOUT_S", 0.05)
        async with running(MailServer(silent=True)) as server:
            with pytest.raises(Unavailable, match="SMTPServerDisconnected"):
                await mailer(server).send(MAIL)

        assert server.visits == ATTEMPTS

    async def test_tells_neither_the_receiver_nor_the_link_nor_the_password(self) -> None:
        account = ("orders", SECRET)
        async with running(MailServer(tls=server_tls(), account=account, answers=[f"550 {MAIL.to} {SECRET}"])) as server:
            sender = mailer(server, account=f"orders:{SECRET}@")
            with pytest.raises(Unavailable) as caught:
                await sender.send(MAIL)

        told = f"{caught.value!r} {caught.value.details} {caught.value.__cause__} {sender!r}"
        assert SECRET not in told
        assert MAIL.to not in told


class TestTrust:
    @pytest.mark.parametrize(("scheme", "encrypted"), [("smtp", False), ("smtps", True)])
    async def test_no_mail_goes_to_a_server_whose_certificate_nobody_vouches_for(self, scheme: str, encrypted: bool) -> None:  # noqa: FBT001  # a parameter of the test
        async with running(MailServer(tls=server_tls(), encrypted=encrypted)) as server:
            with pytest.raises(Unavailable, match="SSLCertVerificationError"):
                await mailer(server, scheme=scheme, tls=ssl.create_default_context()).send(MAIL)

        assert server.mails == []

    async def test_no_password_goes_to_another_machine_without_tls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Somebody between us and the server may have taken the offer of TLS out of its answer."""
        monkeypatch.setattr(connector, "_LOOPBACK", frozenset())
        async with running(MailServer(account=("orders", SECRET))) as server:
            with pytest.raises(Unavailable, match="SMTPNotSupportedError"):
                await mailer(server, account=f"orders:{SECRET}@").send(MAIL)

        assert (server.visits, server.mails) == (1, [])


class TestPause:
    def test_grows_and_is_never_the_same(self) -> None:
        pause: Callable[[int], float] = connector.full_jitter  # allow float: seconds
        assert all(0 <= pause(attempt) <= 4**attempt for attempt in range(1, ATTEMPTS) for _ in range(100))
        assert len({pause(3) for _ in range(20)}) > 1


class TestLog:
    async def test_holds_the_whole_mail_where_no_mail_server_is_set(self) -> None:
        with capture_logs() as logs:
            await LogMailer(development=True).send(MAIL)

        assert [(entry["to"], SECRET in entry["text"]) for entry in logs] == [("ada@example.com", True)]

    async def test_holds_no_text_where_others_read_the_log(self) -> None:
        with capture_logs() as logs:
            await LogMailer(development=False).send(MAIL)

        assert [(entry["to"], entry["needed"]) for entry in logs] == [("ada@example.com", "ORDERMILL_SMTP_URL")]
        assert SECRET not in str(logs)
