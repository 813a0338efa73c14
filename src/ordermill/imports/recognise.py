"""
Which format a file is of, from its header or first JSON object; a file that is of none is told what to do instead.

Formats are found, not listed: every module of `formats/` with a `FORMAT` in it is one, so that a further
format is one new file and nothing to forget elsewhere. Their modules are read on the first question.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Final

from ordermill.imports import exports, formats, templates
from ordermill.imports.formats import Format, Sample
from ordermill.imports.mapfile import MapFile
from ordermill.kit.errors import Invalid

_LIKELY: Final = Fraction(1, 2)
_SHOWN: Final = 12  # columns of the file that a message lists
_DELIMITERS: Final = {";": ";", "\t": "'\\t'", "|": "'|'"}


@cache
def known() -> dict[str, Format]:
    """Return every format by its name, in alphabetical order."""
    found = (importlib.import_module(f"{formats.__name__}.{module.name}") for module in pkgutil.iter_modules(formats.__path__))
    built_in: list[Format] = [module.FORMAT for module in found if hasattr(module, "FORMAT")]
    return {fmt.name: fmt for fmt in sorted(built_in, key=lambda fmt: fmt.name)}


def recognise(sample: Sample, *, wanted: str | None = None, mapping: MapFile | None = None) -> Format:
    """
    Return the one format that a file is of.

    Args:
        sample: the beginning of the file.
        wanted: the word of --format: the file must be of this one.
        mapping: the map of --map: the file must have the columns it reads.

    Raises:
        Invalid: the sentence says what to do. `unknown_format`: there is none called `wanted`. `map_column_missing`.
            `unrecognised`: the file is of no format, or not of the wanted one. `unsuitable`: it is a known export that
            orders cannot be read from.
    """
    if mapping is not None:
        return _mapped(sample, mapping)
    if wanted is not None:
        return _wanted(sample, wanted)
    fitting = [fmt for fmt in known().values() if fmt.recognises(sample)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " or ".join(f"--format {fmt.name}" for fmt in fitting)
        raise _unrecognised(sample, f"{sample.name!r} can be read in more than one way; say which: {names}.")
    raise _refusal(sample)


def _mapped(sample: Sample, mapping: MapFile) -> Format:
    fmt = mapping.format()
    if sample.kind != fmt.kind:
        raise _unrecognised(sample, f"{sample.name!r} is JSON; the map {mapping.title} reads tables, such as CSV files.")
    fmt.check(sample.columns)
    return fmt


def _wanted(sample: Sample, wanted: str) -> Format:
    fmt = known().get(wanted)
    if fmt is None:
        hint = templates.nearest(wanted, known()) or "."
        message = f"There is no format {wanted!r}{hint} The formats are {', '.join(known())}; --map reads any other table."
        raise Invalid(message, code="unknown_format", details={"format": wanted, "formats": list(known())})
    if fmt.recognises(sample):
        return fmt
    if sample.kind != fmt.kind:
        raise _unrecognised(sample, f"{sample.name!r} is not {fmt.title}: it is {_KINDS[sample.kind]}.")
    raise _unrecognised(sample, f"{sample.name!r} is not {fmt.title}: it has no {_listed(fmt.missing(sample.columns))}.")


_KINDS: Final = {"csv": "a table", "jsonl": "JSON"}


def _refusal(sample: Sample) -> Invalid:
    export = exports.known(sample.columns)
    if export is not None:
        message = f"{sample.name!r} looks like {export.title}. {export.advice}"
        return Invalid(message, code=export.code, details={"file": sample.name, "export": export.title})
    return _unrecognised(sample, f"{sample.name!r} is in no format that Ordermill knows. {_hint(sample)}")


def _hint(sample: Sample) -> str:
    has = f"It has the {'columns' if sample.kind == 'csv' else 'keys'} {_listed(sample.columns[:_SHOWN])}"
    has += " and more." if len(sample.columns) > _SHOWN else "."
    delimiter = next(
        (word for sign, word in _DELIMITERS.items() if len(sample.columns) == 1 and sign in sample.columns[0]), None
    )
    if delimiter:
        return f"{has} Its fields seem to be separated by another character: add --delimiter {delimiter}."
    near = _nearest(sample)
    closest = f" It is closest to {near.title}, which also needs {_listed(near.missing(sample.columns))}." if near else ""
    return (
        f"{has}{closest} To read any table, describe its columns in a map file and add --map MAP.toml; see docs/order-files.md."
    )


def _nearest(sample: Sample) -> Format | None:
    """Return the format that misses the smallest share of what it needs, if that is no more than half."""

    def missed(fmt: Format) -> Fraction:
        return Fraction(len(fmt.missing(sample.columns)), len(fmt.missing(())))

    best = min((fmt for fmt in known().values() if fmt.kind == sample.kind), key=missed)
    return best if missed(best) <= _LIKELY else None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) if names else "nothing"


def _unrecognised(sample: Sample, message: str) -> Invalid:
    return Invalid(message, code="unrecognised", details={"file": sample.name, "columns": list(sample.columns[:_SHOWN])})
