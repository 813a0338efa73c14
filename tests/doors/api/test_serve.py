"""`ordermill serve` as a process: how it starts, what it refuses, how it stops, and what it withstands meanwhile."""

import asyncio
import os
import signal
import socket
import stat
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from servers import Postgres, Redis
from serving import SECRET, refused, serving

from ordermill.config import DatabaseUrl

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PASSWORD = "a mill by the river"
ADA = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}


def connections(url: DatabaseUrl) -> int:
    """Return how many connections of Ordermill a PostgreSQL database has that are at work, or wait in a transaction."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'ordermill' AND state <> 'idle'"
    )
    with psycopg.connect(url.secret_url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def settled(url: str) -> str:
    """Return the figures once nothing is under way but this question, or what they are after half a minute."""
    give_up_at = time.monotonic() + 30
    while "in_flight 1.0" not in (figures := httpx.get(f"{url}/metrics").text) and time.monotonic() < give_up_at:
        time.sleep(0.1)
    return figures


class TestStart:
    def test_on_an_empty_directory_makes_the_book_and_says_where_it_is(self, tmp_path: Path) -> None:
        url = DatabaseUrl(f"sqlite:///{tmp_path / 'shop.db'}")
        with serving(url, secret_key="") as server:
            assert httpx.get(f"{server.url}/readyz").json() == {"status": "ready"}
            assert server.lines[0].endswith(f"serves {url}.")
            assert server.setup_link.startswith(f"{server.url}/setup#")
            assert httpx.get(server.setup_link).status_code == 200
        assert stat.S_IMODE((tmp_path / "shop.db.key").stat().st_mode) == 0o600
        with serving(url, secret_key="") as server:
            assert httpx.get(f"{server.url}/readyz").status_code == 200

    def test_on_a_server_database(self, postgres_book: DatabaseUrl) -> None:
        with serving(postgres_book) as server:
            assert httpx.get(f"{server.url}/readyz").json() == {"status": "ready"}

    def test_a_second_server_of_an_embedded_book_is_refused(self, sqlite_book: DatabaseUrl) -> None:
        with serving(sqlite_book) as server:
            second = refused(sqlite_book)
            assert second.process.returncode == 3
            assert f"served already, by process {server.process.pid}" in second.wait_for("served already").string
            assert httpx.get(f"{server.url}/readyz").status_code == 200

    def test_also_when_the_file_goes_by_another_name(self, sqlite_book: DatabaseUrl, tmp_path: Path) -> None:
        link = tmp_path / "link.db"
        link.symlink_to(sqlite_book.path)
        with serving(sqlite_book):
            assert refused(DatabaseUrl(f"sqlite:///{link}")).process.returncode == 3

    def test_the_lock_goes_with_a_server_that_was_killed(self, sqlite_book: DatabaseUrl) -> None:
        with serving(sqlite_book) as server:
            server.process.kill()
            server.process.wait()
        with serving(sqlite_book) as server:
            assert httpx.get(f"{server.url}/readyz").status_code == 200

    def test_a_port_that_is_in_use(self, sqlite_book: DatabaseUrl) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            server = refused(sqlite_book, "--port", port)
            assert server.process.returncode == 3
            assert server.wait_for("in use").string == f"Port {port} of 127.0.0.1 is in use; name another with --port."

    def test_several_workers_on_an_embedded_book(self, sqlite_book: DatabaseUrl) -> None:
        server = refused(sqlite_book, "--workers", "2")
        assert server.process.returncode == 2
        server.wait_for("An embedded book has one server process")

    def test_a_server_database_without_a_secret(self, postgres_book: DatabaseUrl) -> None:
        server = refused(postgres_book, secret_key="")
        assert server.process.returncode == 3
        server.wait_for("needs ORDERMILL_SECRET_KEY")

    @pytest.mark.parametrize("weak", ["changeme", "changeme" * 8, SECRET[:42]])
    def test_a_weak_secret(self, sqlite_book: DatabaseUrl, weak: str) -> None:
        server = refused(sqlite_book, secret_key=weak)
        assert server.process.returncode == 2
        assert weak not in server.wait_for("ORDERMILL_SECRET_KEY").string

    def test_a_server_database_without_tables_gets_none(self, postgres_url: str) -> None:
        server = refused(DatabaseUrl(postgres_url))
        assert server.process.returncode == 3
        server.wait_for("There is no order book at .* yet; `ordermill migrate` creates it")
        with psycopg.connect(postgres_url) as connection:
            assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (
                "DELETE FROM django_migrations WHERE app = 'ordermill' AND name LIKE '0003%'",
                "older Ordermill; run `ordermill migrate`",
            ),
            (
                "INSERT INTO django_migrations (app, name, applied) VALUES ('ordermill', '9999_x', '2030-01-01')",
                "newer Ordermill",
            ),
        ],
    )
    def test_another_schema(self, sqlite_book: DatabaseUrl, change: str, sentence: str) -> None:
        import sqlite3  # noqa: PLC0415  # beside what it is for

        with sqlite3.connect(sqlite_book.path) as connection:
            connection.execute(change)
        server = refused(sqlite_book)
        assert server.process.returncode == 3
        server.wait_for(sentence)


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_in_order_is_no_failure(self, book_url: DatabaseUrl, number: signal.Signals) -> None:
        with serving(book_url) as server:
            assert httpx.get(f"{server.url}/readyz").status_code == 200
            assert server.stop(number) == 0

    async def test_what_was_begun_is_finished_and_nothing_new_is_taken(self, sqlite_book: DatabaseUrl) -> None:
        with serving(sqlite_book) as server:
            async with server.client() as client:
                # Hashing takes a while, so that all of these are under way when the signal comes.
                asked = [
                    asyncio.create_task(client.post("/users", json={**ADA, "email": f"ada{n}@example.com"})) for n in range(12)
                ]
                await asyncio.to_thread(server.wait_for, '"event":"request"')
                server.process.send_signal(signal.SIGTERM)
                answers = await asyncio.gather(*asked)
                assert [answer.status_code for answer in answers] == [201] * 12
                await asyncio.to_thread(server.process.wait, 30)
                with pytest.raises(httpx.ConnectError):
                    await client.get("/livez")
            assert server.process.returncode == 0

    def test_a_client_that_keeps_its_connection_does_not_hold_it_up(self, sqlite_book: DatabaseUrl) -> None:
        with serving(sqlite_book) as server, httpx.Client(base_url=server.url) as client:
            client.get("/livez")
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 5


class TestWorkers:
    def test_share_a_port_count_together_and_stop_together(self, postgres_book: DatabaseUrl) -> None:
        with serving(postgres_book, "--workers", "2") as server:
            for _ in range(60):
                assert httpx.get(f"{server.url}/users/me").status_code == 401
            text = httpx.get(f"{server.url}/metrics").text
            assert 'ordermill_http_request_duration_seconds_count{method="GET",route="/users/me",status="401"} 60.0' in text
            assert server.stop() == 0

    def test_one_that_dies_is_begun_again(self, postgres_book: DatabaseUrl) -> None:
        with serving(postgres_book, "--workers", "2") as server:
            assert httpx.get(f"{server.url}/readyz").status_code == 200
            children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
            assert len(children) == 2
            os.kill(int(children[0]), signal.SIGKILL)
            server.wait_for(f"Worker {children[0]} ended with -9; another takes its place")
            for _ in range(20):
                assert httpx.get(f"{server.url}/readyz", timeout=30).status_code == 200


class TestFaults:
    async def test_the_database_goes_away_and_comes_back(self, postgres_book: DatabaseUrl, postgres: Postgres) -> None:
        with serving(postgres_book) as server:
            async with server.client() as client:
                assert (await client.post("/users", json=ADA)).status_code == 201
                postgres.stop()
                try:
                    gone_at = time.monotonic()
                    while time.monotonic() - gone_at < 4:
                        assert (await client.get("/livez")).status_code == 200
                        assert (await client.get("/readyz")).status_code == 503
                        answer = await client.post("/users", json={**ADA, "email": "bob@example.com"})
                        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
                        assert int(answer.headers["retry-after"]) >= 1
                finally:
                    postgres.start()
                await self.recovered(client)
                assert (await client.post("/users", json={**ADA, "email": "bob@example.com"})).status_code == 201

    async def test_the_database_falls_silent(self, postgres_book: DatabaseUrl, postgres: Postgres) -> None:
        """Nothing breaks when nobody answers, and so nothing is noticed but by the clock."""
        with serving(postgres_book, request_timeout="3") as server:
            async with server.client() as client:
                assert (await client.get("/products")).status_code == 200
                family = silence(postgres)
                try:
                    began = time.monotonic()
                    answer = await client.get("/products")
                    assert (answer.status_code, answer.json()["code"]) == (503, "timed_out")
                    assert time.monotonic() - began < 8
                    assert (await client.get("/livez")).status_code == 200
                    assert (await client.get("/readyz")).status_code == 503
                finally:
                    for pid in family:
                        os.kill(pid, signal.SIGCONT)
                await self.recovered(client)
                assert (await client.get("/products")).status_code == 200

    async def test_500_requests_that_nobody_waits_for_leave_no_connection(self, postgres_book: DatabaseUrl) -> None:
        with serving(postgres_book) as server:
            async with server.client() as client:
                await client.post("/users", json=ADA)
            for _ in range(10):
                await asyncio.gather(*(given_up(server.port) for _ in range(50)))
            metrics = await asyncio.to_thread(settled, server.url)
            assert connections(postgres_book) == 0
            assert "ordermill_database_connections_in_use 0.0" in metrics
            assert "ordermill_http_requests_in_flight 1.0" in metrics

    async def test_a_silent_redis_stalls_nobody(self, sqlite_book: DatabaseUrl, redis: Redis, redis_url: str) -> None:
        with serving(sqlite_book, redis_url=redis_url) as server:
            async with server.client() as client:
                await client.get("/users/me")
                redis.pause()
                try:
                    for _ in range(10):
                        began = time.monotonic()
                        assert (await client.get("/users/me")).status_code == 401
                        assert time.monotonic() - began < 0.3
                finally:
                    redis.resume()
            server.wait_for("redis_lost")

    async def recovered(self, client: httpx.AsyncClient) -> None:
        give_up_at = time.monotonic() + 15
        while (await client.get("/readyz")).status_code != 200:
            assert time.monotonic() < give_up_at, "It does not recover by itself."
            await asyncio.sleep(0.2)


class TestConnections:
    """What uvicorn leaves open: a header must be whole in time, and not too large."""

    def test_half_a_header_is_not_waited_for(self, sqlite_book: DatabaseUrl) -> None:
        with serving(sqlite_book) as server, socket.create_connection(("127.0.0.1", server.port)) as half:
            half.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            half.settimeout(20)
            began = time.monotonic()
            answer = half.recv(4096)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert 8 < time.monotonic() - began < 15

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 100_000 + b"\r\n\r\n", 431),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-Many: x\r\n" * 10_000 + b"\r\n", 431),
            (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
            (b"nonsense\r\n\r\n", 400),
            (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            (b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
            (b"POST /users HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ],
    )
    def test_what_is_no_request_of_ours_is_a_problem(self, sqlite_book: DatabaseUrl, sent: bytes, status: int) -> None:
        with serving(sqlite_book) as server:
            head, body = exchanged(server.port, sent)
            assert head.startswith(b"HTTP/1.1 %d " % status)
            assert b"application/problem+json" in head
            assert b'"status": %d' % status in body
            assert httpx.get(f"{server.url}/livez").status_code == 200

    def test_a_header_that_is_large_and_not_too_large(self, sqlite_book: DatabaseUrl) -> None:
        with serving(sqlite_book) as server:
            assert httpx.get(f"{server.url}/livez", headers={"X-Big": "x" * 30_000}).status_code == 200
            with httpx.Client(base_url=server.url) as client:
                for _ in range(20):  # each counts for itself
                    assert client.get("/livez", headers={"X-Big": "x" * 30_000}).status_code == 200

    def test_a_body_that_nobody_reads_does_not_keep_the_connection(self, sqlite_book: DatabaseUrl) -> None:
        with serving(sqlite_book) as server, socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(b"POST /api-keys HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
            slow.settimeout(20)
            assert slow.recv(65536).startswith(b"HTTP/1.1 401 ")
            while slow.recv(65536):
                pass


def exchanged(port: int, sent: bytes) -> tuple[bytes, bytes]:
    """Send bytes as they are and return the head and the body of what comes back."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(20)
        received = b""
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
            connection.sendall(sent)
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


async def given_up(port: int) -> None:
    """Send a request that asks the database, and be gone before it is answered."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /products HTTP/1.1\r\nHost: x\r\n\r\n")
    await writer.drain()
    writer.transport.abort()


def silence(postgres: Postgres) -> list[int]:
    """Stop a PostgreSQL in its tracks, with all processes that serve its connections."""
    children = Path(f"/proc/{postgres.pid}/task/{postgres.pid}/children").read_text().split()
    family = [postgres.pid, *map(int, children)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    return family
