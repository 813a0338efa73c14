"""
Load on one route: wrk where there is one, else a plain client in Python that says so.

Each answer is checked for its status and for a word that only a right answer holds.
"""

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

WRK: Final = shutil.which("wrk")
CLIENT: Final = "wrk" if WRK else "a client in Python, since there is no wrk: it takes more of the machine"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent over and over: one of `paths` or `bodies` in turn; a POST has a new Idempotency-Key each time."""

    method: str
    paths: Sequence[str]
    headers: Mapping[str, str]
    status: int
    word: str
    bodies: Sequence[str] = ("",)


@dataclass(slots=True)
class Outcome:
    """What came of it. Times in milliseconds."""

    requests: int = 0
    wrong: int = 0
    seconds: float = 0
    median_ms: float = 0
    p99_ms: float = 0
    example: str = field(default="", repr=False)

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def put(base: str, request: Request, *, connections: int, seconds: int) -> Outcome:
    """Send for so long, over so many connections at once."""
    if WRK:
        return _with_wrk(WRK, base, request, connections=connections, seconds=seconds)
    return asyncio.run(_with_python(base, request, connections=connections, seconds=seconds))


# Keys are unique over threads and runs: a replay would be cheaper than an order.
_SCRIPT: Final = """
local paths = { %(paths)s }
local bodies = { %(bodies)s }
local headers = { %(headers)s }
local threads = {}
function setup(thread) thread:set("number", #threads) table.insert(threads, thread) end
function init(args) count = 0 wrong = 0 example = "" math.randomseed(number + %(seed)d) end
function request()
    count = count + 1
    if "%(method)s" == "POST" then headers["Idempotency-Key"] = "%(seed)d-" .. number .. "-" .. count end
    return wrk.format("%(method)s", paths[math.random(#paths)], headers, bodies[math.random(#bodies)])
end
function response(status, headers, body)
    if status ~= %(status)d or not string.find(body, %(word)s, 1, true) then
        wrong = wrong + 1
        if example == "" then example = status .. " " .. string.sub(body, 1, 300) end
    end
end
function done(summary, latency, requests)
    local wrong, example = 0, ""
    for _, thread in ipairs(threads) do
        wrong = wrong + thread:get("wrong")
        if example == "" then example = thread:get("example") end
    end
    local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    io.write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, wrong + failed, summary.duration,
        latency:percentile(50), latency:percentile(99)))
    io.write("EXAMPLE " .. example .. "\\n")
end
"""


def _with_wrk(wrk: str, base: str, request: Request, *, connections: int, seconds: int) -> Outcome:
    script = _SCRIPT % {
        "paths": ", ".join(map(_lua, request.paths)),
        "bodies": ", ".join(map(_lua, request.bodies)),
        "headers": ", ".join(f"[{_lua(name)}] = {_lua(value)}" for name, value in request.headers.items()),
        "method": request.method,
        "status": request.status,
        "word": _lua(request.word),
        "seed": time.time_ns() // 1_000 % 10**9,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        threads = str(min(2, connections))
        command = [wrk, f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", file.name, base]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", said, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"wrk gave no result:\n{said}")
    requests, wrong, microseconds, median, p99 = map(int, found.groups())
    example = said.partition("EXAMPLE ")[2].strip()
    return Outcome(requests, wrong, microseconds / 1e6, median / 1e3, p99 / 1e3, example)


def _lua(text: str) -> str:
    return json.dumps(text)  # the escapes that occur are the same


async def _with_python(base: str, request: Request, *, connections: int, seconds: int) -> Outcome:
    outcome, times = Outcome(), list[float]()
    begun = time.perf_counter()
    end = begun + seconds
    await asyncio.gather(*(_one(base, request, (outcome, times), number=n, end=end) for n in range(connections)))
    outcome.seconds = time.perf_counter() - begun
    cuts = quantiles(times, n=100)
    outcome.median_ms, outcome.p99_ms = cuts[49] * 1e3, cuts[98] * 1e3
    return outcome


async def _one(base: str, request: Request, told: tuple[Outcome, list[float]], *, number: int, end: float) -> None:
    outcome, times = told
    where = urlsplit(base)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    seed, count = time.time_ns(), number
    while (begun := time.perf_counter()) < end:
        count += 1
        body = request.bodies[count % len(request.bodies)].encode()
        first = f"{request.method} {request.paths[count % len(request.paths)]} HTTP/1.1\r\nHost: {where.netloc}\r\n"
        key = f"Idempotency-Key: {seed}-{number}-{count}\r\n" if request.method == "POST" else ""
        writer.write(f"{first}{headers}{key}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        answer = await reader.readexactly(int(head.partition("content-length: ")[2].split("\r\n")[0]))
        times.append(time.perf_counter() - begun)
        outcome.requests += 1
        if int(head.split()[1]) != request.status or request.word.encode() not in answer:
            outcome.wrong += 1
            outcome.example = outcome.example or f"{head.split()[1]} {answer[:300]!r}"
    writer.close()
    await writer.wait_closed()
