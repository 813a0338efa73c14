"""The files a rule looks at: everything that is in the repository or about to be, and nothing that is ignored."""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule is broken, as editors and terminals like to link it."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


@dataclass(frozen=True)
class File:
    """One text file; `path` is relative to the repository's root, with slashes."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def syntax(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    def finding(self, node: ast.AST, sentence: str) -> Finding:
        return Finding(self.path, _line(node), sentence)

    def allows(self, rule: str, node: ast.AST) -> bool:
        """Whether the node's line carries `# allow RULE: reason`; an escape without a reason is none."""
        return re.search(rf"#\s*allow {rule}: \S", self.lines[_line(node) - 1]) is not None


@dataclass(frozen=True)
class Tree:
    """The repository."""

    root: Path

    @cached_property
    def files(self) -> list[File]:
        """Every text file that git tracks or would track; without git, every file outside hidden directories."""
        return [File(path, text) for path in self._paths() if (text := _text(self.root / path)) is not None]

    def python(self, *places: str) -> Iterator[File]:
        """Go through the Python files in or at `places`, such as "src" or "src/ordermill/config.py"."""
        for file in self.files:
            if file.path.endswith(".py") and any(file.path == place or file.path.startswith(f"{place}/") for place in places):
                yield file

    def _paths(self) -> list[str]:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        try:
            listed = subprocess.run(command, cwd=self.root, capture_output=True, check=True, text=True).stdout  # noqa: S603  # a fixed command
        except (OSError, subprocess.CalledProcessError):
            inside = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
            return sorted(path.as_posix() for path in inside if not any(part.startswith(".") for part in path.parts))
        return sorted(path for path in listed.split("\0") if path)


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 1)


Rule = Callable[[Tree], Iterator[Finding]]


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):  # binary, or removed but not yet committed
        return None
