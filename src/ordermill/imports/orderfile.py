"""
A file that was recognised, and how it is to be read: everything that is known before the book is opened.

Not here: what is then done with it (process).
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from ordermill import __version__
from ordermill.imports import apart, records, words
from ordermill.imports.mapfile import MapFile
from ordermill.imports.model import Defaults, ImportFile, Rules
from ordermill.imports.reader import Reader, recognised
from ordermill.imports.scan import Scan
from ordermill.imports.source import opened
from ordermill.kit.calendar import zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is said about a file from outside; None where that is left to the map, the format or the settings."""

    format: str | None = None
    mapping: MapFile | None = None
    channel: str | None = None
    currency: str | None = None
    timezone: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    guests: bool = True
    merge: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFile:
    """One recognised file; `defaults` hold where it does not say."""

    reader: Reader
    defaults: Defaults
    options: Options

    @property
    def name(self) -> str:
        return self.reader.source.name

    @property
    def extension(self) -> str:
        """What the name of a file in this format ends with, such as ".csv"."""
        return f".{self.reader.format.kind}"

    def identity(self, found: Scan) -> ImportFile:
        """Return what makes a run the same run: content, channel, and whatever changes how the file is read."""
        table, options = self.reader.table, self.options
        read_by = {
            "cut_by": _cut_by(self.reader.block_bytes),
            "format": self.reader.format.name,
            "map": repr(options.mapping) if options.mapping else None,
            "defaults": asdict(self.defaults),
            "encoding": options.encoding,
            "delimiter": table.delimiter if table else None,
        }
        return ImportFile(
            name=self.name,
            sha256=found.sha256,
            size=found.size,
            format=self.reader.format.name,
            mapping=self.reader.format.title,
            channel=self.defaults.channel,
            options_key=hashlib.sha256(json.dumps(read_by, sort_keys=True).encode()).hexdigest(),
            header=table.header if table else None,
            delimiter=table.delimiter if table else None,
            records=found.records,
        )


@contextmanager
def order_file(  # noqa: PLR0913  # each is something else that is known from outside
    path: str,
    options: Options,
    *,
    currency: str,
    timezone: str,
    name: str | None = None,
    block_bytes: int = records.BLOCK,
) -> Iterator[OrderFile]:
    """
    Recognise a file; standard input (`-`) is spooled until the block is left.

    Args:
        currency: holds where neither the file nor the options nor the map name one.
        timezone: likewise.
        name: what the file is called, where that is not the path's end.
        block_bytes: text that makes up a batch, which is one transaction. A run is resumed with the size it was begun with.

    Raises:
        Invalid: there is no such file, it is not recognised, unsuitable or malformed at its head, or an option is wrong.
        Unavailable: it may not be read, or there is no room to spool it.
    """
    mapped = options.mapping.file if options.mapping else None
    with opened(path, name=name, encoding=options.encoding or (mapped.encoding if mapped else None)) as source:
        delimiter = options.delimiter or (mapped.delimiter if mapped else None)
        reader = recognised(source, wanted=options.format, mapping=options.mapping, delimiter=delimiter)
        reader = replace(reader, block_bytes=block_bytes)
        rules = options.mapping.rules if options.mapping else Rules()
        yield OrderFile(
            reader=reader,
            options=options,
            defaults=Defaults(
                channel=words.channel(options.channel) if options.channel is not None else reader.format.channel,
                currency=_said(words.currency, options.currency) or (mapped.currency if mapped else None) or currency,
                timezone=_said(_timezone, options.timezone) or (mapped.timezone if mapped else None) or timezone,
                rules=replace(rules, guests=rules.guests and options.guests, merge=rules.merge and options.merge),
            ),
        )


def _cut_by(block_bytes: int) -> dict[str, Any]:
    """
    Return what decides how a file is cut into batches, and what its lines become.

    Part of a run's identity: a run that one program began is never resumed by another, which might cut otherwise.
    """
    return {
        "block": block_bytes,
        "aside": [apart.ASIDE_LIMIT, apart.FILES_LIMIT],
        "polars": pl.__version__,
        "ordermill": __version__,
    }


def _said(judged: Callable[[str], str], word: str | None) -> str | None:
    return None if word is None else judged(word)


def _timezone(word: str) -> str:
    return zone(word).key
