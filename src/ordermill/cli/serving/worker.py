"""What one of several workers runs: `python -m ordermill.cli.serving.worker SOCKET PIPE`, begun by `workers` alone."""

import logging
import os
import signal
import socket
import sys

from ordermill.cli.console import complain
from ordermill.cli.logs import to_stderr
from ordermill.cli.program import code_of
from ordermill.cli.serving.server import run
from ordermill.config import load
from ordermill.kit.errors import ServiceError


def main(listener: int, told: int) -> int:
    """
    Serve on an inherited socket; return the exit code.

    Args:
        told: a pipe that gets one byte when requests are answered.
    """

    async def announce(_services: object) -> None:
        os.write(told, b"1")
        os.close(told)

    to_stderr(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # before there is a server to stop in order
    try:
        run(socket.socket(fileno=listener), load(), announce=announce)
    except ServiceError as refusal:
        complain(refusal.message)
        return code_of(refusal)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
