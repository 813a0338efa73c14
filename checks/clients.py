"""
Generates the clients that developers generate, from the description that a server gives out, and buys something with one:
`python -m checks.clients`, or `make clients`.

    openapi-python-client   without a warning; then examples/client/order.py, which uses what came of it
    openapi-typescript      and the TypeScript compiler over what came of it; left out where there is no npx

In a temporary directory, with a virtual environment of its own: the generator needs an older Typer than Ordermill.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PINS: Final = ROOT / "requirements/clients.txt"
SCRIPT: Final = ROOT / "examples/client/order.py"
# The newest compiler that the generator knows.
TYPESCRIPT: Final = ("--package", "openapi-typescript@7.13.0", "--package", "typescript@5.9.3")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ordermill-clients-") as name:
        directory = Path(name)
        with _shop(directory) as url:
            _python(directory, url)
            _typescript(directory, url)
    return 0


@contextmanager
def _shop(directory: Path) -> Iterator[str]:
    """Serve a new book with one product, and give the server's address."""
    environment = {**os.environ, "ORDERMILL_DATABASE_URL": f"sqlite:///{directory / 'shop.db'}"}
    ordermill = [sys.executable, "-m", "ordermill"]
    server = subprocess.Popen([*ordermill, "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None  # noqa: S101  # for the type checker: it is a pipe
        said: list[str] = []
        while not (found := re.match(r" +API +(\S+)$", said[-1] if said else "")):
            said.append(server.stderr.readline())
            if not said[-1]:
                sys.exit("The server did not start:\n" + "".join(said))
        _run([*ordermill, "products", "add", "TEA-1", "--name", "Tea", "--price", "4.50", "--stock", "20"], environment)
        yield found[1]
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _python(directory: Path, url: str) -> None:
    venv.create(directory / "python", with_pip=True)
    binaries = directory / "python" / "bin"
    _run([str(binaries / "python"), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(PINS)])
    # Ruff, which it puts its work into shape with, is found on the path only.
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(directory)}
    client = str(directory / "ordermill_client")
    told = _run(
        ["openapi-python-client", "generate", "--url", f"{url}/openapi.json", "--meta", "none", "--output-path", client],
        environment,
    )
    if "warning" in told.lower():
        sys.exit("openapi-python-client has something against the description.")
    _run([str(binaries / "python"), str(SCRIPT), url], environment)


def _typescript(directory: Path, url: str) -> None:
    npx = shutil.which("npx")
    if npx is None:
        print("There is no npx on this machine: the TypeScript client was left out.")
        return
    types = str(directory / "ordermill.ts")
    _run([npx, "--yes", *TYPESCRIPT, "openapi-typescript", f"{url}/openapi.json", "--output", types])
    _run([npx, "--yes", *TYPESCRIPT, "tsc", "--noEmit", "--strict", types])
    print("The TypeScript compiler takes what openapi-typescript made.")


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a command, show what it says and return it; end with its exit code where that is not 0."""
    where = environment["PATH"] if environment else os.environ["PATH"]
    program = shutil.which(command[0], path=where) or command[0]
    done = subprocess.run(
        [program, *command[1:]], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(done.stdout, end="")
    if done.returncode != 0:
        sys.exit(f"{Path(program).name} ended with {done.returncode}.")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
