"""What the machine tells of the file system under a file."""

import re
import shutil
from pathlib import Path
from typing import Final

from ordermill.operations.ports import FileSystemFacts

MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def file_system(file: Path) -> FileSystemFacts:
    """
    Describe the file system that `file`, which need not exist yet, lies on.

    Raises:
        OSError: its directory does not exist or cannot be asked.
    """
    directory = file.resolve().parent
    kind = kind_of(directory, MOUNTS.read_text(errors="surrogateescape")) if MOUNTS.exists() else None
    return FileSystemFacts(kind, free=shutil.disk_usage(directory).free, size=file.stat().st_size if file.exists() else 0)


def kind_of(directory: Path, mounts: str) -> str | None:
    r"""
    Return the type of the file system that `directory` lies on, such as "ext4" or "nfs4".

    Args:
        directory: resolved.
        mounts: /proc/self/mountinfo; of two mounts on one place the later one hides the earlier.

    Source: proc(5), "/proc/pid/mountinfo": the mount point is field 5 with `\040` for a space; the type follows " - ".
    """
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        places, _, rest = line.partition(" - ")
        point = Path(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), places.split(" ")[4]))
        if directory.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), rest.split(" ")[0]
    return None if found is None else found[1]
