"""The proxy configuration of docs/operations.md, on a real nginx before a real server; left out where there is no nginx."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
from serving import Served, serving

from ordermill.config import DatabaseUrl

NGINX: Final = shutil.which("nginx")
DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs/operations.md"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="There is no nginx on this machine.")]


@dataclass(frozen=True, slots=True)
class Proxied:
    url: str
    port: int
    server: Served


def documented(directory: Path, *, to: int, port: int) -> Path:
    """Write the documented configuration for a server and a port of the test's own."""
    found = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    body = found[1].replace("127.0.0.1:8000", f"127.0.0.1:{to}").replace("listen 8080", f"listen 127.0.0.1:{port}")
    # Its waits are cut, for a test should not take as long.
    body = body.replace("client_header_timeout 10s", "client_header_timeout 1s")
    places = "".join(f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file = directory / "nginx.conf"
    file.write_text(
        f"daemon off;\nmaster_process off;\npid {directory}/nginx.pid;\nerror_log {directory}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{places}{body}}}\n"
    )
    return file


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def proxied(sqlite_book: DatabaseUrl, tmp_path: Path) -> Iterator[Proxied]:
    with serving(sqlite_book, trusted_proxies="127.0.0.0/8", body_limit="2048") as server:
        port = free_port()
        file = documented(tmp_path, to=server.port, port=port)
        process = subprocess.Popen([str(NGINX), "-c", str(file), "-p", str(tmp_path)], stderr=subprocess.DEVNULL)
        try:
            wait_until_open(port)
            yield Proxied(f"http://127.0.0.1:{port}", port, server)
        finally:
            process.terminate()
            process.wait(20)


def wait_until_open(port: int) -> None:
    give_up_at = time.monotonic() + 20
    while time.monotonic() < give_up_at:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return


def test_hands_on_who_asks_and_names_the_request(proxied: Proxied) -> None:
    answer = httpx.get(f"{proxied.url}/users/me", headers={"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 401
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
    proxied.server.wait_for(answer.headers["x-request-id"])
    (entry,) = [entry for entry in proxied.server.log("request") if entry["request_id"] == answer.headers["x-request-id"]]
    assert entry["address"] == "203.0.113.9"  # the test's machine is in the trusted network


def test_nobody_is_on_this_machine_behind_it(proxied: Proxied) -> None:
    assert httpx.get(f"{proxied.url}/metrics").status_code == 401


def test_refusals_come_through_as_problems(proxied: Proxied) -> None:
    answer = httpx.post(f"{proxied.url}/users", content=b" " * 4000, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_half_a_header_never_reaches_the_server(proxied: Proxied) -> None:
    with socket.create_connection(("127.0.0.1", proxied.port)) as half:
        half.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        half.settimeout(20)
        began = time.monotonic()
        while half.recv(4096):
            pass
        assert time.monotonic() - began < 10
