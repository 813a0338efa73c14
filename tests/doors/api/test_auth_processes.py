"""Signing in at real servers: races across processes, guessing at two doors at once, and many sign-ins at a time."""

import asyncio
import math
import re
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from serving import SECRET, Served, serving

from ordermill.accounts.drafts import UserCreate
from ordermill.bootstrap import open_services
from ordermill.config import DatabaseUrl, load

pytestmark = pytest.mark.anyio

PASSWORD = "a mill by the river"
MEBIBYTE = 1024 * 1024


async def register(url: DatabaseUrl, *emails: str) -> None:
    async with open_services(load(database_url=url.secret_url, secret_key=SECRET)) as services:
        for email in emails:
            await services.accounts.create(UserCreate(email=email, name="Ada", password=PASSWORD), actor="command")


async def sign_in(client: httpx.AsyncClient, email: str = "ada@example.com", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/auth/token", data={"username": email, "password": password})


class TestTwoProcesses:
    async def test_know_each_other_s_tokens_and_keep_one_lineage(self, postgres_book: DatabaseUrl) -> None:
        """RELIABILITY.md C2, C4: twenty refreshes of one token at two servers end in one successor, which works once."""
        await register(postgres_book, "ada@example.com")
        with serving(postgres_book) as one, serving(postgres_book) as two:
            async with one.client() as here, two.client() as there:
                tokens = (await sign_in(here)).json()
                headers = {"Authorization": f"Bearer {tokens['access_token']}"}
                assert (await there.get("/users/me", headers=headers)).status_code == 200

                body = {"refresh_token": tokens["refresh_token"]}
                clients = (here, there)
                answers = await asyncio.gather(*(clients[n % 2].post("/auth/refresh", json=body) for n in range(20)))

                assert {answer.status_code for answer in answers} == {200}
                (successor,) = {answer.json()["refresh_token"] for answer in answers}
                assert (await there.post("/auth/refresh", json={"refresh_token": successor})).status_code == 200
                assert (await here.post("/auth/refresh", json=body)).status_code == 401

    async def test_count_the_same_failures(self, postgres_book: DatabaseUrl) -> None:
        """RELIABILITY.md C9: a script that guesses at both doors gets as far as at one, and the right password no further."""
        await register(postgres_book, "ada@example.com")
        with serving(postgres_book) as one, serving(postgres_book) as two:
            async with one.client() as here, two.client() as there:
                begun = time.monotonic()
                guesses = [sign_in((here, there)[n % 2], password=f"guess number {n}") for n in range(40)]
                statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
                # Five, and one more after a second, after three, after seven, …
                allowed = 5 + math.log2(time.monotonic() - begun + 1)

        assert set(statuses) == {400, 429}
        assert 5 <= statuses.count(400) <= allowed
        with psycopg.connect(postgres_book.secret_url) as connection:
            counted = connection.execute("SELECT max(failures) FROM sign_in_throttles").fetchone()
        assert counted == (statuses.count(400),)


class TestManyAtOnce:
    async def test_memory_stays_bounded_and_others_are_answered(self, book_url: DatabaseUrl) -> None:
        """RELIABILITY.md C7: 200 at once would take 3.8 GB if each had its 19 MiB."""
        emails = [f"{number}@example.com" for number in range(10)]
        await register(book_url, *emails)
        with serving(book_url, request_timeout="120") as server:
            async with server.client(limits=httpx.Limits(max_connections=250)) as client, server.client() as other:
                await sign_in(client, emails[0])
                before = _memory(server)
                attempts = [asyncio.create_task(sign_in(client, emails[number % 10])) for number in range(200)]
                answered = 0
                while not all(attempt.done() for attempt in attempts):
                    answered += (await other.get("/livez")).status_code == 200
                    await asyncio.sleep(0.05)
                answers = await asyncio.gather(*attempts)

            assert {answer.status_code for answer in answers} <= {200, 429}
            assert sum(answer.status_code == 200 for answer in answers) >= 50
            assert _memory(server, peak=True) - before < 160 * MEBIBYTE
            # On the event loop, all hashes of a turn would come before the next answer.
            assert answered >= 10


def _memory(server: Served, *, peak: bool = False) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)" if peak else r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) * 1024
