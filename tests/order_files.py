"""Order files written for a test, and what is read from them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ordermill.imports.records import BLOCK
from ordermill.imports.source import Source
from ordermill.imports.tabular import read_header
from ordermill.kit.errors import ServiceError


def written(directory: Path, content: str | bytes, *, encoding: str | None = None) -> Source:
    """Write `orders.csv` and make a source of it; `encoding` is what is declared, as by --encoding."""
    path = directory / "orders.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Source(path, encoding=encoding)


def text(source: Source) -> str:
    with source.reading() as reading:
        return b"".join(reading.text()).decode()


def rows(source: Source, *, delimiter: str | None = None, block_bytes: int = BLOCK) -> list[tuple[Any, ...]]:
    """Return line, text, defect and values of every record."""
    table = read_header(source, delimiter=delimiter)
    with source.reading() as reading:
        return [row for block in table.blocks(reading, block_bytes=block_bytes) for row in block.rows()]


def refused(kind: type[ServiceError], code: str, act: Callable[[], object]) -> ServiceError:
    """Return the refusal of this kind and code that `act` meets with."""
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code
    return caught.value
