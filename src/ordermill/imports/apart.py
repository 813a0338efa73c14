"""
Whole orders only: what the second pass hands on, though a block may end within an order and its lines may lie apart.

The lines of orders that lie apart are held aside and come last; many of them on disk, so that memory stays flat.
"""

import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import polars as pl

from ordermill.imports.scan import Keys, Scan, among, hashed
from ordermill.kit.errors import Unavailable

ASIDE_LIMIT: Final = 50_000  # lines in memory at a time: 75 MB of the widest export, with 1.5 kB a line
FILES_LIMIT: Final = 256  # temporary files; beyond 12 million lines apart each holds more lines instead
_LENGTH_BYTES: Final = 8


def whole_orders(blocks: Iterable[pl.DataFrame], *, keys: Keys, scan: Scan) -> Iterator[pl.DataFrame]:
    """
    Regroup the blocks of the second pass so that each frame holds all lines of each of its orders.

    Orders whose lines lie together come first, in file order; then the others, by their first lines
    within each frame. The same file gives the same frames.

    Returns:
        Frames as they came, with `_key` (see `scan.Keys`) beside the other columns.

    Raises:
        Unavailable: there is no room for the temporary files (`no_room`).
    """
    carried: pl.DataFrame | None = None
    with ExitStack() as stack:
        aside = _Aside(scan.apart_lines, stack)
        for block in blocks:
            lines = block.with_columns(keys.of(block))
            split = among(hashed(lines["_key"]), scan.apart)
            if split.any():
                aside.add(lines.filter(split))
                lines = lines.filter(~split)
            if carried is not None:
                lines = pl.concat([carried, lines])
            whole = len(lines) - _last_run(lines["_key"])
            carried = lines.slice(whole)
            if whole:
                yield lines.head(whole)
        if carried is not None and len(carried):
            yield carried
        yield from aside.orders()


def _last_run(keys: pl.Series) -> int:
    """Return how many lines at the end belong to an order that may go on; one without a key is complete."""
    if keys.is_empty() or keys[-1] is None:
        return 0
    others = keys.ne_missing(keys[-1]).arg_true()
    return len(keys) - (others[-1] + 1 if len(others) else 0)


class _Aside:
    """Lines held aside: in memory when they are few, else in temporary files, each with all lines of its orders."""

    def __init__(self, lines: int, stack: ExitStack) -> None:
        self._files: list[Path] = []
        if lines > ASIDE_LIMIT:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="ordermill-", ignore_cleanup_errors=True))
            count = min(FILES_LIMIT, -(-lines // ASIDE_LIMIT))
            self._files = [Path(directory, f"{number}.arrows") for number in range(count)]
        self._held: list[pl.DataFrame] = []

    def add(self, lines: pl.DataFrame) -> None:
        self._held.append(lines)
        if self._files and sum(map(len, self._held)) >= ASIDE_LIMIT:
            self._spill()

    def orders(self) -> Iterator[pl.DataFrame]:
        if not self._files and self._held:
            yield _by_first_line(pl.concat(self._held))
        if self._files and self._held:
            self._spill()
        for path in self._files:
            if path.exists():
                yield _by_first_line(pl.concat(_unspilled(path)))

    def _spill(self) -> None:
        lines = pl.concat(self._held)
        self._held = []
        number = hashed(lines["_key"]) % len(self._files)
        for (file,), part in lines.group_by(number.alias("_file"), maintain_order=True):
            _append(self._files[file], part)


def _by_first_line(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.sort(pl.col("_line").min().over("_key"), "_line")


def _append(path: Path, lines: pl.DataFrame) -> None:
    stream = io.BytesIO()
    lines.write_ipc_stream(stream, compression="lz4")
    packed = stream.getvalue()
    try:
        with path.open("ab") as file:
            file.write(len(packed).to_bytes(_LENGTH_BYTES))
            file.write(packed)
    except OSError as error:
        raise Unavailable(
            f"Lines of orders that lie apart in the file cannot be kept in {str(path.parent)!r}: {error.strerror}.",
            code="no_room",
        ) from error


def _unspilled(path: Path) -> Iterator[pl.DataFrame]:
    with path.open("rb") as file:
        while length := file.read(_LENGTH_BYTES):
            yield pl.read_ipc_stream(file.read(int.from_bytes(length)))
