"""Links in mails, by HTTP and a real mail server: verifying, resetting, the first staff user, and the pages they lead to."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from mail_server import MailServer, running
from shop import PASSWORD, Shop, open_shop
from structlog.testing import capture_logs

from ordermill.config import DatabaseUrl
from ordermill.connectors import mail as connector

pytestmark = pytest.mark.anyio

URL: Final = "https://orders.example.com"
NEW_PASSWORD: Final = "difference engine no. 2"
ADA: Final = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}
_LINK: Final = re.compile(rf"{URL}/(?P<page>[a-z-]+)#(?P<token>[A-Za-z0-9_-]{{43}})\s")


@pytest.fixture
async def mail(anyio_backend: str) -> AsyncIterator[MailServer]:
    async with running(MailServer()) as server:
        yield server


@pytest.fixture
async def mailing(book_url: DatabaseUrl, mail: MailServer) -> AsyncIterator[Shop]:
    """A shop that sends its mails to `mail`."""
    async with open_shop(book_url, smtp_url=f"smtp://127.0.0.1:{mail.port}", public_url=URL) as opened:
        yield opened


async def token(shop: Shop, mail: MailServer, page: str) -> str:
    """Return the token of the one mail whose link leads to `page`."""
    await shop.services.post.finish()
    links = [link for each in mail.mails for link in _LINK.finditer(each.get_content()) if link["page"] == page]
    assert len(links) == 1
    return links[0]["token"]


async def sign_in(shop: Shop, password: str) -> int:
    answer = await shop.client.post("/auth/token", data={"username": "ada@example.com", "password": password})
    return answer.status_code


class TestVerification:
    async def test_of_a_new_account(self, mailing: Shop, mail: MailServer) -> None:
        await mailing.client.post("/users", json=ADA)
        secret = await token(mailing, mail, "verify-email")

        first = await mailing.client.post("/auth/verify-email", json={"token": secret})
        second = await mailing.client.post("/auth/verify-email", json={"token": secret})

        me = await mailing.client.get("/users/me", headers=await mailing.sign_in("ada@example.com"))
        assert (first.status_code, first.content, second.status_code) == (204, b"", 422)
        assert (second.json()["code"], second.json()["errors"][0]["pointer"]) == ("link_invalid", "/token")
        assert me.json()["email_verified_at"] is not None

    async def test_is_asked_for_by_who_is_signed_in(self, mailing: Shop, mail: MailServer) -> None:
        headers = await mailing.signed_in(email="ada@example.com")

        answer = await mailing.client.post("/auth/verify-email/request", json={}, headers=headers)

        assert answer.status_code == 202
        await token(mailing, mail, "verify-email")
        assert mail.receivers == ["ada@example.com"]

    async def test_of_nobody_in_particular_is_refused(self, mailing: Shop) -> None:
        answer = await mailing.client.post("/auth/verify-email/request", json={})
        assert (answer.status_code, answer.json()["code"]) == (422, "email_missing")


class TestAsking:
    @pytest.mark.parametrize("path", ["/auth/verify-email/request", "/auth/password-reset/request"])
    async def test_is_answered_alike_for_known_and_unknown_addresses(self, mailing: Shop, mail: MailServer, path: str) -> None:
        await mailing.signed_in(email="ada@example.com")
        await mailing.signed_in(email="closed@example.com")
        async with mailing.services._unit() as unit:
            closed = await unit.users.by_email("closed@example.com")
        assert closed is not None
        await mailing.services.accounts.set_active(closed.id or 0, active=False, actor="command")

        answers = [await mailing.client.post(path, json={"email": f"{who}@example.com"}) for who in ("ada", "nobody", "closed")]
        await mailing.services.post.finish()

        told = {(answer.status_code, answer.content, tuple(sorted(set(answer.headers) - {"date"}))) for answer in answers}
        assert len(told) == 1
        assert answers[0].status_code == 202
        assert mail.receivers == ["ada@example.com"]

    @pytest.mark.parametrize("path", ["/auth/verify-email/request", "/auth/password-reset/request"])
    async def test_is_not_answered_more_often_than_anybody_needs(self, mailing: Shop, mail: MailServer, path: str) -> None:
        """Known and unknown alike, or the limit would tell."""
        await mailing.signed_in(email="ada@example.com")

        for who in ("ada", "nobody"):
            answers = [await mailing.client.post(path, json={"email": f"{who}@example.com"}) for _ in range(6)]
            assert [answer.status_code for answer in answers] == [202] * 5 + [429]

        await mailing.services.post.finish()
        assert mail.receivers == ["ada@example.com"] * 5

    async def test_is_answered_before_the_mail_is_sent(self, book_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connector, "TIMEOUT_S", 1)
        server = MailServer(silent=True)
        async with running(server), open_shop(book_url, smtp_url=f"smtp://127.0.0.1:{server.port}", public_url=URL) as shop:
            answer = await asyncio.wait_for(shop.client.post("/users", json=ADA), timeout=5)
            assert server.mails == []
            await shop.services.post.finish(within_s=0)

        assert answer.status_code == 201


class TestReset:
    async def test_lets_in_with_the_new_password_alone(self, mailing: Shop, mail: MailServer) -> None:
        await mailing.client.post("/users", json=ADA)
        await mailing.client.post("/auth/password-reset/request", json={"email": "ADA@example.com"})
        grant = await mailing.client.post("/auth/token", data={"username": "ada@example.com", "password": PASSWORD})

        done = await mailing.client.post(
            "/auth/password-reset", json={"token": await token(mailing, mail, "reset-password"), "password": NEW_PASSWORD}
        )

        refreshed = await mailing.client.post("/auth/refresh", json={"refresh_token": grant.json()["refresh_token"]})
        assert (done.status_code, refreshed.status_code) == (204, 401)
        assert (await sign_in(mailing, PASSWORD), await sign_in(mailing, NEW_PASSWORD)) == (400, 200)

    async def test_refuses_a_poor_password_and_keeps_the_link(self, mailing: Shop, mail: MailServer) -> None:
        await mailing.client.post("/users", json=ADA)
        await mailing.client.post("/auth/password-reset/request", json={"email": "ada@example.com"})
        secret = await token(mailing, mail, "reset-password")

        poor = await mailing.client.post("/auth/password-reset", json={"token": secret, "password": "password1"})
        good = await mailing.client.post("/auth/password-reset", json={"token": secret, "password": NEW_PASSWORD})

        assert (poor.status_code, poor.json()["errors"][0]["pointer"], good.status_code) == (422, "/password", 204)

    async def test_of_twenty_at_once_works_once(self, mailing: Shop, mail: MailServer) -> None:
        await mailing.client.post("/users", json=ADA)
        await mailing.client.post("/auth/password-reset/request", json={"email": "ada@example.com"})
        secret = await token(mailing, mail, "reset-password")

        answers = await asyncio.gather(
            *(
                mailing.client.post("/auth/password-reset", json={"token": secret, "password": f"{NEW_PASSWORD} {n}"})
                for n in range(20)
            )
        )

        assert sorted(answer.status_code for answer in answers) == [204] + [422] * 19


class TestSetUp:
    async def test_makes_exactly_one_staff_user_of_ten_links(self, mailing: Shop) -> None:
        links = [await mailing.services.accounts.first_staff_link() for _ in range(10)]

        answers = await asyncio.gather(
            *(
                mailing.client.post("/setup", json={**ADA, "email": f"{n}@example.com", "token": str(link).partition("#")[2]})
                for n, link in enumerate(links)
            )
        )

        assert sorted(answer.status_code for answer in answers) == [201] + [422] * 9
        assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"link_invalid"}
        assert await mailing.services.accounts.first_staff_link() is None
        (staff,) = (await mailing.services.accounts.search()).rows
        assert staff.is_staff


class TestSecrets:
    async def test_show_up_in_no_log_and_no_answer(self, book_url: DatabaseUrl, capfd: pytest.CaptureFixture[str]) -> None:
        """RELIABILITY.md C10: canaries as password, token and mail link, with a mail server that refuses and one that takes."""
        canary, texts = "canary-9Xb2Qd7Lk", []
        with capture_logs() as logs:
            async with running(MailServer(account=("orders", canary), answers=[f"550 {canary} ada@example.com"])) as mail:
                smtp_url = f"smtp://orders:{canary}@localhost:{mail.port}"
                async with open_shop(book_url, smtp_url=smtp_url, public_url=URL) as shop:
                    for path, body in _with_canaries(canary):
                        texts.append((await shop.client.post(path, json=body)).text)
                        await shop.services.post.finish()
                    secret = await token(shop, mail, "reset-password")
                    texts.append((await shop.client.post("/auth/verify-email", json={"token": secret})).text)
                    texts.append((await shop.client.get("/openapi.json")).text)

        written = f"{logs} {capfd.readouterr()} {texts}"
        assert any(entry["event"] == "mail_not_sent" for entry in logs)
        assert len(mail.mails) == 1
        assert canary not in written
        assert secret not in written
        assert "ada@example.com" not in f"{logs}"


def _with_canaries(canary: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("/users", {**ADA, "password": canary}),
        ("/users", {**ADA, "password": canary}),
        ("/users", {**ADA, "password": canary, "name": ""}),
        ("/users", {**ADA, "password": [canary]}),
        ("/auth/verify-email", {"token": canary}),
        ("/auth/verify-email", {"token": [canary]}),
        ("/auth/password-reset", {"token": canary, "password": canary}),
        ("/auth/password-reset", {"token": canary, "password": canary, "more": canary}),
        ("/setup", {**ADA, "token": canary, "password": canary}),
        ("/auth/password-reset/request", {"email": "ada@example.com"}),
    ]


class TestPages:
    @pytest.mark.parametrize("page", ["verify-email", "reset-password", "setup"])
    async def test_load_nothing_from_elsewhere_and_are_kept_nowhere(self, shop: Shop, page: str) -> None:
        answer = await shop.client.get(f"/{page}")

        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")
        assert "//" not in answer.text
        assert not re.search(r"<script>|<style>|\son\w+=|\sstyle=", answer.text)

    @pytest.mark.parametrize("name", ["account-pages.css", "account-pages.js"])
    async def test_have_what_they_refer_to(self, shop: Shop, name: str) -> None:
        page = await shop.client.get("/setup")
        assert f'"{name}"' in page.text
        assert (await shop.client.get(f"/{name}")).status_code == 200

    async def test_post_to_routes_that_are_there(self, shop: Shop) -> None:
        paths = set((await shop.client.get("/openapi.json")).json()["paths"])
        for page in ("verify-email", "reset-password", "setup"):
            text = (await shop.client.get(f"/{page}")).text
            posts = re.findall(r'data-post="([^"]+)"', text)
            assert posts
            assert {f"/{path}" for path in posts} <= paths
            assert set(re.findall(r'data-done="([^"]+)"', text)) <= set(re.findall(r'id="([^"]+)"', text))
