"""
No secret is told (RELIABILITY.md C10): each has a canary in it, and they are looked for in everything that comes out, but for
the one answer that hands a secret to its owner.
"""

import base64
import gc
import json
import logging
from typing import Any, Final

import httpx
import pytest
from crowd import Crowd, gathered
from serving import serving
from structlog.testing import capture_logs

from ordermill.config import DatabaseUrl, load
from ordermill.kit.errors import ServiceError

pytestmark = pytest.mark.anyio

KEY: Final = "caNary-key-0123456789abcdefghijklmnopqrstuvwxyzABCDEF"
PASSWORD: Final = "caNary by the river"
SETTINGS: Final = {
    "secret_key": f"{KEY},caNary-old-9876543210zyxwvutsrqponmlkjihgfedcbaZYX",
    "smtp_url": "smtp://caNary-user:caNary-smtp@127.0.0.1:1",
}
BODY: Final = {"Content-Type": "application/json"}


def canaries(crowd: Crowd, tokens: list[str]) -> set[str]:
    """Return all secrets of a shop: those with a canary in them are found by that."""
    credentials = {headers["Authorization"].split()[1] for headers in crowd.headers.values() if headers}
    return {"caNary", base64.b64encode(KEY.encode()).decode()[4:40], *credentials, *tokens}


def found(secrets: set[str], where: str) -> list[str]:
    return [secret[:12] for secret in secrets if secret in where]


async def use(crowd: Crowd) -> tuple[list[str], list[httpx.Response]]:
    """Do with a secret whatever can be done with it, rightly and wrongly; return the secrets that come back, and refusals."""
    email, answers = crowd.email(), []

    async def ask(route: str, role: str = "nobody", **said: Any) -> httpx.Response:
        answer = await crowd.ask(route, role, **said)
        answers.append(answer)
        return answer

    assert (await ask("POST /users", json={"email": email, "name": "Ada", "password": PASSWORD})).status_code == 201
    tokens = (await ask("POST /auth/token", data={"username": email, "password": PASSWORD})).json()
    crowd.headers["ada"] = {"Authorization": f"Bearer {tokens['access_token']}"}
    refreshed = (await ask("POST /auth/refresh", json={"refresh_token": tokens["refresh_token"]})).json()
    key = (await ask("POST /api-keys", "staff")).json()["secret"]
    secrets = [tokens["access_token"], tokens["refresh_token"], refreshed["refresh_token"], refreshed["access_token"], key]
    wrong = [{"password": PASSWORD}, {"email": 1, "name": "", "password": PASSWORD, "caNary": PASSWORD}, [PASSWORD], PASSWORD]
    for body in wrong:
        await ask("POST /users", json=body)
        await ask("PATCH /users/me", "ada", json=body)
        await ask("POST /auth/password-reset", json=body)
    await ask("POST /users", json={"email": email, "name": "Ada", "password": PASSWORD})
    await ask("POST /users", json={"email": crowd.email(), "name": PASSWORD, "password": PASSWORD})
    await ask("POST /users", content=json.dumps({"password": PASSWORD})[:-1].encode(), headers=BODY)
    await ask("POST /auth/token", data={"username": email, "password": f"{PASSWORD} and more"})
    await ask("POST /auth/token", json={"username": email, "password": PASSWORD})
    await ask("POST /auth/token", content=f"password={PASSWORD}&password={PASSWORD}".encode())
    await ask("PATCH /users/me", "ada", json={"password": "caNary", "current_password": PASSWORD})
    await ask("DELETE /users/me", "ada", json={"current_password": f"{PASSWORD} and more"})
    for secret in (*secrets, PASSWORD):
        crowd.headers["nearly"] = {"Authorization": f"Bearer {secret}x"}
        await ask("GET /users/me", "nearly")
        crowd.headers["basic"] = {"Authorization": f"Basic {secret}"}
        await ask("GET /users/me", "basic")
        for route in ("POST /auth/refresh", "POST /auth/logout"):
            await ask(route, json={"refresh_token": f"{secret}x"})
            await ask(route, json={"refresh_token": [secret], "token": secret})
        for route in ("POST /auth/verify-email", "POST /auth/password-reset"):
            await ask(route, json={"token": secret, "password": PASSWORD})
        for path in ("/", "/products/", "/users/", "/api-keys/", "/orders/"):
            await ask(f"GET {path}{secret}", "staff")
            await ask(f"GET {path}", "staff", params={"token": secret, "cursor": secret, "limit": secret})
        await ask("POST /orders", "ada", headers={"Idempotency-Key": f"{secret}\x7f", "X-Request-ID": f"{secret} "})
    return secrets, [answer for answer in answers if answer.status_code >= 400]


class TestSecrets:
    async def test_are_in_no_refusal_no_log_no_figure_and_no_documentation(
        self, book_url: DatabaseUrl, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with capture_logs() as log:
            async with gathered(_with_password(book_url), **SETTINGS) as crowd:
                tokens, refusals = await use(crowd)
                secrets = canaries(crowd, tokens)
                described = (await crowd.shop.client.get("/openapi.json")).text
                figures = (await crowd.shop.client.get("/metrics")).text
                texts = [repr(crowd.shop.services.settings), str(crowd.shop.services.settings), *_texts(crowd)]
        assert len(refusals) > 100
        for answer in refusals:
            shown = f"{_without_names(answer)} {answer.headers!r}"
            assert found(secrets, shown) == [], (answer.request.method, answer.request.url.path, shown)
        assert found(secrets, str(log)) == []
        # The client's own lines say which addresses the test asked for.
        lines = [f"{each.name} {each.getMessage()} {each.exc_info}" for each in caplog.records if each.name != "httpx"]
        assert found(secrets, "".join(lines)) == []
        assert found(secrets, "".join(capfd.readouterr())) == []
        assert found(secrets, described) == []
        assert found(secrets, figures) == []
        for text in texts:
            assert found(secrets, text) == [], text[:300]

    async def test_are_in_no_account_of_what_went_wrong_with_mail(self, sqlite_book: DatabaseUrl) -> None:
        """A server that takes no mail is told of, and neither its password nor the link that was in the mail."""
        with capture_logs() as log:
            async with gathered(sqlite_book, **SETTINGS) as crowd:
                del crowd.shop.services.__dict__["post"]
                for name in ("links", "accounts", "own_accounts"):
                    crowd.shop.services.__dict__.pop(name, None)
                mailer: Any = crowd.shop.services.post._mailer
                object.__setattr__(mailer, "pause_s", lambda _: 0)
                await crowd.ask("POST /auth/password-reset/request", "nobody", json={"email": crowd.emails["owner"]})
                await crowd.shop.services.post.finish()
        assert [entry["event"] for entry in log if entry["log_level"] in {"warning", "error"}] == ["mail_not_sent"]
        assert found({"caNary", "#", crowd.emails["owner"]}, str(log)) == []

    def test_are_in_no_refusal_of_settings(self) -> None:
        wrong = {
            "secret_key": "caNary",
            "smtp_url": "imap://caNary:caNary@localhost",
            "redis_url": "http://caNary@localhost",
            "database_url": "mysql://caNary:caNary@localhost/caNary",
        }
        for name, value in wrong.items():
            with pytest.raises(ServiceError) as refused:
                load(**{name: value}).database  # noqa: B018  # a database's URL is read when it is asked for
            assert "caNary" not in f"{refused.value} {refused.value!r} {refused.value.details}", name

    def test_are_in_nothing_that_a_server_says(self, sqlite_book: DatabaseUrl) -> None:
        with serving(sqlite_book, **SETTINGS) as server:
            setup = server.setup_link
            for path in ("/users/me", f"/{KEY}", f"/users?password={KEY}"):
                httpx.get(f"{server.url}{path}", headers={"Authorization": f"Bearer {KEY}", "Cookie": KEY})
        said = "\n".join(server.lines)
        assert "caNary" not in said
        assert said.count(setup.partition("#")[2]) == 1  # the link that is printed for the first member of staff


def _with_password(url: DatabaseUrl) -> DatabaseUrl:
    """Return the URL with a password, which this server of tests takes whatever it is."""
    return url if url.embedded else DatabaseUrl(url.secret_url.replace("postgres@", "postgres:caNary-database@", 1))


def _texts(crowd: Crowd) -> list[str]:
    """Return what every object of ours that there is shows of itself, as a traceback with values would."""
    ours = [each for each in gc.get_objects() if str(type(each).__module__).startswith("ordermill.")]
    return [repr(each) for each in (*vars(crowd.shop.services).values(), *ours) if not isinstance(each, dict | str)]


def _without_names(answer: httpx.Response) -> str:
    body = answer.json()
    plain = [{name: text for name, text in error.items() if name != "pointer"} for error in body.get("errors", ())]
    return json.dumps({**body, "errors": plain})
