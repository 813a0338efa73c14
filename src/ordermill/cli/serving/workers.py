"""
Several server processes at one address: who dies is begun again, on the socket where connections waited for it meanwhile, and
all end together.

Each is a program of its own and not a fork, so that none inherits another's connections, threads or locks.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from ordermill.cli.console import complain
from ordermill.cli.program import Code

# Whoever dies at once would otherwise be begun a thousand times a second.
PAUSE_S: Final = 1.0
# Beyond what a worker itself allows for finishing.
GRACE_S: Final = 5
_HOPELESS: Final = frozenset({Code.USAGE, Code.ENVIRONMENT})


class Workers:
    """
    As many processes as are wanted.

    Args:
        listeners: one for each of them.
        patience_s: how long they may take to finish when they are told to stop.
    """

    def __init__(self, listeners: Sequence[socket.socket], *, patience_s: float) -> None:
        self._listeners = listeners
        self._patience_s = patience_s
        self._heard, self._told = os.pipe()
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopping = False

    def run(self, *, announce: Callable[[], None]) -> int:
        """
        Run them until this process is told to stop; return the exit code.

        Args:
            announce: is called once all of them answer requests.
        """
        with tempfile.TemporaryDirectory(prefix="ordermill-metrics-") as figures:
            # Each writes its figures there, so that whoever is asked for them can tell of all.
            environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": figures}
            before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
            try:
                self._running = [self._begin(listener, environment) for listener in self._listeners]
                code = self._watch(environment, announce)
            finally:
                self._end()
                for number, handler in before.items():
                    signal.signal(number, handler)
        return code

    def _begin(self, listener: socket.socket, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        handles = [listener.fileno(), self._told]
        command = [sys.executable, "-m", "ordermill.cli.serving.worker", *map(str, handles)]
        # In a group of its own: Ctrl-C is for us, who then stop all of them in order.
        return subprocess.Popen(command, env=environment, pass_fds=handles, process_group=0)  # noqa: S603  # our own program

    def _watch(self, environment: dict[str, str], announce: Callable[[], None]) -> int:
        ready = 0
        while not self._stopping:
            # Each writes one byte when it answers; those that were begun again later are read and not announced.
            if select.select([self._heard], [], [], 0.1)[0]:
                before, ready = ready, ready + len(os.read(self._heard, 64))
                if before < len(self._listeners) <= ready:
                    announce()
            for place, worker in enumerate(self._running):
                code = worker.poll()
                if code is None or self._stopping:
                    continue
                if code in _HOPELESS:
                    return code  # its sentence stands on stderr, and would be the same again
                complain(f"Worker {worker.pid} ended with {code}; another takes its place.")
                time.sleep(PAUSE_S)
                self._running[place] = self._begin(self._listeners[place], environment)
        return Code.DONE

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        os.close(self._told)
        os.close(self._heard)
        for worker in self._running:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        give_up_at = time.monotonic() + self._patience_s + GRACE_S
        for worker in self._running:
            try:
                worker.wait(max(give_up_at - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
