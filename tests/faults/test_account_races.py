"""Accounts under races between real server processes: two on PostgreSQL, one with a command beside it on SQLite."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import httpx
import pytest
from serving import Served, serving

from ordermill.config import DatabaseUrl

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PASSWORD: Final = "a mill by the river"


@pytest.fixture
def servers(book_url: DatabaseUrl) -> Iterator[list[Served]]:
    with ExitStack() as running:
        yield [running.enter_context(serving(book_url)) for _ in range(1 if book_url.embedded else 2)]


async def posted(servers: list[Served], path: str, bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    """Send all bodies at once, to the servers in turn."""
    clients = [server.client() for server in servers]
    try:
        sent = (clients[number % len(clients)].post(path, json=body) for number, body in enumerate(bodies))
        return list(await asyncio.gather(*sent))
    finally:
        for client in clients:
            await client.aclose()


class TestRegister:
    async def test_lets_one_of_twenty_at_once_win(self, servers: list[Served]) -> None:
        """RELIABILITY.md E7: in upper and lower case, composed and decomposed, never a 5xx."""
        spellings = ("zoë@example.com", "ZOË@example.com", "zoe\u0308@example.com", "ZOE\u0308@EXAMPLE.COM")
        bodies = [{"email": spellings[n % 4], "name": f"Zoë {n}", "password": PASSWORD} for n in range(20)]

        answers = await posted(servers, "/users", bodies)

        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"email_taken"}


class TestSetUp:
    async def test_makes_one_staff_user_of_the_links_that_all_processes_printed(self, servers: list[Served]) -> None:
        tokens = [server.setup_link.partition("#")[2] for server in servers]
        bodies = [
            {"token": tokens[n % len(tokens)], "email": f"{n}@example.com", "name": "Ada", "password": PASSWORD}
            for n in range(10)
        ]

        answers = await posted(servers, "/setup", bodies)

        assert sorted(answer.status_code for answer in answers) == [201] + [422] * 9
        assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"link_invalid"}

        async with servers[-1].client() as client:
            (winner,) = [answer.json()["email"] for answer in answers if answer.status_code == 201]
            grant = (await client.post("/auth/token", data={"username": winner, "password": PASSWORD})).json()
            staff = {"Authorization": f"Bearer {grant['access_token']}"}
            users = (await client.get("/users", headers=staff)).json()["data"]
        assert [(user["email"], user["is_staff"]) for user in users] == [(winner, True)]
