"""One server process, from its start to its end in order."""

import asyncio
import ctypes
import gc
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from ordermill.cli.serving.connections import Connection
from ordermill.kit.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from ordermill.bootstrap import Services
    from ordermill.config import Settings

APPLICATION: Final = "ordermill.asgi:app"
# Connections that wait to be accepted; uvicorn's own default.
BACKLOG: Final = 2048
# Longer than load balancers keep theirs (60 s for most): the side that closes first must not be the one that is sent to.
KEEP_ALIVE_S: Final = 75
# M_MMAP_THRESHOLD of malloc.h.
_MMAP_THRESHOLD: Final = -3

Announce = Callable[["Services"], Awaitable[None]]


def listen(host: str, port: int) -> socket.socket:
    """
    Return a socket that listens; the system keeps connections waiting until somebody accepts them.

    Raises:
        Invalid: `host_unknown`.
        Unavailable: `port_in_use`, `port_unavailable`.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise Invalid(f"{host!r} is no address of this machine.", code="host_unknown") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _not_ours(error, host, port) from error
    listener.set_inheritable(True)
    return listener


def spread(listener: socket.socket, count: int) -> list[socket.socket]:
    """
    Return a socket for each worker, all at the address of `listener`, whose place they take.

    With one for all, whoever wakes first takes every connection that waits: of sixteen one of two workers was seen to take
    all. Linux spreads connections evenly over sockets that share a port; elsewhere they share the one socket.
    """
    if sys.platform != "linux":
        return [listener] * count
    family, address = listener.family, listener.getsockname()
    listener.close()  # it was alone there: nobody else has this port
    return [_bound(family, address) for _ in range(count)]


def _bound(family: socket.AddressFamily, address: Any) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(address)
        one.listen(BACKLOG)
    except OSError as error:
        one.close()
        raise _not_ours(error, *address[:2]) from error
    one.set_inheritable(True)
    return one


def url_of(listener: socket.socket) -> str:
    """Return where somebody on this machine reaches what listens there."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  # compared, not bound
    return f"http://{host}:{port}"


def run(listener: socket.socket, settings: "Settings", *, announce: Announce | None = None) -> None:
    """
    Serve until the process is told to stop, then finish what was begun.

    Args:
        announce: is called once requests are answered.

    Raises:
        Invalid: a setting is wrong.
        Unavailable: the order book cannot be opened.
    """
    config = uvicorn.Config(
        APPLICATION,
        http=Connection,
        ws="none",
        lifespan="off",  # it is ours: a refusal in it is to be a sentence
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the application reads them, from trusted proxies only
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.request_timeout,
    )
    _give_memory_back()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(config, listener, announce))


async def _serve(config: uvicorn.Config, listener: socket.socket, announce: Announce | None) -> None:
    config.load()
    application: Any = config.loaded_app
    async with application.router.lifespan_context(application):
        server = _Server(config, application.state)
        # All that is there now stays. Measured: without this a sixth of the server's time went into looking through it again.
        gc.collect()
        gc.freeze()
        begun = None if announce is None else asyncio.create_task(_announced(server, announce))
        await server.serve(sockets=[listener])
        if begun is not None:
            await begun


async def _announced(server: "_Server", announce: Announce) -> None:
    while not server.started:
        if server.should_exit:
            return
        await asyncio.sleep(0.005)
    await announce(server.state.services)


class _Server(uvicorn.Server):
    """Says that it is stopping as soon as it knows, and counts an end in order as no failure."""

    def __init__(self, config: uvicorn.Config, state: Any) -> None:
        super().__init__(config)
        self.state = state

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.state.readiness.stopping = True
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            # Uvicorn would raise the signal again; whoever sent it wanted this very end, and hears 0.
            self._captured_signals.clear()


def _give_memory_back() -> None:
    """
    Let glibc return what a password's hash took, 19 MiB each, as soon as it is done; measured: 20 MB less per process.

    Left alone it learns from the first that blocks of this size come and go, and keeps them.
    """
    with suppress(AttributeError, OSError):  # another C library has no such switch
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1024 * 1024)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _not_ours(error: OSError, host: str, port: int) -> Unavailable:
    import errno

    if error.errno == errno.EADDRINUSE:
        return Unavailable(f"Port {port} of {host} is in use; name another with --port.", code="port_in_use")
    reason = os.strerror(error.errno) if error.errno else str(error)
    return Unavailable(f"Port {port} of {host} cannot be used: {reason}.", code="port_unavailable")
