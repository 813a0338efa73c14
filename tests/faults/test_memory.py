"""Memory stays flat whatever the file's size (F7): a file four times as long takes no more of it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from servers import Postgres

from ordermill.config import DatabaseUrl

CEILING_MIB = 400
# What may come and go between two runs of the same program: the allocator's mood, and eight bytes a customer.
SLACK_MIB = 60

# The child tells its own high-water mark: getrusage would count what it inherited from pytest.
CHILD = """
import pathlib, sys
from ordermill.cli import main
try:
    main()
finally:
    print(pathlib.Path("/proc/self/status").read_text(), file=sys.stderr)
"""


def _write_export(path: Path, *, lines: int) -> Path:
    with path.open("w") as file:
        file.write("number,placed_at,currency,customer_email,sku,name,quantity,unit_price\n")
        for line in range(lines):
            order = line // 3
            moment = f"2026-{order % 12 + 1:02}-{order % 28 + 1:02}T{order % 24:02}:00:00Z"
            file.write(f"M{order},{moment},EUR,buyer{order % 5000}@example.org,SKU-{line % 900},A thing,1,{order % 80}.25\n")
    return path


def _peak_mib(export: Path, url: str) -> int:
    command = [sys.executable, "-c", CHILD, "process", str(export), "--database", url, "--json"]
    done = subprocess.run(command, cwd=export.parent, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return int(re.findall(r"VmHWM:\s+(\d+) kB", done.stderr)[0]) // 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell a process's peak of memory")
class TestMemory:
    def test_is_flat_on_sqlite(self, tmp_path: Path, sqlite_book: DatabaseUrl) -> None:
        self._stays_flat(tmp_path, sqlite_book.secret_url)

    def test_is_flat_on_postgresql(self, tmp_path: Path, postgres: Postgres, postgres_book: DatabaseUrl) -> None:
        self._stays_flat(tmp_path, postgres_book.secret_url)

    def _stays_flat(self, directory: Path, url: str) -> None:
        short = _peak_mib(_write_export(directory / "short.csv", lines=100_000), url)
        long = _peak_mib(_write_export(directory / "long.csv", lines=400_000), url)

        assert long < CEILING_MIB
        assert long - short < SLACK_MIB
