"""
No address of a package index and no path of one machine in any file.

Whoever installs Ordermill has their own index, mirror or folder of wheels; hashes in `requirements/` say
which bytes are meant, wherever they come from.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from checks.tree import Finding, Tree

# The brackets keep these patterns from matching themselves.
_INDEX: Final = re.compile(
    r"(?:pypi|pythonhosted|npmjs|anaconda)[.](?:org|com)|https?://\S+/simple\b|/packages/[0-9a-f]{2}/[0-9a-f]{2}/|index[-]url|find[-]links",
    re.IGNORECASE,
)
_IN_REQUIREMENTS: Final = re.compile(r"\w+://|^\s*-(?!-hash)", re.MULTILINE)
_ABSOLUTE: Final = re.compile(r"(?<![\w.~/:<*-])(?:file://)?((?:/[\w.+-]+){2,})")
_HOMES: Final = ("home", "Users", "root")
# What every Unix machine has; a path below these belongs to nobody.
_EVERYWHERE: Final = ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "tmp", "usr", "var")


def find(tree: Tree) -> Iterator[Finding]:
    for file in tree.files:
        pinned = file.path.startswith("requirements/")
        for number, line in enumerate(file.lines, start=1):
            if found := _INDEX.search(line):
                yield Finding(
                    file.path,
                    number,
                    f"{found[0]!r} is an address or option of a package index; leave it to the installing machine.",
                )
            elif pinned and (found := _IN_REQUIREMENTS.search(line)):
                yield Finding(
                    file.path, number, f"{found[0]!r} ties the pins to one place; a pin is a name, a version and hashes."
                )
            for path in _ABSOLUTE.findall(line):
                if _is_of_one_machine(path):
                    yield Finding(file.path, number, f"{path!r} is a path of one machine.")


def _is_of_one_machine(path: str) -> bool:
    """A home directory, or something that is really there on this machine and would not be on another."""
    top = path.split("/")[1]
    return top in _HOMES or (top not in _EVERYWHERE and Path(path).exists())
